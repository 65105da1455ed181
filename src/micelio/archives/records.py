"""The neutral form: one record a line, as JSON. What each field means stands in docs/formats.md, "Archive".

Times are Unix milliseconds, 0 when unknown. `id` is what the other forge calls a thing, as text; `number` is what
people there call it. A record with the same kind and id as an earlier one replaces it.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from mic.core.errors import Corrupt

VERSION = 1
# Of one line, encoded. Forges end their texts at 64 KiB (GitHub) or 1 MiB (GitLab).
MAX_LINE = 4 << 20
# Of one text; what is longer is cut, and says so.
MAX_TEXT = 1 << 20
# Of one list inside a record: labels, assignees, links.
MAX_ITEMS = 500


class Author(msgspec.Struct, frozen=True, omit_defaults=True):
    """Whoever wrote something, as the other forge knows them. Nobody here is meant by it."""

    id: str = ""
    name: str = ""
    display: str = ""


NOBODY = Author()


class Record(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", kw_only=True):
    """What all of them have. `redacted` counts the secrets that were taken out of its texts."""

    id: str
    url: str = ""
    redacted: int = 0
    cut: bool = False


class Label(Record, frozen=True, tag="label", kw_only=True):
    name: str = ""
    color: str = ""
    body: str = ""


class Milestone(Record, frozen=True, tag="milestone", kw_only=True):
    number: int = 0
    title: str = ""
    body: str = ""
    state: str = ""
    due_at: int = 0
    created_at: int = 0
    closed_at: int = 0


class Talk(Record, frozen=True, kw_only=True):
    """What somebody wrote at some time. `links` are the files that it hangs on to; they are not fetched."""

    author: Author = NOBODY
    body: str = ""
    created_at: int = 0
    updated_at: int = 0
    links: tuple[str, ...] = ()


class Issue(Talk, frozen=True, tag="issue", kw_only=True):
    """`state` is open or closed; `milestone` the id of one."""

    number: int = 0
    title: str = ""
    state: str = ""
    reason: str = ""
    labels: tuple[str, ...] = ()
    milestone: str = ""
    assignees: tuple[Author, ...] = ()
    closed_at: int = 0
    locked: bool = False


class Side(msgspec.Struct, frozen=True, omit_defaults=True):
    """One end of a change: the repository as owner/name, the branch and its commit."""

    repository: str = ""
    branch: str = ""
    commit: str = ""


class Change(Talk, frozen=True, tag="change", kw_only=True):
    """A pull or merge request. `state` is open, closed or merged."""

    number: int = 0
    title: str = ""
    state: str = ""
    draft: bool = False
    labels: tuple[str, ...] = ()
    milestone: str = ""
    assignees: tuple[Author, ...] = ()
    reviewers: tuple[Author, ...] = ()
    base: Side = Side()
    head: Side = Side()
    merged_at: int = 0
    merged_by: Author = NOBODY
    merge_commit: str = ""
    closed_at: int = 0
    locked: bool = False


class Comment(Talk, frozen=True, tag="comment", kw_only=True):
    """In the conversation of an issue or a change, whose kind is `on` and whose number is `number`."""

    on: str = ""
    number: int = 0


class Review(Talk, frozen=True, tag="review", kw_only=True):
    """A verdict on the change `number`: approved, changes_requested, commented, dismissed or pending."""

    number: int = 0
    state: str = ""
    commit: str = ""


class ReviewComment(Talk, frozen=True, tag="review_comment", kw_only=True):
    """About lines of the change `number`: `side` is new or old, `line` the last of them, 0 for a whole file.

    `commit` has the lines as they are shown now, the `original` two as they were when it was written. `thread` names
    the first comment of a thread, and is empty for that one.
    """

    number: int = 0
    review: str = ""
    thread: str = ""
    path: str = ""
    side: str = ""
    line: int = 0
    start_line: int = 0
    commit: str = ""
    original_line: int = 0
    original_commit: str = ""
    hunk: str = ""
    resolved: bool = False


class Warned(Record, frozen=True, tag="warning", kw_only=True):
    """Something that could not be fetched, in a sentence."""

    body: str = ""


Any = Label | Milestone | Issue | Change | Comment | Review | ReviewComment | Warned
KINDS = ("label", "milestone", "issue", "change", "comment", "review", "review_comment", "warning")


class Header(msgspec.Struct, frozen=True, tag_field="kind", tag="archive"):
    """The first line of an archive: which form it has, and what it was fetched from, when (Unix ms)."""

    version: int
    provider: str
    source: str
    fetched_at: int


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(Any).decode
_decode_header = msgspec.json.Decoder(Header).decode


def kind_of(record: Any) -> str:
    """Its name in the form, one of KINDS."""
    return str(type(record).__struct_config__.tag)


def line(record: Any | Header) -> bytes:
    """A record as it is kept, with its line end."""
    return _encode(record) + b"\n"


def header(data: bytes) -> Header:
    """The first line. Raises Corrupt for what is none, or is of a later version."""
    try:
        found = _decode_header(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Corrupt(f"an archive begins with a line that is no header: {error}") from error
    if found.version != VERSION:
        raise Corrupt(f"an archive has version {found.version}, and this reads {VERSION}")
    return found


def records(data: bytes, name: str) -> Iterator[Any]:
    """The records of lines without a header. Raises Corrupt naming `name` and the line."""
    for number, text in enumerate(data.splitlines(), 1):
        if len(text) > MAX_LINE:
            raise Corrupt(f"{name}: line {number} has {len(text)} bytes, at most {MAX_LINE}")
        try:
            yield _decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Corrupt(f"{name}: line {number} is no record: {error}") from error
