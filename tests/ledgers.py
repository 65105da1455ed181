"""Ledgers in tests: sessions from plain dictionaries, effects that are recorded, and faults between any two of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mic.core.blob import encode_blob
from mic.core.errors import Corrupt
from mic.core.ids import content_hash
from mic.core.record import Record
from mic.core.session import Author, Change, Decision, Op, Session
from mic.ledger.driver import Driver
from mic.ledger.effects import Attempt, Delete, Effect, GetRange, Now, Put, PutIf, PutNew, Sleep
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Landed, LandRequest, Project
from mic.store import MemoryStore, ObjectStore

REGULAR, EXECUTABLE, LINK = 0o100644, 0o100755, 0o120000
Wanted = bytes | tuple[int, bytes] | None  # a content, a mode with a content, or a deletion
Files = dict[bytes, tuple[int, bytes]]

# 2026-11-01 00:00 UTC, in Unix milliseconds.
NOON = 1_793_491_200_000


class Traced(Driver):
    """The real driver with a clock that stands still, a record of the effects, and room for faults.

    `before(effect)` and `after(effect)` may raise; sleeping takes no time.
    """

    def __init__(self, store: ObjectStore) -> None:
        super().__init__(store)
        self.effects: list[Effect] = []
        self.now = NOON
        self.before: Callable[[Effect], None] = lambda effect: None
        self.after: Callable[[Effect], None] = lambda effect: None

    def _one(self, effect: Effect) -> Any:
        self.effects.append(effect)
        self.before(effect)
        if isinstance(effect, Now):
            return self.now
        if isinstance(effect, Sleep):
            return None
        result = super()._one(effect)
        self.after(effect)
        return result

    @property
    def writes(self) -> list[str]:
        """The writing effects so far, as `Name key`."""
        return [f"{type(e).__name__} {e.key}" for e in self.effects if isinstance(e, Put | PutNew | PutIf | Delete)]


class Journeys:
    """Counts how often the driver is asked for something, a group counting once."""

    def __init__(self, project: Project) -> None:
        self.count = self.together = 0
        perform = project.driver._perform

        def counting(wanted: object) -> object:
            self.count += 1
            if type(wanted) is tuple and isinstance(wanted[0], Attempt) and isinstance(wanted[0].effect, GetRange):
                self.together = max(self.together, len(wanted))
            return perform(wanted)  # type: ignore[arg-type]

        project.driver._perform = counting  # type: ignore[method-assign,assignment]


def traced(store: ObjectStore, name: str = "p") -> tuple[Project, Traced]:
    """A project through a ledger of its own, with the driver to watch and disturb it."""
    ledger = Ledger(store)
    driver = ledger.driver = Traced(store)
    return ledger.open(name), driver


def session_id(number: int) -> bytes:
    """The id of session `number`."""
    return number.to_bytes(16, "big")


def request(
    project: Project, number: int, base: int, files: Mapping[bytes, Wanted], goal: str = "", send: bool = True
) -> LandRequest:
    """Session `number` that makes these files of the tree at position `base`; `send` its contents with it."""
    root = project.tree_at(base)
    before = project.entries(root, sorted(files))
    changes, contents = [], {}
    for path, wanted in files.items():
        old = before.get(path)
        was: dict[str, Any] = {"base_hash": old.hash, "base_mode": old.mode} if old else {}
        if wanted is None:
            changes.append(Change(path, int(Op.DELETED), 0, **was))
            continue
        mode, data = wanted if isinstance(wanted, tuple) else (old.mode if old else REGULAR, wanted)
        op = Op.MODIFIED if old else Op.ADDED
        changes.append(Change(path, int(op), mode, content_hash(data), len(data), **was))
        if send:
            contents[content_hash(data)] = encode_blob(data)
    session = Session(
        session_id(number),
        goal or f"Goal {number}",
        base_position=base,
        author=Author("Ada", "ada@example.org"),
        decisions=(Decision(f"Decision {number}"),),
        changes=tuple(changes),
    )
    return LandRequest(session, contents)


def land(project: Project, number: int, base: int, files: Mapping[bytes, Wanted]) -> Landed:
    """Land session `number` with these files, based on position `base`."""
    return project.land(request(project, number, base, files))


def contents(project: Project, position: int | None = None) -> Files:
    """Every file of a tree with its mode and content, read back from the store."""
    root = project.tree_at(project.head().position if position is None else position)
    found, after = [], b""
    while page := project.files(root, after=after):
        found += page
        after = page[-1].path
    return {entry.path: (entry.mode, project.blob(entry.hash)) for entry in found}


def import_sealed(project: Project, last: int, content: Callable[[int], bytes]) -> None:
    """Make the project and import landings 1..last, 1,000 of which are sealed: 50 files take turns."""
    project.create()
    history = project.import_history("test", bytes(16))
    for number in range(1, last + 1):
        data = content(number)
        history.add_content(content_hash(data), len(data), encode_blob(data))
        change = (b"d%02d/f" % (number % 50), int(number > 50), REGULAR, content_hash(data), len(data))
        oid = number.to_bytes(20, "big")
        project.run(history.add_commit(HistoryCommit(oid, b"", Author("A"), number, f"Commit {number}", [change])))
    project.finish_import(history)
    assert project.seal() == 1000


def objects_of(store: ObjectStore) -> dict[str, bytes]:
    """Everything that a store holds."""
    return {listed.key: store.get(listed.key).data for listed in store.list("")}


def store_of(objects: Mapping[str, bytes]) -> MemoryStore:
    """A store with these objects: a copy that a test may spoil."""
    store = MemoryStore()
    for key, data in objects.items():
        store.put(key, data)
    return store


def fold(records: list[Record], read: Callable[[bytes], bytes]) -> Files:
    """The files that records make, one after the other, of nothing: no tree is looked at."""
    files: Files = {}
    for record in records:
        for change in record.changes:
            if change.entry is None:
                del files[change.path]
            else:
                files[change.path] = (change.entry.mode, read(change.entry.hash))
    return files


def check_history(project: Project) -> None:
    """The invariants of a log: positions without a gap, a clock that grows, every tree the fold of its records."""
    head = project.head()
    records = project.records(1, head.position)
    assert [record.position for record in records] == list(range(1, head.position + 1))
    clocks = [record.hlc for record in records]
    assert clocks == sorted(set(clocks))
    assert len({record.session for record in records}) == len(records)
    if records:
        assert (records[-1].root_after, records[-1].hlc) == (head.tree, head.hlc)
    assert contents(project) == fold(records, project.blob)


def damage_of(call: Callable[[], object]) -> Corrupt:
    """The Corrupt that a call raises."""
    try:
        answer = call()
    except Corrupt as error:
        return error
    raise AssertionError(f"no damage was noticed: {answer!r}")
