"""Sessions drawn at random over few paths and few lines, so that they meet: in one text, one directory, one name."""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from conflicts.model import EXECUTABLE, GITLINK, GROUP_WRITABLE, LINK, REGULAR, File, History, Wants

# Names that collide as file and directory, neighbours around the slash, names with a common beginning.
PATHS = (b"a", b"a/b", b"a/b/c", b"a/d", b"a-b", b"a0", b"e", b"f/g", b"f/h", b"f", b"i/j/k", b"i/j/l", b"m", b"n")
MODES = (REGULAR,) * 12 + (EXECUTABLE,) * 4 + (GROUP_WRITABLE, LINK, LINK, GITLINK)
SPACING = 50  # between the numbers of a fresh text's lines: so many can come between two of them
WORDS = (b"x", b"y", b"z")


class Sent(NamedTuple):
    """A session as it is sent: base, wishes, and what it says that the base held."""

    number: int
    base: int
    wants: Wants
    claims: Wants


def draw(rnd: Random, history: History, number: int, paths: tuple[bytes, ...]) -> Sent:
    """Session `number`, on a base that is new more often than old."""
    head = len(history.trees) - 1
    base = max(0, head - int(rnd.expovariate(0.25))) if rnd.random() < 0.8 else rnd.randint(0, head)
    old = history.trees[base]
    wants: dict[bytes, File | None] = {}
    for path in rnd.sample(paths, min(len(paths), rnd.choice((1, 1, 1, 2, 2, 3, 6)))):
        wants[path] = _wish(rnd, history, path, old.get(path))
        if old.get(path) is None and wants[path] is None:
            del wants[path]  # there is nothing to delete
    if rnd.random() < 0.3:
        _make_room(rnd, wants, old)
    claims = {path: old.get(path) for path in wants}
    if wants and rnd.random() < 0.01:
        path = rnd.choice(sorted(wants))
        claims[path] = None if claims[path] is not None and wants[path] is not None else (REGULAR, b"never\n")
    return Sent(number, base, wants, claims)


def _make_room(rnd: Random, wants: dict[bytes, File | None], old: Wants) -> None:
    """Delete what lies where new files go, as a file system would have made the author do."""
    for path in [path for path, file in wants.items() if file is not None]:
        for other in old:
            if (other.startswith(path + b"/") or path.startswith(other + b"/")) and rnd.random() < 0.9:
                wants[other] = None


def _wish(rnd: Random, history: History, path: bytes, old: File | None) -> File | None:
    kind = rnd.random()
    if kind < 0.12:
        return None
    if kind < 0.24:  # the same as somebody has, or had, or as it is
        known = rnd.choice((history.trees[-1], history.trees[-1], rnd.choice(history.trees[-6:]))).get(path)
        return known if known is not None else old
    mode = old[0] if old is not None else REGULAR
    if kind < 0.36 or old is None:
        mode = rnd.choice(MODES)
    if old is not None and 0.30 < kind < 0.36:
        return mode, old[1]
    if mode >> 12 != REGULAR >> 12:
        return mode, b"target %d" % rnd.randrange(3)
    if kind > 0.96:
        return mode, rnd.choice((b"", b"\x00\x01", b"\x00" + rnd.choice(WORDS)))
    return mode, _text(rnd, old[1] if old is not None and old[1][:1].isdigit() else b"")


def _text(rnd: Random, old: bytes) -> bytes:
    """A text with lines that were changed, dropped and added; the last one may lack its end."""
    lines = {int(line[:4]): line[5:].rstrip(b"\n") for line in old.splitlines()}
    if not lines:
        lines = {number * SPACING: b"x" for number in range(1, 8)}
    for _ in range(rnd.choice((1, 1, 1, 2, 3))):
        number = rnd.choice(sorted(lines)) if lines else 0
        kind = rnd.random()
        if kind < 0.6:
            lines[number] = rnd.choice(WORDS)
        elif kind < 0.8 and lines:
            del lines[number]
        else:
            lines[max(1, number + rnd.choice((-2, -1, 1, 2)))] = rnd.choice(WORDS)
    text = b"".join(b"%04d %s\n" % (number, lines[number]) for number in sorted(lines))
    return text[:-1] if rnd.random() < 0.04 else text
