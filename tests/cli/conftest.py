"""People at terminals, one home each."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest

from forge_process import Forge
from transcript import Shell

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """An organization that nobody else has, in whatever process this test runs."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def shell(forge: Forge, tmp_path: Path, name: str) -> Shell:
    """Somebody signed in, with an organization of their own; the account is `u` and its name."""
    person = Shell(forge, tmp_path / "home", f"u{name}")
    assert person("org", "create", name) == f"Made the organization {name}.\n"
    return person
