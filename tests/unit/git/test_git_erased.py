"""Kept packs without what was erased: killed at any write they are made anew, by whoever asks next."""

from __future__ import annotations

import hashlib

import pytest

from ledgers import land, objects_of, store_of, traced
from mic.core.errors import Erased
from mic.core.ids import content_hash
from mic.core.tombstone import Reason, Tombstone
from mic.git.kept import KeptObjects
from mic.git.packentry import BLOB, COMMIT, TREE, object_id
from mic.git.refuse_erased import RefuseErased
from mic.git.rewrite import decode_rewritten, encode_rewritten, rewrite_commit, rewrite_tag, rewrite_tree
from mic.ledger.effects import Delete, Effect, Put, PutIf, PutNew
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore

TEXT = b"somebody's business\n" * 20
OID = object_id(BLOB, TEXT)
A, B, C = (bytes([digit]) * 20 for digit in (0xAA, 0xBB, 0xCC))


class _Killed(BaseException):
    pass


@pytest.fixture(scope="module")
def erased() -> dict[str, bytes]:
    """The objects of a project that was cloned, and then had one of its contents erased."""
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    land(project, 1, 0, {b"before": b"1\n"})
    land(project, 2, 1, {b"deep/letter": TEXT, b"other": b"stays\n"})
    land(project, 3, 2, {b"deep/letter": TEXT + b"and more\n"})
    kept = KeptObjects(project)
    kept.caught_up()
    project.erase(content_hash(TEXT), Reason.SECRET, "ada")
    return objects_of(store)


def _holders(store: MemoryStore) -> list[str]:
    return [key for key, raw in objects_of(store).items() if "/git/" in key and OID in raw]


def _check(store: MemoryStore) -> bytes:
    """Everything that the newest commit reaches can be read; its id."""
    kept = KeptObjects(Ledger(store).open("p"))
    snapshot = kept.caught_up()
    packs = kept.reader(snapshot)
    reached = snapshot.graph.reach([snapshot.view.tip], set())
    todo = [snapshot.graph.lines[oid].tree for oid in reached]
    words = 0
    while todo:
        oid = todo.pop()
        kind, raw = packs.read(oid)
        words += raw.startswith(b"This content was erased (a leaked secret) by ada")
        if kind == TREE:
            from mic.git.tree_entries import parse_tree

            todo += [entry.oid for entry in parse_tree(raw, oid)]
    assert words == 1
    assert len(reached) == 4
    assert not packs.has(OID)
    return snapshot.view.tip


def test_killed_at_any_write_it_is_made_anew(erased: dict[str, bytes]) -> None:
    tips, killed = set(), 0
    for at in range(60):
        store = store_of(erased)
        assert _holders(store) != []
        project, driver = traced(store)
        seen = 0

        def kill(effect: Effect, at: int = at) -> None:
            nonlocal seen
            if isinstance(effect, Put | PutNew | PutIf | Delete):
                seen += 1
                if seen == at + 1:
                    raise _Killed

        driver.before = kill
        try:
            KeptObjects(project).erase()
        except _Killed:
            killed += 1
        else:
            break
        KeptObjects(Ledger(store).open("p")).erase()
        assert _holders(store) == []
        tips.add(_check(store))
    assert killed > 5
    assert len(tips) == 1  # whoever does it makes the same commits


def test_made_anew_or_from_nothing_it_is_the_same(erased: dict[str, bytes]) -> None:
    """What is derived of the log behind an erasure has the ids of what was made anew."""
    store = store_of(erased)
    KeptObjects(Ledger(store).open("p")).erase()
    fresh = store_of({key: raw for key, raw in erased.items() if "/git/" not in key})
    assert _check(store) == _check(fresh)
    assert _holders(fresh) == []


def test_commits_trees_and_tags() -> None:
    """Links change; what was signed over the old ones goes; every other byte stays."""
    commit = (
        b"tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n"
        b"gpgsig -----BEGIN PGP SIGNATURE-----\n \n abc\n -----END PGP SIGNATURE-----\n"
        b"encoding latin-1\n\ngpgsig in words\n"
    ) % (A.hex().encode(), B.hex().encode())
    assert rewrite_commit(commit, C, [A]) == (
        b"tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\nencoding latin-1\n\ngpgsig in words\n"
    ) % (C.hex().encode(), A.hex().encode())
    assert object_id(COMMIT, rewrite_commit(commit, A, [B])) != object_id(COMMIT, commit)
    bare = b"tree %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\n" % A.hex().encode()
    assert rewrite_commit(bare, A, []) == bare
    tag = b"object %s\ntype commit\ntag v1\n\nwords\n-----BEGIN PGP SIGNATURE-----\nabc\n" % A.hex().encode()
    assert rewrite_tag(tag, B) == b"object %s\ntype commit\ntag v1\n\nwords\n" % B.hex().encode()
    tree = b"100755 a\x00" + A + b"120000 link\x00" + A + b"40000 z\x00" + B
    assert rewrite_tree(tree, C, {A: C}) == b"100755 a\x00" + C + b"100644 link\x00" + C + b"40000 z\x00" + B


def test_the_list_of_ids() -> None:
    assert decode_rewritten(encode_rewritten({A: B, B: C}), "k").ids == {A: B, B: C}


def test_a_push_that_brings_it_back() -> None:
    stone = Tombstone(hashlib.sha256(TEXT).digest(), len(TEXT), Reason.SECRET, 1, "ada")
    check = RefuseErased({stone.content: stone})
    check.add(BLOB, TEXT[:-1] + b"?")
    check.add(COMMIT, TEXT)
    with pytest.raises(Erased):
        check.add(BLOB, TEXT)
