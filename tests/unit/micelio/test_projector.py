"""The projector's thread: who waits for it, and what it does when nothing works."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from types import SimpleNamespace
from uuid import UUID

import pytest

from ledgers import land
from mic.core.errors import Unavailable
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.readable import Landing
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import actor_of
from micelio.accounts.policy import OPERATOR
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.sessions import projector
from micelio.sessions.models import LastChange

SOME = UUID(int=5)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of other tests, and a thread that needs no database."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))
    monkeypatch.setattr(projector, "_failed", set())
    monkeypatch.setattr(projector, "_unsealed", set())
    monkeypatch.setattr(projector, "_wake", threading.Event())
    monkeypatch.setattr(projector, "all_lines", list)
    monkeypatch.setattr(projector, "exists", lambda project_id: True)
    monkeypatch.setattr(projector, "let_go", lambda: None)


@pytest.mark.django_db
def test_no_landing_waits_for_sealing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge that takes long: rows of what lands meanwhile are there, and sealing ends in its own time."""
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    made = create_project(actor, "acme", "api")
    ledger = ledgers.open_ledger(made.id)
    begun, may_end, ended = threading.Event(), threading.Event(), threading.Event()

    def seal(project: Project) -> int:
        begun.set()
        assert may_end.wait(30)
        ended.set()
        return 0

    monkeypatch.setattr(Project, "seal", seal)
    monkeypatch.setattr(Project, "due_to_seal", True)
    stop = projector.start()
    try:
        land(ledger, 1, 0, {b"a": b"1"})
        assert projector.catch_up(made.id, 1) == 1
        assert begun.wait(30)
        land(ledger, 2, 1, {b"a": b"2"})
        assert projector.catch_up(made.id, 2) == 2
        assert not ended.is_set()
    finally:
        may_end.set()
        stop()
    assert ended.is_set()


def test_what_fails_has_a_pause(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """As when the data directory is gone: the thread's own failure does not wake it at once."""
    stopping = threading.Event()
    pauses: list[tuple[float | None, bool]] = []

    class Wake(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            pauses.append((timeout, self.is_set()))
            if len(pauses) == 3:
                stopping.set()
            return False

    def gone(project_id: UUID) -> int:
        raise Unavailable("the directory is gone")

    monkeypatch.setattr(projector, "_wake", Wake())
    monkeypatch.setattr(projector, "_follow", gone)
    monkeypatch.setattr(projector, "all_lines", lambda: [SOME])
    monkeypatch.setattr(projector, "connection", SimpleNamespace(close=lambda: None))
    projector._loop(stopping)
    assert pauses == [(projector.RETRY, False)] * 3
    assert sum("rows do not follow its log" in message for message in caplog.messages) == 3


@pytest.mark.django_db
def test_rows_of_many_changes_come_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Landings that change more than goes into one batch, alone or together: rows are what they always are."""
    actor = actor_of(accounts.create_user(OPERATOR, "ada"), "web")
    organizations.create_organization(actor, "acme")
    made = create_project(actor, "acme", "api")
    ledger = ledgers.open_ledger(made.id)
    land(ledger, 1, 0, {b"src/lib/%d" % number: b"1" for number in range(9)})
    land(ledger, 2, 1, {b"src/lib/4": b"2", b"top": b"2"})
    land(ledger, 3, 2, {b"src/other": b"3"})
    batches: list[int] = []
    derive = projector._derive

    def counted(project_id: UUID, landings: Sequence[Landing]) -> bool:
        batches.append(len(landings))
        return derive(project_id, landings)

    monkeypatch.setattr(projector, "_derive", counted)
    monkeypatch.setattr(projector, "CHANGES", 3)
    assert projector.catch_up(made.id) == 3
    assert batches == [1, 2]
    rows = LastChange.objects.filter(project_id=made.id).values_list("directory", "name", "position")
    assert {(bytes(directory), bytes(name)): position for directory, name, position in rows} == {
        (b"", b"src"): 3, (b"", b"top"): 2, (b"src", b"lib"): 2, (b"src", b"other"): 3, (b"src/lib", b"0"): 1,
        (b"src/lib", b"1"): 1, (b"src/lib", b"2"): 1, (b"src/lib", b"3"): 1, (b"src/lib", b"4"): 2,
        (b"src/lib", b"5"): 1, (b"src/lib", b"6"): 1, (b"src/lib", b"7"): 1, (b"src/lib", b"8"): 1,
    }  # fmt: skip
