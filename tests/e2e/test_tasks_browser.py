"""Every task of the pages in a real browser three times: with a mouse, without a script, and with keys alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.urls import resolve

from page_forms import forms_of
from round_of_tasks import KINDS, Round
from web_tasks import TASKS
from whole_forge import WholeForge

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

TELL = """
import django
django.setup()
import odd_files, pages_story
story = pages_story.tell("-seen")
odd_files.land(story)
lines = pages_story.TOKENS_AFTER.splitlines(True)
pages_story.land_files(story.actor, story.project, "Elsewhere", 5, {
    b"pyproject.toml": None, b"packaging/pyproject.toml": pages_story.FIRST[b"pyproject.toml"],
    b"src/auth/tokens.py": (0o100644, b"".join(lines[7:] + lines[:7])),
    b"docs/mark.png": (0o100644, pages_story.png(24, 24)), b"data/seed.bin": (0o100644, bytes(range(256)) * 4),
})
"""
# Forms whose task is another test's: they need an authenticator, mail that arrives, or a code of this minute.
ELSEWHERE = {
    ("mfa_add_webauthn", ""): "test_a_passkey_signs_in",
    ("mfa_login_webauthn", ""): "test_a_passkey_signs_in",
    ("mfa_reauthenticate", ""): "test_no_rule_is_broken_on_any_page, and a code is good once",
    ("invited", ""): "tests/flow: the link of a letter, one button",
    ("invitation", "accept"): "the form of own-invitations, under the link of a letter",
    ("invitation", "decline"): "the form of own-invitations, under the link of a letter",
    ("project-secrets", ""): "secrets-decide",
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WholeForge]:
    """With the story told in it, for whoever reads."""
    made = WholeForge(tmp_path_factory.mktemp("tasks") / "data", MICELIO_SIGN_UP="approval")
    tests = Path(__file__).parents[1]
    environment = made.forge.environment | {
        "DJANGO_SETTINGS_MODULE": "micelio.django_settings",
        "PYTHONPATH": os.pathsep.join((str(tests), str(tests.parent / "src"))),
    }
    subprocess.run([sys.executable, "-c", TELL], env=environment, check=True)
    yield made
    made.close()


def _forms(whole: WholeForge) -> set[tuple[str, str]]:
    """(name of the address, act) of every form that some page shows to who runs the forge, or to nobody."""
    found = set()
    for name in sorted(set(whole.routes()) - {"account_logout"}):
        address = whole.address(name)
        for browser in (whole.rita, whole.nobody):
            answer = browser.get(address)
            if not answer.headers.get("content-type", "").startswith("text/html"):
                continue
            for form in forms_of(answer.text, address):
                if form.method == "post":
                    acts = {value for name, value in form.buttons if name in ("act", "action")}
                    route = resolve(urlsplit(form.action).path).view_name
                    found |= {(route, act) for act in acts or {form.fields.get("act", "")}}
    return found


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", KINDS)
def test_every_task(whole: WholeForge, chromium: Any, kind: str) -> None:
    """All of them, one after the other; a form that no task sends is told, so that a new one gets its task."""
    forms = _forms(whole) if kind == "mouse" else set()
    done = Round(whole, chromium, kind, kind[0])
    failed = []
    for task in TASKS:
        try:
            done.do(task)
        except Exception as error:
            failed.append(f"{task.name}, at {done.step} on {done.hand_of(task.who).page.url}: {str(error)[:400]}")
    done.close()
    assert failed == []
    assert forms - done.sent - set(ELSEWHERE) == set()
