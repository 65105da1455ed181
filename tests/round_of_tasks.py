"""One round of all tasks, by one kind of hand, with people and names of its own."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pages_story
from hands import Keys, Mouse
from totp import totp
from web_tasks import Task
from whole_forge import PASSWORD, WholeForge

# Kinds of hand: how, and whether scripts run.
KINDS: dict[str, tuple[type[Mouse], bool]] = {"mouse": (Mouse, True), "no-script": (Mouse, False), "keys": (Keys, True)}


class Round:
    """Made anew for each kind of hand; people come signed out."""

    def __init__(self, whole: WholeForge, chromium: Any, kind: str, suffix: str) -> None:
        self._whole, self._chromium = whole, chromium
        self._make, self._scripts = KINDS[kind]
        self._hands: dict[str, Mouse] = {}
        self.step: tuple[str, ...] = ()
        picture = Path(tempfile.mkdtemp()) / "me.png"
        picture.write_bytes(pages_story.png())
        forge = whole.forge
        me, friend, spare = (f"{name}-{suffix}" for name in ("me", "friend", "spare"))
        for name in (me, friend, spare):
            forge.token(name)
        self.words = {
            "me": me, "friend": friend, "spare": spare, "org": f"org-{suffix}", "whole": whole.organization,
            "story": "acme-seen/api", "hand": kind, "password": PASSWORD, "png": str(picture),
            "once": forge.once(me), "friend_once": forge.once(friend), "spare_once": forge.once(spare),
            "rita_once": forge.once("rita"),
            "device": whole.device(), "number": str(list(KINDS).index(kind) + 1),
            "file": ("docs/a.md", ".micelio/OWNERS", "odd/plain.csv")[list(KINDS).index(kind)],
        }  # fmt: skip

    def hand_of(self, who: str) -> Mouse:
        if who not in self._hands:
            context = self._chromium.new_context(
                base_url=self._whole.forge.base_url, java_script_enabled=self._scripts, locale="en"
            )
            context.set_default_timeout(15_000)
            self._hands[who] = self._make(context.new_page())
        return self._hands[who]

    def do(self, task: Task) -> None:
        """Every step of it. Raises what the browser says of the first that cannot be done."""
        hand = self.hand_of(task.who)
        for self.step in task.steps:
            name, *told = self.step
            words = [word.format(**self.words) for word in told]
            if name == "says":
                assert words[0] in hand.says(), (task.name, words[0], hand.page.url, hand.says()[:500])
            elif name == "sees":
                assert hand.page.locator(words[0]).first.is_visible(), (task.name, words[0], hand.page.url)
            elif name == "code":
                key = hand.page.locator("main code.cmd").first.inner_text()
                hand.fill(words[0], totp(key))
            else:
                getattr(hand, name)(*words)

    @property
    def sent(self) -> set[tuple[str, str]]:
        return set().union(*(hand.sent for hand in self._hands.values()))

    def close(self) -> None:
        for hand in self._hands.values():
            hand.page.context.close()
