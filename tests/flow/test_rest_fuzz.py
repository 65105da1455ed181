"""A short look by schemathesis; `make fuzz-api` is the long one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from api_fuzz import ask, prepare
from forge_process import Forge


@pytest.fixture
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Forge, str]]:
    """A forge of its own without limits: thousands of requests come from one address."""
    forge = Forge(tmp_path_factory.mktemp("fuzz") / "data", MICELIO_LIMITS="off")
    yield forge, prepare(forge)
    forge.end()


@pytest.mark.parametrize("pinned", [True, False], ids=["of a project", "of anything"])
def test_nothing_is_answered_that_the_description_does_not_say(
    asked: tuple[Forge, str], tmp_path: Path, pinned: bool
) -> None:
    """No 5xx, no status, header or body that is not described, nothing taken that is not allowed."""
    forge, token = asked
    assert ask(forge, token, tmp_path, 8, pinned=pinned) == ""
    assert "Traceback" not in forge.log()
