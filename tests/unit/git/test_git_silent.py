"""Commits of sessions whose words were erased, or that name somebody who asked to go: made anew, by all alike."""

from __future__ import annotations

import hashlib

import pytest

from ledgers import NOON, REGULAR, land, objects_of, request, store_of, traced
from mic.core.blob import encode_blob
from mic.core.errors import Erased
from mic.core.ids import content_hash
from mic.core.redaction import Parts, Redaction
from mic.core.session import Author
from mic.core.stand_in import Person, commit_without, without_person, without_words
from mic.core.tombstone import Reason
from mic.git.kept import KeptObjects
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.refuse_erased import RefuseErased
from mic.ledger.history import HistoryCommit
from mic.ledger.ledger import Ledger
from mic.ledger.project import Project
from mic.store import MemoryStore

TEXT = "Erased: the words of a session (a leaked secret), by ada on 2026-11-01 00:00 UTC."
GRACE = Person(frozenset(), frozenset(("Grace",)), frozenset(("grace@example.org",)))


def _asked(parts: Parts = Parts.WORDS, reason: Reason = Reason.SECRET) -> Redaction:
    return Redaction(hashlib.sha256(bytes((parts,))).digest(), reason, parts, NOON, "ada")


def _messages(kept: KeptObjects) -> list[bytes]:
    """The bytes of the commits of main, the newest first; each is read by its id."""
    snapshot = kept.caught_up()
    assert not snapshot.view.trouble
    packs, oid, found = kept.reader(snapshot), snapshot.view.tip, []
    while oid:
        raw = packs.read(oid, COMMIT)[1]
        assert object_id(COMMIT, raw) == oid
        found.append(raw)
        oid = b"".join(snapshot.graph.lines[oid].parents[:1])
    return found


def _in_git(store: MemoryStore, word: bytes) -> bool:
    kept = KeptObjects(Ledger(store).open("p"))
    snapshot = kept.snapshot()
    packs = kept.reader(snapshot)
    return any(
        word in packs.read(item.oid)[1] for pack in packs.packs for item in pack.index.objects() if item.kind == COMMIT
    )


def test_a_landings_commit_says_that_its_words_were_erased() -> None:
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"1\n"})
    project.land(request(project, 2, 1, {b"b": b"2\n"}, goal="hunter2"))
    land(project, 3, 2, {b"c": b"3\n"})
    kept = KeptObjects(project)
    old = kept.caught_up().view.tip
    before = _messages(kept)
    project.redact(_asked(), [(2).to_bytes(16, "big")], without_words)
    kept.erase()
    assert not _in_git(store, b"hunter2")
    after = _messages(kept)
    assert after[3] == before[2]
    assert after[2] == before[1].replace(b"hunter2", TEXT.encode())
    assert after[1].partition(b"author")[2] == before[0].partition(b"author")[2]
    assert after[0].partition(b"\n\n")[2].startswith(TEXT.encode())
    # Derived from nothing by another front end it is the same.
    bare = store_of({key: raw for key, raw in objects_of(store).items() if "/git/" not in key})
    assert _messages(KeptObjects(Ledger(bare).open("p"))) == after
    gone = kept.rewritten(kept.caught_up().view)
    assert {old, object_id(COMMIT, before[1])} <= set(gone)
    check = RefuseErased({}, gone)
    check.add(COMMIT, b"", old)
    with pytest.raises(Erased, match="history that something was erased from"):
        check.finish()
    RefuseErased({}, gone).finish()
    assert kept.commit_at(kept.caught_up(), 2) == object_id(COMMIT, after[2])


def _imported(store: MemoryStore) -> tuple[Project, list[bytes]]:
    """Three commits from Git; the second is Grace's and signed, the third thanks her."""
    project, _ = traced(store)
    project.create()
    history, parent, raws = project.import_history("test", bytes(16)), b"", []
    lines = (
        (b"Ada <ada@example.org>", b"", b"first\n"),
        (b"Grace H <Grace@example.org>", b"gpgsig -----BEGIN\n x\n -----END\n", b"hunter2\n"),
        (b"Ada <ada@example.org>", b"", b"third\n\nCo-authored-by: Grace H <grace@example.org>\n"),
    )
    for number, (who, signed, message) in enumerate(lines):
        data = b"%d\n" % number
        tree = b"100644 f\0" + object_id(BLOB, data)
        raw = b"tree %s\n" % object_id(TREE, tree).hex().encode()
        raw += b"parent %s\n" % parent.hex().encode() if parent else b""
        raw += b"author %b %d +0200\ncommitter Ada <ada@example.org> %d +0000\n" % (who, number, number)
        raw += signed + b"\n" + message
        parent = object_id(COMMIT, raw)
        raws.append(raw)
        history.add_content(content_hash(data), len(data), encode_blob(data))
        name, _, email = who.decode().rstrip(">").partition(" <")
        change = (b"f", int(number > 0), REGULAR, content_hash(data), len(data))
        project.run(
            history.add_commit(
                HistoryCommit(parent, raw, Author(name, email), number * 1000, message.decode(), [change])
            )
        )
    project.finish_import(history)
    return project, raws


def test_an_imported_commit_is_made_anew_without_its_words_and_its_signature() -> None:
    store = MemoryStore()
    project, raws = _imported(store)
    kept = KeptObjects(project)
    kept.caught_up()
    project.redact(_asked(), [project.records(2, 2)[0].session], without_words)
    kept.erase()
    assert not _in_git(store, b"hunter2")
    after = _messages(kept)[::-1]
    assert after[0] == raws[0]
    assert after[1] == raws[1].replace(b"gpgsig -----BEGIN\n x\n -----END\n", b"").replace(b"hunter2", TEXT.encode())
    second = object_id(COMMIT, after[1]).hex().encode()
    assert after[2] == raws[2].replace(object_id(COMMIT, raws[1]).hex().encode(), second)
    bare = store_of({key: raw for key, raw in objects_of(store).items() if "/git/" not in key})
    assert _messages(KeptObjects(Ledger(bare).open("p")))[::-1] == after


def test_a_person_is_named_by_no_commit() -> None:
    store = MemoryStore()
    project, raws = _imported(store)
    kept = KeptObjects(project)
    kept.caught_up()
    assert kept.naming(GRACE) == {object_id(COMMIT, raws[1]), object_id(COMMIT, raws[2])}
    project.redact(
        _asked(Parts.PERSON, Reason.PERSON), [each.session for each in project.records(1, 3)], without_person(GRACE)
    )
    kept.erase(GRACE)
    after = _messages(kept)[::-1]
    assert not _in_git(store, b"Grace")
    assert b"author Erased person <erased@micelio.invalid> 1 +0200\n" in after[1]
    assert after[2].endswith(b"third\n\nCo-authored-by: Erased person <erased@micelio.invalid>\n")
    assert kept.naming(GRACE) == set()
    bare = store_of({key: raw for key, raw in objects_of(store).items() if "/git/" not in key})
    assert _messages(KeptObjects(Ledger(bare).open("p")))[::-1] == after


@pytest.mark.parametrize(
    ("said", "left"),
    [
        (b"author A B <GRACE@example.org> 1 +0000", b"author Erased person <erased@micelio.invalid> 1 +0000"),
        (b"thanks, Grace <grace@example.org>!", b"thanks, Erased person <erased@micelio.invalid>!"),
        (b"thanks, someone <grace@example.org>!", b"thanks, someone <erased@micelio.invalid>!"),
        (b"not.grace@example.org, grace@example.organ", b"not.grace@example.org, grace@example.organ"),
        (b"Signed-off-by: G <grace@example.org>", b"Signed-off-by: Erased person <erased@micelio.invalid>"),
    ],
)  # fmt: skip
def test_where_a_person_stands_in_a_commit(said: bytes, left: bytes) -> None:
    assert commit_without(said + b"\n\nx\n", GRACE) == left + b"\n\nx\n"
