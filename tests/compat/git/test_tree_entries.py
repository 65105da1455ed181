"""The one reader of Git trees beside C git and dulwich, over trees that are right, nearly right, and hostile."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from dulwich.objects import parse_tree as parsed_by_dulwich

from compat.git.builder import Repository, canonical_mode
from fuzz.git_trees import draw_tree, judged_by_git
from mic.core.errors import Corrupt
from mic.git.fsck import check_tree
from mic.git.tree_entries import TreeEntry, parse_tree, readable_entries, split_tree

OID = bytes(20)
_ENTRY = b"100644 a\0" + b"x" * 20
_WIDE = 0xFFFF


def errors_alike(ids: set[str], entries: list[tuple[bytes, bytes, bytes]]) -> set[str]:
    """Without what git leaves out: behind a bad entry, names that return unsorted, places of slashes, wide modes."""
    if "badTree" in ids:
        return {"badTree"}
    unsure = {"duplicateEntries"} if "treeNotSorted" in ids else set()
    if "fullPathname" in ids:
        unsure |= {"treeNotSorted", "duplicateEntries"}
    if any(int(digits, 8) > _WIDE for digits, _, _ in entries):
        unsure.add("badFilemode")
    return ids - unsure


def test_a_thousand_trees_as_gits_fsck_sees_them(tmp_path: Path) -> None:
    """Every message id of every tree is git's, as far as git looks; what it cannot parse is refused here, too.

    Nothing else is, but modes that are wider than 16 bits.
    """
    rng = random.Random(6)
    raws = {draw_tree(rng) for _ in range(1_000)}
    told = judged_by_git(tmp_path / "r.git", raws)
    assert sum("badTree" in ids for ids in told.values()) > 100
    assert sum(not ids for ids in told.values()) > 100
    for raw, ids in told.items():
        entries, readable = readable_entries(raw)
        ours = {found.msg_id for found in check_tree(raw).findings}
        assert errors_alike(ours, entries) == errors_alike(ids, entries), raw
        assert readable == ("badTree" not in ids), raw
        if not readable or any(int(digits, 8) > _WIDE for digits, _, _ in entries):
            with pytest.raises(Corrupt):
                parse_tree(raw, OID)
            continue
        assert parse_tree(raw, OID) == entries
        assert [(name, int(digits, 8), oid.hex().encode()) for digits, name, oid in entries] == list(
            parsed_by_dulwich(raw, 20)
        )
        assert split_tree(raw, OID)[1] == [name for _, name, _ in entries]


def test_entries_as_git_lists_them(tmp_path: Path) -> None:
    """`git ls-tree` and `git mktree` have the same entries in the same order."""
    rng = random.Random(7)
    repo = Repository(tmp_path / "r.git")
    compared = 0
    while compared < 40:
        raw = draw_tree(rng)
        try:
            entries = parse_tree(raw, OID)
        except Corrupt:
            continue
        if not entries or any(int(entry.digits, 8) & 0o170000 == 0 for entry in entries):
            continue
        compared += 1
        listed = repo.git("ls-tree", "-z", repo.object("tree", raw))
        expected = [
            (b"%06o" % canonical_mode(int(entry.digits, 8)), entry.oid.hex().encode(), entry.name) for entry in entries
        ]
        assert [
            (line.split(b" ")[0], line.partition(b"\t")[0].split(b" ")[2], line.partition(b"\t")[2])
            for line in listed.split(b"\0")[:-1]
        ] == expected
    plain = parse_tree(
        repo.git("cat-file", "tree", repo.tree(("40000", b"d", "ab" * 20), ("100644", b"f", "cd" * 20))), OID
    )
    made = repo.git("mktree", "--missing", data=b"100644 blob %b\tf\n040000 tree %b\td\n" % (b"cd" * 20, b"ab" * 20))
    assert parse_tree(repo.git("cat-file", "tree", made.decode().strip()), OID) == plain
    assert plain == [
        TreeEntry(b"40000", b"d", bytes.fromhex("ab" * 20)),
        TreeEntry(b"100644", b"f", bytes.fromhex("cd" * 20)),
    ]


@pytest.mark.parametrize(
    ("raw", "at"),
    [
        (b"x", 0),
        (_ENTRY + b"x", 29),
        (_ENTRY + _ENTRY + b"100644 b\0" + b"x" * 19, 58),
        (_ENTRY + b"100644 \0" + b"x" * 20, 29),
        (_ENTRY + b" b\0" + b"x" * 20, 29),
        (_ENTRY + b"10064a b\0" + b"x" * 20, 29),
    ],
)
def test_what_is_no_tree_is_told_with_its_place(raw: bytes, at: int) -> None:
    """The tree, and the byte from which it cannot be read."""
    for parse in (parse_tree, split_tree):
        with pytest.raises(Corrupt, match=rf"{OID.hex()} is malformed at byte {at}\."):
            parse(raw, OID)


def test_a_mode_is_of_sixteen_bits() -> None:
    """Zeros before it do not count; what is wider is named, whatever its length."""
    assert parse_tree(b"0" * 5_000 + b"177777 a\0" + b"x" * 20, OID)[0].name == b"a"
    for digits in (b"200000", b"1100644", b"7" * 1_000_000):
        with pytest.raises(Corrupt, match=digits[:6].decode()):
            parse_tree(digits + b" a\0" + b"x" * 20, OID)


@pytest.mark.parametrize("text", [b"1", b"1 ", b"1 a", b"1 \0", b"\0", b"7 a\0" + b"7" * 19, b"0"])
def test_ten_megabytes_that_are_no_tree(text: bytes) -> None:
    """Each byte is looked at a few times: by the square of the length, this test would not end."""
    raw = text * (10_000_000 // len(text))
    for parse in (parse_tree, split_tree):
        with pytest.raises(Corrupt):
            parse(raw, OID)
    assert "badTree" in [found.msg_id for found in check_tree(raw).findings]
