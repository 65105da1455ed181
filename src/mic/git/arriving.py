"""Which refs an import gives a project: main is the default branch; what is in the way goes under refs/imported/."""

from __future__ import annotations

from typing import NamedTuple

from mic.git.sent import SentRefs

MAIN = b"refs/heads/main"
# Names that the forge gives refs of its own.
OURS = (b"refs/landings/", b"refs/sessions/", b"refs/for/")
_ASIDE = b"refs/imported/"
_USUAL = (MAIN, b"refs/heads/master")


class Arriving(NamedTuple):
    """What comes. `main` is the commit of the default branch, b"" for none; `aside` says old and new names."""

    main: bytes
    refs: dict[bytes, bytes]
    aside: dict[bytes, bytes]


def arrange(sent: SentRefs, here: dict[bytes, bytes]) -> Arriving:
    """The refs that a project is to have besides those that are `here` and have other names."""
    default = sent.head if sent.head in sent.refs else b""
    if not default and not sent.detached:
        default = next((name for name in _USUAL if name in sent.refs), b"")
    main = sent.refs.get(default, sent.detached)
    refs: dict[bytes, bytes] = {}
    aside: dict[bytes, bytes] = {}
    for name, oid in sorted(sent.refs.items()):
        if name == MAIN and oid == main:
            continue
        if name == MAIN or name.startswith(OURS) or _in_the_way(name, here):
            aside[name] = _free(name, sent.refs)
        refs[aside.get(name, name)] = oid
    return Arriving(main, refs, aside)


def put_aside(arriving: Arriving) -> Arriving:
    """The same where main cannot become what the repository has: its branch gets another name too."""
    name = _free(MAIN, arriving.refs)
    return Arriving(b"", {**arriving.refs, name: arriving.main}, {**arriving.aside, MAIN: name})


def _free(name: bytes, taken: dict[bytes, bytes]) -> bytes:
    found = _ASIDE + name.removeprefix(b"refs/")
    while found in taken:
        found = _ASIDE + found.removeprefix(b"refs/")
    return found


def _in_the_way(name: bytes, here: dict[bytes, bytes]) -> bool:
    """Whether a ref of the project would be above or below this one."""
    if name in here:
        return False
    parts = name.split(b"/")
    above = (b"/".join(parts[:count]) for count in range(3, len(parts)))
    return (
        any(other in here or other == MAIN for other in above)
        or MAIN.startswith(name + b"/")
        or any(other.startswith(name + b"/") for other in here)
    )
