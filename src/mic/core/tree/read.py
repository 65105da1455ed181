"""Reading a tree: look-up, range scan, directory listing, totals. Nothing reads it whole.

All are generators that yield hashes of nodes they need (see `edit`). Directories are not stored: they
are the prefixes of paths, and a listing seeks past each of them, so its cost is per child shown.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Generator, Sequence

from mic.core.tree.cursor import Cursor
from mic.core.tree.edit import Found, Need, NodeSource, load
from mic.core.tree.node import DIRECTORY, EMPTY_TREE, Entry, Inner, Leaf


def lookup(nodes: NodeSource, root: bytes, paths: Sequence[bytes]) -> Generator[Need, Found, dict[bytes, Entry]]:
    """The entries of those paths that exist. All nodes of a level are asked for at once."""
    if len(paths) == 1:
        entry = yield from _lookup_one(nodes, root, paths[0])
        return {} if entry is None else {entry.path: entry}
    found: dict[bytes, Entry] = {}
    todo: dict[bytes, list[bytes]] = {root: sorted(set(paths))} if root != EMPTY_TREE else {}
    while todo:
        at_hand = {node_hash: nodes.get(node_hash) for node_hash in todo}
        missing = tuple(node_hash for node_hash, node in at_hand.items() if node is None)
        if missing:
            at_hand.update((yield missing))
        below: dict[bytes, list[bytes]] = {}
        for node_hash, wanted in todo.items():
            node = at_hand[node_hash]
            assert node is not None
            at = 0
            if isinstance(node, Leaf):
                for path in wanted:
                    at = node.find(path, at)
                    if at < node.count and node.key(at) == path:
                        found[path] = node.entry(at)
                continue
            start = 0
            # What is beyond the last key is not there; the others go down in one stretch for each child.
            while start < len(wanted) and (at := node.find(wanted[start], at)) < node.count:
                stop = bisect_right(wanted, node.key(at), start)
                below[node.child(at)] = wanted[start:stop]
                start = stop
        todo = below
    return found


def _lookup_one(nodes: NodeSource, root: bytes, path: bytes) -> Generator[Need, Found, Entry | None]:
    node = yield from load(nodes, root)
    while isinstance(node, Inner):
        at = node.find(path)
        if at == node.count:
            return None
        child = node.child(at)
        node = nodes.get(child) or (yield (child,))[child]
    at = node.find(path)
    return node.entry(at) if at < node.count and node.key(at) == path else None


def scan(
    nodes: NodeSource, root: bytes, start: bytes = b"", end: bytes | None = None, limit: int = 1 << 62
) -> Generator[Need, Found, list[Entry]]:
    """Entries with start <= path < end, sorted, at most `limit`."""
    out: list[Entry] = []
    stack = [root]
    while stack and len(out) < limit:
        node = yield from load(nodes, stack.pop())
        first = node.find(start)
        last = node.count if end is None else node.find(end, first)
        if isinstance(node, Inner):
            # A child may reach past `end`; the one whose last key is the first >= end is still wanted.
            stack += reversed(node.children(first, last + 1))
        else:
            out += node.entries(first, min(last, first + limit - len(out)))
    return out


def after_prefix(prefix: bytes) -> bytes:
    """The smallest key beyond everything under directory `prefix` (given with its slash)."""
    assert prefix.endswith(b"/")
    return prefix[:-1] + b"0"  # "0" follows "/" in ASCII


def list_directory(
    nodes: NodeSource, root: bytes, directory: bytes = b"", after: bytes = b"", limit: int = 1000
) -> Generator[Need, Found, list[Entry]]:
    """The children of a directory (no slashes around its name), directories as kind DIRECTORY.

    `after` is the full path of the last child already seen. A directory's size is its files' bytes, its
    mode 0o040000, its hash empty.
    """
    prefix = directory + b"/" if directory else b""
    end = after_prefix(prefix) if prefix else None
    out: list[Entry] = []
    cursor = Cursor(nodes)
    yield from cursor.seek(root, after or prefix)
    if after and cursor.leaf is not None:
        # Behind a directory is behind everything in it; names such as `a-b` sort before `a/` and were seen.
        is_file = cursor.leaf.key(cursor.at) == after
        yield from cursor.skip_to(after + (b"\x00" if is_file else b"0"))
    while cursor.leaf is not None and len(out) < limit:
        key = cursor.leaf.key(cursor.at)
        if end is not None and key >= end:
            break
        slash = key.find(b"/", len(prefix))
        if slash < 0:
            out.append(cursor.leaf.entry(cursor.at))
            yield from cursor.step()
        else:
            size = yield from cursor.skip_to(key[:slash] + b"0")
            out.append(Entry(key[:slash], 0o040000, DIRECTORY, size, b""))
    return out


def totals(nodes: NodeSource, root: bytes, directory: bytes = b"") -> Generator[Need, Found, tuple[int, int]]:
    """Number of files and their bytes below a directory (whole tree for b""), from inner nodes' sums."""
    start = directory + b"/" if directory else b""
    end = after_prefix(start) if start else None
    files = size = 0
    # A node with whether the range may begin and end within it: below the one where they part, it is one of the two.
    stack = [(root, bool(start), end is not None)]
    while stack:
        node_hash, begins, ends = stack.pop()
        node = yield from load(nodes, node_hash)
        first = node.find(start) if begins else 0
        last = node.find(end, first) if ends and end is not None else node.count
        if isinstance(node, Leaf):
            files += last - first
            size += node.size_of(first, last)
            continue
        # Child i covers (key i-1, key i]: those between the first and the last lie wholly inside.
        if begins and first < node.count:
            stack.append((node.child(first), True, ends and first == last))
            first += 1
        if ends and first <= last < node.count:
            stack.append((node.child(last), False, True))
        if first < last:
            files += node.files_of(first, last)
            size += node.size_of(first, last)
    return files, size


def has_under(nodes: NodeSource, root: bytes, directory: bytes) -> Generator[Need, Found, list[bytes]]:
    """Up to 64 paths below a directory: what a file of that name would shadow."""
    prefix = directory + b"/"
    return [entry.path for entry in (yield from scan(nodes, root, prefix, after_prefix(prefix), 64))]
