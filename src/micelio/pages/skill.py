"""`/skill.md`: what an agent needs to work with this forge, made of the docs and of the commands that there are."""

from __future__ import annotations

import posixpath
import re
from functools import lru_cache

from django.template.loader import render_to_string

from mic.cli.table import COMMANDS
from mic.cli.terminal.examples import EXAMPLES
from micelio.config import Settings
from micelio.texts.handbook import handbook
from micelio.texts.headings import parts

# The page that it is made of, and its parts in the order in which one needs them.
_SOURCE = "agents"
_PARTS = ("Signing in", "The loop", "Data in, data out")
_LINK = re.compile(r"\]\((?![a-z]+:|#|/)([^)#\s]+)((?:#[^)\s]*)?)\)")


def skill_text(settings: Settings) -> str:
    """The instructions, with the addresses of this forge in them. Markdown with front matter, as skills have it."""
    return _text(settings.base_url, settings.grpc_address)


@lru_cache(maxsize=4)
def _text(base: str, grpc: str) -> str:
    by_title = {part.title: part.body for part in parts(handbook().sheet(_SOURCE).source)}
    return render_to_string(
        "pages/skill.md",
        {
            "base": base,
            "grpc": grpc,
            "parts": [(title, _absolute(by_title[title], base)) for title in _PARTS],
            "commands": [(f"mic {name}", short, _examples(name)) for name, (_, short) in COMMANDS.items()],
        },
    )


def _examples(name: str) -> list[str]:
    return [example for path, example in EXAMPLES.items() if path.split()[0] == name]


def _absolute(source: str, base: str) -> str:
    """Links beside the page as links to this forge, for the text is read elsewhere."""

    def whole(match: re.Match[str]) -> str:
        return f"]({base}/docs/{posixpath.normpath(posixpath.join(_SOURCE, match[1]))}{match[2]})"

    return _LINK.sub(whole, source)
