"""Refs: one reader for every word that names a moment of history (ADR 71).

    @12  landing:12  12      a landing by its position; the bare number only where nothing but a ref can stand
    @latest  HEAD            the newest landing; the one that this working copy stands on
    ses_01J8...  01J8...     the landing of a session, by its id or a beginning of it
    branch:NAME origin/NAME  where a branch stands
    REF^  REF^^  REF~3       one, two, three landings before

`may_be_ref` is for words that could be paths, `read_ref` for those that could not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from mic.cli.terminal.exit_codes import WrongCommandLine

ACCEPTED = (
    "Use @12, landing:12, @latest, HEAD, branch:NAME, a session id like ses_01J8..., "
    "or one of these with ^ or ~3 behind it."
)
# The time of a session to the quarter of an hour; fewer would be a word.
SHORTEST_ID = 6
# Crockford's digits; a ULID has 128 bits, so the first of its 26 is at most 7.
_ID = f"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{{{SHORTEST_ID - 1},25}}"
_FORM = re.compile(
    r"(?:@(?P<at>[0-9]+)|landing:(?P<landing>[0-9]+)|(?P<number>[0-9]{1,19})|(?P<latest>@latest)|(?P<head>HEAD)"
    rf"|ses_(?P<id>{_ID})|(?:branch:|origin/)(?P<branch>[^\s^~:]+?)|(?P<bare>{_ID}))(?P<back>(?:\^|~[0-9]{{1,30}})*)"
)
_NAME = re.compile(r"(?P<name>\w[\w./+=-]*?)(?:\^|~[0-9]{1,30})*")
_MOST = 1 << 63
_WHOLE_ID = 26


class Ref(NamedTuple):
    """A ref as it was read. Of `position`, `session`, `latest`, `head` and `branch` one says where it begins, `back`
    how many landings before that it is. `session` is an id or a beginning of one, in capitals."""

    text: str
    position: int | None
    session: str
    latest: bool
    head: bool
    back: int
    branch: str = ""


def parse_ref(text: str) -> Ref | None:
    """A ref where nothing else can stand, None for what is none; raises WrongCommandLine for a number beyond all."""
    form = _FORM.fullmatch(text)
    if form is None:
        return None
    steps = re.findall(r"\^|~[0-9]+", form["back"])
    back = sum(1 if step == "^" else int(step[1:]) for step in steps)
    digits = form["at"] or form["landing"] or form["number"]
    if back >= _MOST or (digits and int(digits) >= _MOST):
        raise _none(text)
    session = (form["id"] or form["bare"] or "").upper()
    at, branch = int(digits) if digits else None, form["branch"] or ""
    return Ref(text, at, session, bool(form["latest"]), bool(form["head"]), back, branch)


def may_be_ref(text: str) -> Ref | None:
    """A ref where a path can stand too: only what is hardly a path. A bare number is one, and a part of an id."""
    form = _FORM.fullmatch(text)
    if form is None or (form["number"] and not form["back"]):
        return None
    if form["bare"] and len(form["bare"]) < _WHOLE_ID:
        return None
    return parse_ref(text)


def read_ref(text: str) -> Ref:
    """A ref where nothing else can stand; raises WrongCommandLine that says what is one."""
    found = parse_ref(text)
    if found is None:
        raise _none(text)
    return found


def _none(text: str) -> WrongCommandLine:
    return WrongCommandLine(f"{text[:100]!r} names no landing.", hint=ACCEPTED)


def named_branch(text: str) -> Ref | None:
    """The bare name of a branch as a ref, for the sides of a range; None for what no branch is called."""
    form = _NAME.fullmatch(text)
    if form is None or form["name"].endswith("/") or "//" in form["name"]:
        return None
    found = parse_ref(f"branch:{text}")
    return found._replace(text=text) if found is not None else None


def may_be_range(text: str, *, branches: bool = False) -> tuple[Ref | None, Ref | None] | None:
    """`A..B`, `A..` or `..B`, None on the side that is left out; None for a word that is no range.

    A bare number can stand here: there are few files of such a name. With `branches`, also the bare name of a branch.
    """
    left, dots, right = text.partition("..")
    if not dots or not (left or right):
        return None
    sides = [parse_ref(side) if side else None for side in (left, right)]
    if branches:
        sides = [
            found or (named_branch(side) if side else None) for side, found in zip((left, right), sides, strict=True)
        ]
    if any(side and found is None for side, found in zip((left, right), sides, strict=True)):
        return None
    return sides[0], sides[1]
