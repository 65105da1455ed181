"""Errors of the rooms below, as the commands say them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from mic.cli.terminal import voice
from mic.cli.terminal.exit_codes import WrongCommandLine, exit_code
from mic.cli.terminal.failure import tell
from mic.core import errors
from mic.core.errors import Conflicted, InvalidInput, MicError, NotFound, StorageFull


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("a path is empty", "A path is empty."),
        ("the session changes nothing", "The session changes nothing."),
        ("this is not a mic workspace", "This is not a mic workspace."),
        ("there is no landing @9", "There is no landing @9."),
        ("position 9 does not exist; the newest is 3", "Position 9 does not exist; the newest is 3."),
        ("somebody landed in the project", "Somebody landed in the project."),
        ("no space left to write x", "No space left to write x."),
        ("It is done.", "It is done."),
        ("a session is open: Why?", "A session is open: Why?"),
        ("", ""),
    ],
)
def test_a_fragment_becomes_a_sentence(said: str, shown: str) -> None:
    assert voice.message(said) == shown


@pytest.mark.parametrize(
    "text",
    [
        "a is gone",
        "the has 5 bytes, not 4",
        "this is gone",
        "project is a file",
        "src/x is gone",
        "git could not fetch",
    ],
)
def test_a_name_in_front_keeps_its_spelling(text: str) -> None:
    assert voice.message(text) == f"{text}."


def test_lines_of_a_list_get_no_stop() -> None:
    assert voice.message("It clashes.\n  a: changed") == "It clashes.\n  a: changed"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("run `mic status` again", "Run `mic status` again."),
        ("`mic log` lists them", "`mic log` lists them."),
        ("mic sync takes it in", "mic sync takes it in."),
        ("Does it work here?", "Does it work here?"),
        ("", ""),
    ],
)
def test_hints(said: str, shown: str) -> None:
    assert voice.hint(said) == shown


def test_text_and_json_say_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    error = NotFound("there is no landing @9", hint="try \x1b[2Janother", document={"position": 9})
    assert tell(error, as_json=False) == 4
    assert capsys.readouterr().err == "mic: There is no landing @9.\n     Try \\x1b[2Janother.\n"
    assert tell(error, as_json=True) == 4
    said = json.loads(capsys.readouterr().out)
    assert said == {
        "error": {
            "code": "not_found",
            "message": "There is no landing @9.",
            "hint": "Try \x1b[2Janother.",
            "position": 9,
        }
    }


def test_exit_codes() -> None:
    """As docs/users/exit-codes.md has them."""
    each = [MicError("x"), InvalidInput("x"), WrongCommandLine("x"), Conflicted("x"), NotFound("x"), StorageFull("x")]
    assert [exit_code(error) for error in each] == [1, 2, 2, 3, 4, 6]


def test_the_table_of_exit_codes_names_every_error_that_has_one() -> None:
    table = (Path(__file__).parents[3] / "docs/users/exit-codes.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \|.*\|([^|]*)\|$", table, re.MULTILINE)
    named = {code: int(number) for number, codes in rows for code in re.findall(r"`(\w+)`", codes)}
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, MicError)]
    assert len(kinds) > 25
    for kind in kinds:
        assert exit_code(kind("x")) == named.get(kind.code, 1), kind.code
