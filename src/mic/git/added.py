"""Which lines of its files a commit added: those that differ from the version before, by the differences shown here."""

from __future__ import annotations

from mic.core.linediff import diff_lines, is_binary, split_lines
from mic.git.packentry import BLOB
from mic.git.packs import Packs
from mic.git.tree_entries import TreeEntry, parse_tree

# As far as files are read by lines elsewhere (mic.ledger.blame).
MAX_BYTES = 4 << 20
MAX_LINES = 200_000
_REGULAR, _TYPE = 0o100000, 0o170000
_TREES = 2_000

Range = tuple[int, int]


def added_lines(old: bytes, new: bytes) -> tuple[Range, ...]:
    """(first, last) from 1 of each run of lines of `new` that `old` lacks; none for what has no lines."""
    if old == new or is_binary(new) or is_binary(old):
        return ()
    lines = split_lines(new)
    if len(lines) > MAX_LINES:
        return ()
    before = split_lines(old)
    if not before:
        return ((1, len(lines)),) if lines else ()
    opcodes = diff_lines(before, lines)
    return tuple((first + 1, last) for tag, _, _, first, last in opcodes if tag != "equal" and last > first)


class Texts:
    """Files of trees by path, for one thread; the trees on the way are remembered."""

    def __init__(self, packs: Packs) -> None:
        self._packs = packs
        self._parsed: dict[bytes, dict[bytes, TreeEntry]] = {}

    def text(self, tree: bytes, path: bytes) -> bytes | None:
        """The content of a regular file, None for what is absent, no regular file, or too large to be read by lines."""
        *directories, name = path.split(b"/")
        for directory in directories:
            entry = self._entries(tree).get(directory)
            if entry is None or not entry.is_tree:
                return None
            tree = entry.oid
        entry = self._entries(tree).get(name)
        if entry is None or int(entry.digits, 8) & _TYPE != _REGULAR:
            return None
        found = self._packs.require(entry.oid)
        return self._packs.read(entry.oid, BLOB)[1] if found.size <= MAX_BYTES else None

    def _entries(self, tree: bytes) -> dict[bytes, TreeEntry]:
        known = self._parsed.get(tree)
        if known is None:
            if len(self._parsed) > _TREES:
                self._parsed.clear()
            entries = parse_tree(self._packs.tree(tree), tree)
            # Where a tree holds a name twice, the first counts, as for who imports it.
            known = self._parsed[tree] = {entry.name: entry for entry in reversed(entries)}
        return known
