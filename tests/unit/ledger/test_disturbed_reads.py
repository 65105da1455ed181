"""Reads that bring other bytes than are stored, or older ones than the next read. The simulator found each of these."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledgers import REGULAR, Traced, check_history, contents, land, request
from mic.core.blob import encode_blob
from mic.core.errors import AlreadyExists, Corrupt, InvalidInput, Unavailable
from mic.core.ids import content_hash
from mic.core.session import Author
from mic.ledger.effects import Effect, Get, GetRange, List, PutIf, PutNew
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore, Tagged


class Wrong(Traced):
    """A driver whose reads can be given other answers."""

    change: Callable[[Effect, Any], Any] = staticmethod(lambda effect, answer: answer)

    def _one(self, effect: Effect) -> Any:
        return self.change(effect, super()._one(effect))


def _wrong(store: MemoryStore) -> tuple[Project, Wrong]:
    ledger = Ledger(store)
    driver = ledger.driver = Wrong(store)
    return ledger.open("p"), driver


def _flipped(raw: bytes, at: int) -> bytes:
    return raw[:at] + bytes((raw[at] ^ 1,)) + raw[at + 1 :]


@pytest.mark.parametrize("at", [8, 39, 40, 47])
def test_head_read_with_a_wrong_bit(at: int) -> None:
    """A head of the known position that is another head is damage: nothing may be built on it."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    land(project, 1, 0, {b"a": b"one"})

    def change(effect: Effect, answer: Any) -> Any:
        if isinstance(effect, Get) and effect.key.endswith("/head"):
            return Tagged(_flipped(answer.data, at), answer.tag)
        return answer

    wanted = request(project, 2, 1, {b"b": b"two"})
    driver.change = change
    with pytest.raises(Corrupt, match="another history"):
        project.head()
    driver.change = Wrong.change
    assert project.land(wanted).position == 2
    check_history(Ledger(store).open("p"))


def test_head_of_another_misread_as_ones_own_older_one() -> None:
    """The tag that came with it is that of the other's head: a swap with it would take the other's landing away."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    land(project, 1, 0, {b"a": b"one"})
    land(Ledger(store).open("p"), 2, 1, {b"b": b"two"})

    def change(effect: Effect, answer: Any) -> Any:
        if isinstance(effect, Get) and effect.key.endswith("/head"):
            return Tagged(_flipped(answer.data, 47), answer.tag)
        return answer

    driver.change = change
    with pytest.raises(Corrupt):
        project.head()
    driver.change = Wrong.change
    assert land(project, 3, 1, {b"c": b"three"}).position == 3
    check_history(Ledger(store).open("p"))


def test_head_of_an_empty_project_read_with_a_wrong_clock() -> None:
    """An import into a project that nobody has landed in is not refused because a bit of the clock was misread."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()

    def change(effect: Effect, answer: Any) -> Any:
        if isinstance(effect, Get) and effect.key.endswith("/head"):
            return Tagged(_flipped(answer.data, 45), answer.tag)
        return answer

    driver.change = change
    history = project.import_history("test", bytes(16))
    driver.change = Wrong.change
    data = b"one"
    history.add_content(content_hash(data), len(data), encode_blob(data))
    commit = HistoryCommit(bytes(20), b"", Author("A"), 1, "M", [(b"a", 0, REGULAR, content_hash(data), len(data))])
    project.run(history.add_commit(commit))
    assert project.finish_import(history).position == 1
    assert contents(Ledger(store).open("p")) == {b"a": (REGULAR, b"one")}


def test_swap_of_a_misread_head_without_an_answer() -> None:
    """An import whose swap fails after the head of the empty project was misread is not told that somebody landed."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    history = project.import_history("test", bytes(16))
    project.run(history.add_commit(HistoryCommit(bytes(20), b"", Author("A"), 1, "M", [])))
    misread = []

    def change(effect: Effect, answer: Any) -> Any:
        if isinstance(effect, Get) and effect.key.endswith("/head") and not misread:
            misread.append(effect)
            return Tagged(_flipped(answer.data, 45), answer.tag)
        return answer

    def before(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            raise Unavailable("503")

    driver.change, driver.before = change, before
    with pytest.raises(Unavailable, match="did not say"):
        project.finish_import(history)
    assert misread
    assert Ledger(store).open("p").head().position == 0


def test_size_of_a_content_read_with_a_wrong_bit() -> None:
    """A misread size is looked at twice before a session is told that it is wrong."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    land(project, 1, 0, {b"a": b"one"})

    def change(effect: Effect, answer: Any) -> Any:
        return _flipped(answer, 7) if isinstance(effect, GetRange) and len(answer) in (4, 8) else answer

    wanted = request(project, 2, 1, {b"b": b"one"}, send=False)
    driver.change = change
    assert project.land(wanted).position == 2


def test_size_of_a_damaged_content() -> None:
    """A content whose stored size is damaged is Corrupt, not too large for whoever reads it."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    land(project, 1, 0, {b"a": b"one"})
    stored = len(encode_blob(b"one"))

    def change(effect: Effect, answer: Any) -> Any:
        return _flipped(answer, 5) if isinstance(effect, GetRange) and effect.length == stored else answer

    driver.change = change
    with pytest.raises(Corrupt, match="is damaged"):
        project.blob(content_hash(b"one"), limit=100)


def test_index_written_between_head_and_index() -> None:
    """A cold reader that reads the head, and then an index that others wrote meanwhile, sees no damage."""
    store = MemoryStore()
    first, _ = _wrong(store)
    first.create()
    history = first.import_history("test", bytes(16))
    for number in range(1, 1000):
        first.run(history.add_commit(HistoryCommit(number.to_bytes(20, "big"), b"", Author("A"), number, "M", [])))
    first.finish_import(history)
    second, driver = _wrong(store)

    def change(effect: Effect, answer: Any) -> Any:
        if isinstance(effect, Get) and effect.key.endswith("/head") and second.line.head is None:
            driver.change = Wrong.change
            land(first, 1, 999, {b"a": b"one"})
            assert first.seal() == 1000
        return answer

    driver.change = change
    assert second.head().position == 1000
    assert any(isinstance(effect, List) for effect in driver.effects)


def test_epoch_of_an_import_written_twice() -> None:
    """A client library that repeats an import's write and reports its own object as somebody else's does no harm."""
    store = MemoryStore()
    project, driver = _wrong(store)
    project.create()
    history = project.import_history("test", bytes(16))
    project.run(history.add_commit(HistoryCommit(bytes(20), b"", Author("A"), 1, "M", [])))

    def after(effect: Effect) -> None:
        if isinstance(effect, PutNew):
            raise AlreadyExists("exists")

    driver.after = after
    assert project.finish_import(history).position == 1
    assert contents(Ledger(store).open("p")) == {}


def test_session_that_misstates_a_size() -> None:
    """A session with another size than its content has is still told so."""
    store = MemoryStore()
    project, _ = _wrong(store)
    project.create()
    land(project, 1, 0, {b"a": b"one"})
    wanted = request(project, 2, 1, {b"b": b"one"}, send=False)
    change = msgspec.structs.replace(wanted.session.changes[0], size=4)
    session = msgspec.structs.replace(wanted.session, changes=(change,))
    with pytest.raises(InvalidInput, match="has 3 bytes, not 4"):
        project.land(wanted._replace(session=session))
