"""One history, made by landing drawn sessions in groups: every verdict, record and tree beside the model's."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from random import Random
from typing import NamedTuple

from conflicts.draw import PATHS, Sent, draw
from conflicts.model import Clash, File, History, Judged, Wants
from mic.core.blob import encode_blob
from mic.core.errors import Conflicted, MicError
from mic.core.session import Author, Change, Op, Session
from mic.core.tree import EMPTY_TREE, Entry
from mic.ledger.land import Landed, land_group
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import MemoryStore

CASES = 250  # sessions of one history

_Stored = tuple[int, bytes, int]  # mode, hash and size of a file, as trees and records have them


class Wrong(Exception):
    """A verdict, a record or a tree that is not the model's."""


class Checked(NamedTuple):
    """What one history held: sessions by what became of them."""

    cases: int
    answers: Counter[str]


def check_history(seed: int, cases: int = CASES) -> Checked:
    """Land the sessions of one seed; raises Wrong, with the case in words."""
    rnd = Random(seed)
    history, answers = History(), Counter[str]()
    project = Ledger(MemoryStore(), cache_bytes=8 << 20).open("p")
    project.create()
    paths = tuple(rnd.sample(PATHS, rnd.choice((2, 4, 8, len(PATHS)))))
    done = 0
    while done < cases:
        group = [
            draw(rnd, history, done + at, paths) for at in range(min(cases - done, rnd.choice((1, 1, 2, 4, 8, 16))))
        ]
        done += len(group)
        _land(project, history, group, f"seed {seed}, position {len(history.trees) - 1}", answers)
    return Checked(done, answers)


def _land(project: Project, history: History, group: list[Sent], where: str, answers: Counter[str]) -> None:
    """Land a group, and judge in the order in which it must be taken: by base, then by session."""
    start = len(history.trees)
    outcomes = project.run(land_group(project.line, [_request(sent) for sent in group]))
    for sent, outcome in sorted(zip(group, outcomes, strict=True), key=lambda pair: (pair[0].base, pair[0].number)):
        judged = history.judge(sent.base, sent.wants, sent.claims) if sent.wants else Judged({}, {}, "nothing_to_land")
        expected, told = _expected(judged, len(history.trees), sent), _told(outcome)
        if told != expected:
            raise Wrong(
                f"{where}: session {sent.number} on base {sent.base} wants {_words(sent.wants)} where there was "
                f"{_words(history.trees[sent.base])} and is {_words(history.trees[-1])}:\n"
                f"  it is told {told},\n  must be told {expected}"
            )
        shadowed = any(clash.reason != "changed" for clash in judged.clashes.values())
        answers["conflict of a file and a directory" if shadowed else expected[0]] += 1
        if expected[0] in ("landed", "merged"):
            history.append(judged.edits)
    _compare(project, history, start, where)


def _expected(judged: Judged, position: int, sent: Sent) -> tuple[str, object]:
    if judged.refused:
        return judged.refused, None
    if judged.clashes:
        return "conflict", judged.clashes
    merged = {path: file for path, file in judged.edits.items() if file != sent.wants[path]}
    return "merged" if merged else "landed", (position, _stored(merged))


def _told(outcome: Landed | MicError) -> tuple[str, object]:
    if isinstance(outcome, Conflicted):
        return "conflict", {
            clash.path: Clash(clash.reason, clash.theirs.path if clash.theirs else clash.path, clash.theirs_position)
            for clash in outcome.details["clashes"]
        }
    if isinstance(outcome, MicError):
        return outcome.code, None
    merged = {change.path: (change.mode, change.hash, change.size) for change in outcome.merged}
    return "merged" if merged else "landed", (outcome.position, merged)


def _compare(project: Project, history: History, start: int, where: str) -> None:
    """The records of a group and the tree behind it."""
    line, head = project.line, len(history.trees) - 1
    assert line.head is not None
    if line.head.position != head:
        raise Wrong(f"{where}: the head is {line.head.position}, must be {head}")
    for record in line.tail[-1].records if head >= start else ():
        changes = {change.path: _seen(change.entry) for change in record.changes}
        if changes != _stored(history.edits[record.position]):
            raise Wrong(f"{where}: landing {record.position} changed {changes}")
    found = project.files(line.head.tree) if line.head.tree != EMPTY_TREE else []
    if {entry.path: _seen(entry) for entry in found} != _stored(history.trees[-1]):
        raise Wrong(f"{where}: the tree at {head} has {sorted(entry.path for entry in found)}, not the model's files")


def _seen(entry: Entry | None) -> _Stored | None:
    return (entry.mode, entry.hash, entry.size) if entry is not None else None


def _stored(files: Wants) -> dict[bytes, _Stored | None]:
    return {path: (file[0], _hash(file[1]), len(file[1])) if file else None for path, file in files.items()}


def _hash(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


def _request(sent: Sent) -> LandRequest:
    changes, contents = [], {}
    for path, file in sent.wants.items():
        was: File | None = sent.claims[path]
        before = (_hash(was[1]), was[0]) if was is not None else (b"", 0)
        if file is None:
            changes.append(Change(path, int(Op.DELETED), 0, b"", 0, *before))
            continue
        op = Op.ADDED if was is None else Op.MODIFIED
        changes.append(Change(path, int(op), file[0], _hash(file[1]), len(file[1]), *before))
        contents[_hash(file[1])] = encode_blob(file[1])
    number = sent.number.to_bytes(16, "big")
    session = Session(number, "Goal", base_position=sent.base, author=Author("Ada"), changes=tuple(changes))
    return LandRequest(session, contents)


def _words(files: Mapping[bytes, File | None]) -> str:
    return ", ".join(
        f"{path.decode()}: {f'{file[0]:o} {file[1]!r}' if file is not None else 'nothing'}"
        for path, file in sorted(files.items())
    )
