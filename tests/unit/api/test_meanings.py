"""What the forge says of its codes is what the documentation says."""

from __future__ import annotations

import re
from pathlib import Path

from mic.core import errors
from micelio.api.meanings import MEANINGS
from micelio.api.problems import status_of

ERRORS = Path(__file__).parents[3] / "docs/users/errors.md"
# Only commands end with these.
_COMMANDS = {"unresolved", "hook_failed", "bad_setting", "port_in_use", "database", "other_keys", "data_directory"}


def test_every_code_has_the_words_of_the_documentation() -> None:
    """Without the links, which lead elsewhere there."""
    rows = re.findall(r"(?m)^\| `(\w+)` \| (.*?) \| (.*?) \|$", ERRORS.read_text())
    told = {
        code: tuple(re.sub(r"\[([^\]]+)\]\([^)]*\)", r"\1", text) for text in texts)
        for code, *texts in rows
        if code not in _COMMANDS
    }
    assert {code: (row.meaning, row.fix) for code, row in MEANINGS.items()} == told


def test_every_error_of_the_house_has_a_status() -> None:
    """Only damage and faults of ours are 500."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.MicError)]
    documented = set(re.findall(r"(?m)^\| `(\w+)` \|", ERRORS.read_text()))
    assert {kind.code for kind in kinds} & documented <= set(MEANINGS)
    assert {kind.__name__ for kind in kinds if status_of(kind("x")) == 500} == {"MicError", "Corrupt"}
