"""Which refs an import gives a project: main is the default branch; what is in the way goes under refs/imported/."""

from __future__ import annotations

from typing import NamedTuple

from mic.git.graph import Graph
from mic.git.sent import SentRefs
from mic.git.view import BROUGHT, NOTES

MAIN = b"refs/heads/main"
# Names that the forge gives refs of its own, besides that of its notes.
_OURS = (b"refs/landings/", b"refs/sessions/", b"refs/for/")
_ASIDE = b"refs/imported/"
_USUAL = (MAIN, b"refs/heads/master")


def is_ours(name: bytes) -> bool:
    """Whether a ref of this name is the forge's own, which nobody moves but it."""
    return name == NOTES or name.startswith((*_OURS, NOTES + b"/"))


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
        if name == NOTES:
            aside[name] = BROUGHT  # also of a project that was exported, whose notes hold those that were brought to it
        elif name == MAIN or is_ours(name) or _in_the_way(name, here) or (name == BROUGHT and NOTES in sent.refs):
            aside[name] = _free(name, sent.refs)
        refs[aside.get(name, name)] = oid
    return Arriving(main, refs, aside)


def put_aside(arriving: Arriving) -> Arriving:
    """The same where main cannot become what the repository has: its branch gets another name too."""
    name = _free(MAIN, arriving.refs)
    return Arriving(b"", {**arriving.refs, name: arriving.main}, {**arriving.aside, MAIN: name})


class Settled(NamedTuple):
    """What a project's refs become, and which are kept under other names; `left` when one was deleted here since."""

    refs: dict[bytes, bytes]
    aside: dict[bytes, bytes]
    left: bool


def settle(arriving: Arriving, here: dict[bytes, bytes], last: dict[bytes, bytes], graph: Graph) -> Settled:
    """Join what comes with the refs that are `here`, each judged by what the import before, `last`, gave the project.

    What nobody moved here becomes what the repository has; what nobody moved there stays. Where both did, or nothing
    is known of what was before, a branch that goes on from the other counts; else the repository's is kept aside.
    """
    refs, aside, left = dict(here), dict(arriving.aside), False
    names = {new: old for old, new in arriving.aside.items()}
    for name, oid in arriving.refs.items():
        now, before = refs.get(name), last.get(name)
        if oid in (now, before):
            left = left or now is None
        elif now in (None, before) or _goes_on(name, now, oid, graph):
            refs[name] = oid
        elif not _goes_on(name, oid, now, graph):
            free = name
            while _in_the_way(free, refs) or refs.get(free, oid) not in (oid, last.get(free)):
                free = _beside(free)
            refs[free] = oid
            aside[names.get(name, name)] = free
    return Settled(refs, aside, left)


def _goes_on(name: bytes, old: bytes | None, new: bytes | None, graph: Graph) -> bool:
    """Whether a branch that was `old` may become `new`, and loses nothing by it."""
    branch = name.startswith((b"refs/heads/", b"refs/imported/heads/")) or name == BROUGHT
    return bool(branch and old and new and old in graph and new in graph and graph.is_ancestor(old, new))


def _free(name: bytes, taken: dict[bytes, bytes]) -> bytes:
    found = _beside(name)
    while found in taken:
        found = _beside(found)
    return found


def _beside(name: bytes) -> bytes:
    return _ASIDE + name.removeprefix(b"refs/")


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
