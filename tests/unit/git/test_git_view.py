"""Writing the next view: done, overtaken by another, or not to be told."""

from __future__ import annotations

import pytest

from mic.core.errors import Corrupt
from mic.git import view as views
from mic.git.view import Numbered, Overtaken, View, newest_view, views_prefix, write_view
from mic.ledger.effects import Get, Protocol
from mic.sim.bucket import Bucket, Rules
from mic.sim.direct import drive

A, B = View(refs={b"refs/tags/a": b"a" * 20}), View(refs={b"refs/tags/b": b"b" * 20})
NONE = Numbered(0, View())


def _bucket() -> Bucket:
    return Bucket(Rules(), lambda key, before, after: None)


def _spoilt(protocol: Protocol[Numbered | None]) -> Protocol[Numbered | None]:
    """What it reads has a wrong bit."""
    wanted = next(protocol)
    while True:
        try:
            answer = yield wanted
            if isinstance(wanted, Get):
                answer = answer._replace(data=answer.data[:-1] + bytes((answer.data[-1] ^ 1,)))
            wanted = protocol.send(answer)
        except StopIteration as stop:
            return stop.value  # type: ignore[no-any-return]
        except Exception as error:
            try:
                wanted = protocol.throw(error)
            except StopIteration as stop:
                return stop.value  # type: ignore[no-any-return]


def test_written_or_not() -> None:
    """The first has it; the same again is one's own, anything else comes too late."""
    bucket = _bucket()
    assert drive(bucket, write_view("p", NONE, A)) == Numbered(1, A)
    assert drive(bucket, write_view("p", NONE, A)) == Numbered(1, A)
    assert drive(bucket, write_view("p", NONE, B)) is None
    assert drive(bucket, newest_view("p", NONE)) == Numbered(1, A)


def test_a_wrong_bit_is_not_another() -> None:
    """The store performed a write twice and says that it is there; what it gives to read is damaged."""
    bucket = _bucket()
    drive(bucket, write_view("p", NONE, A))
    with pytest.raises(Corrupt):
        drive(bucket, _spoilt(write_view("p", NONE, A)))


def test_overtaken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that was removed is created anew: whether it counted once is not known, and it counts for nothing."""
    monkeypatch.setattr(views, "VIEWS_KEPT", 4)
    monkeypatch.setattr(views, "VIEWS_LOST", 2)
    bucket, known = _bucket(), NONE
    for number in range(1, 9):
        known = drive(bucket, write_view("p", known, A if number % 2 else B))
    assert sorted(bucket.objects) == [f"{views_prefix('p')}{number:016x}" for number in (5, 6, 7, 8)]
    with pytest.raises(Overtaken):
        drive(bucket, write_view("p", NONE, B))
    assert sorted(bucket.objects) == [f"{views_prefix('p')}{number:016x}" for number in (5, 6, 7, 8)]
    assert drive(bucket, newest_view("p", NONE)) == known
