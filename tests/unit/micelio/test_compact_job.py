"""The nightly compaction: every project has its turn, and one that fails does not keep the others from theirs."""

from __future__ import annotations

from uuid import UUID

import pytest

from mic.core.errors import Corrupt
from micelio.projects import jobs

pytestmark = pytest.mark.django_db


class _Ledger:
    """So many runs are due; then, or at once, it is as it is said to be."""

    def __init__(self, due: int, damaged: bool = False) -> None:
        self.due, self.damaged, self.asked = due, damaged, 0

    def compact(self) -> bool:
        self.asked += 1
        if self.damaged:
            raise Corrupt("projects/2/packs/x.pack is damaged")
        self.due -= 1
        return self.due >= 0


def test_every_project_has_its_turn(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    ledgers = {UUID(int=1): _Ledger(2), UUID(int=2): _Ledger(5, damaged=True), UUID(int=3): _Ledger(1000)}
    monkeypatch.setattr(jobs, "all_lines", lambda: list(ledgers))
    monkeypatch.setattr(jobs, "open_ledger", ledgers.__getitem__)
    assert jobs.compact_projects.func() == 2 + jobs.COMPACTED
    assert [ledger.asked for ledger in ledgers.values()] == [3, 1, jobs.COMPACTED]
    assert "projects/2/packs/x.pack is damaged" in caplog.text
