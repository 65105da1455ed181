"""One named form of a Git repository: how it is made, what git's fsck says of it, and why a push of it is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from compat.git.builder import Repository

Build = Callable[[Repository], object]


class Form(NamedTuple):
    """`fsck` are the message ids of git's fsck, by hand; `refused` is one of them, "" for what may be pushed.

    `head` is what HEAD is to be: a ref, or "" where it names a commit. `from_git` is the first version of git whose
    fsck knows the message.
    """

    name: str
    build: Build
    fsck: frozenset[str]
    refused: str
    from_git: tuple[int, int]


FORMS: dict[str, Form] = {}


def form(fsck: str = "", refused: str = "", from_git: tuple[int, int] = (2, 39)) -> Callable[[Build], Build]:
    """Adds a function as a form: its name is the function's."""

    def add(build: Build) -> Build:
        name = build.__name__.strip("_").replace("_", "-")
        assert name not in FORMS, name
        FORMS[name] = Form(name, build, frozenset(fsck.split()), refused, from_git)
        return build

    return add
