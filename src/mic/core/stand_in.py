"""The session that stands in the place of another: the same changes, without its words or without a person's name.

Pure functions of a session. What they leave is what the log needs and what says nothing: ids, clocks, the changes,
which lines an agent and which a person wrote. Of an imported commit the bytes are made anew, without what was signed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from msgspec.structs import replace

from mic.core.attribution import LINES, Attribution, Writer, parse, stored
from mic.core.errors import InvalidInput
from mic.core.redaction import Parts, Redaction
from mic.core.session import Author, Message, Session

# In the place of a person: a domain that is nobody's (RFC 2606).
NAME, EMAIL = "Erased person", "erased@micelio.invalid"
# In the metadata of a session that stands in for another.
MARK = "redacted"
SIGNED = re.compile(rb"^(?:gpgsig|gpgsig-sha256|mergetag) [^\n]*\n(?: [^\n]*\n)*", re.M)
# What landing adds to a session and says nothing of what anybody said.
_PLAIN = frozenset(("git", "merged", "already_so", "scanned", "erased", "brought", MARK))

Edit = Callable[[Session, Redaction], Session]


class Person(NamedTuple):
    """What somebody is known by: accounts (16 bytes each), names as they stand, addresses in lower case."""

    accounts: frozenset[bytes]
    names: frozenset[str]
    emails: frozenset[str]


def unsigned(raw: bytes) -> bytes:
    """A Git commit without its signatures, and without the tags that it merged."""
    head, blank, message = raw.partition(b"\n\n")
    return SIGNED.sub(b"", head + b"\n").removesuffix(b"\n") + blank + message


def without_words(session: Session, redaction: Redaction) -> Session:
    """The session without its goal, conversation, decisions and whatever else was said in it."""
    return replace(
        session,
        goal=redaction.text,
        conversation=(),
        transcript="",
        messages=0,
        usage=(),
        decisions=(),
        claims=(),
        attribution=_lines(session, lambda writer: Writer(writer.kind)),
        build_context={},
        attestations=(),
        metadata=_marked(
            {name: value for name, value in session.metadata.items() if name in _PLAIN},
            redaction,
            lambda raw: unsigned(raw).partition(b"\n\n")[0] + b"\n\n" + redaction.text.encode() + b"\n",
        ),
    )


def without_person(person: Person) -> Edit:
    """What makes a session of which a person is not named any more; the same session where that was not named."""

    def edit(session: Session, redaction: Redaction) -> Session:
        made = _unnamed(session, person)
        if made == session:
            return session
        return replace(made, metadata=_marked(made.metadata, redaction, lambda raw: raw))

    return edit


def commit_without(raw: bytes, person: Person) -> bytes:
    """A Git commit or tag that does not name the person; the same bytes where it did not."""
    head, blank, message = raw.partition(b"\n\n")
    made = _addresses(person).sub(_placeholder, head) + blank + _addresses(person).sub(_placeholder, message)
    return raw if made == raw else unsigned(made)


def _unnamed(session: Session, person: Person) -> Session:
    text = _texts(person)
    git = session.metadata.get("git")
    own = session.owner in person.accounts and not git
    author = session.author
    if own or author.email.lower() in person.emails:
        author = Author(NAME, EMAIL)
    return replace(
        session,
        goal=text(session.goal),
        author=author,
        conversation=tuple(
            Message(each.role, _name(each.author, person), text(each.text), each.at, each.redactions)
            for each in session.conversation
        ),
        decisions=tuple(
            replace(
                each,
                what=text(each.what),
                why=text(each.why),
                alternatives=tuple(
                    replace(road, what=text(road.what), why_not=text(road.why_not)) for road in each.alternatives
                ),
                by=_name(each.by, person),
                evidence=text(each.evidence),
            )
            for each in session.decisions
        ),
        claims=tuple(map(text, session.claims)),
        attribution={
            **_deep({name: value for name, value in session.attribution.items() if name != LINES}, text, person),
            **_lines(session, lambda writer: replace(writer, name="") if writer.name in person.names else writer),
        },
        build_context=_deep(session.build_context, text, person),
        attestations=tuple(_deep(each, text, person) for each in session.attestations),
        metadata={
            name: _git(value, person) if name == "git" else _deep(value, text, person)
            for name, value in session.metadata.items()
        },
    )


def _git(git: Mapping[str, Any], person: Person) -> dict[str, Any]:
    """What is kept of a commit; its id stays the one that it came with, as the name of what was."""
    raw = git.get("raw")
    return {**git, "raw": commit_without(raw, person)} if isinstance(raw, bytes) else dict(git)


def _name(name: str, person: Person) -> str:
    return NAME if name in person.names or name.lower() in person.emails else name


def _addresses(person: Person) -> re.Pattern[bytes]:
    """Any address of the person; with the name before it where a line of a commit or a trailer has both."""
    some = _either(email.encode() for email in person.emails)
    names = _either(name.encode("utf-8", "surrogatepass") for name in person.names)
    return re.compile(
        rb"(?P<key>^(?:author|committer|tagger|[A-Za-z][A-Za-z-]*:) )[^<>\n]*<(?:%b)>|(?P<name>(?:%b) <(?:%b)>)"
        rb"|(?<![\w.+-])(?:%b)(?![\w-])" % (some, names, some, some),
        re.I | re.M,
    )


def _either(words: Iterable[bytes]) -> bytes:
    return b"|".join(map(re.escape, sorted(words))) or rb"(?!)"


def _placeholder(found: re.Match[bytes]) -> bytes:
    if found["key"] is None and found["name"] is None:
        return EMAIL.encode()
    return (found["key"] or b"") + f"{NAME} <{EMAIL}>".encode()


def _texts(person: Person) -> Callable[[str], str]:
    pattern = _addresses(person)

    def text(said: str) -> str:
        raw = said.encode("utf-8", "surrogatepass")
        return pattern.sub(_placeholder, raw).decode("utf-8", "surrogatepass")

    return text


def _deep(value: Any, text: Callable[[str], str], person: Person) -> Any:
    """A value that others put into a session, without the addresses and without fields that are the name."""
    if isinstance(value, str):
        return NAME if value in person.names else text(value)
    if isinstance(value, bytes):
        return _addresses(person).sub(_placeholder, value)
    if isinstance(value, Mapping):
        return {_deep(name, text, person): _deep(each, text, person) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_deep(each, text, person) for each in value)
    return value


def _lines(session: Session, writer: Callable[[Writer], Writer]) -> dict[str, Any]:
    """Who wrote which lines, by agents and people that may have another name now."""
    if LINES not in session.attribution:
        return {}
    try:
        said = parse(session.attribution)
    except InvalidInput:
        return {}  # of a newer version, or of none: nobody can say what is in it
    return stored(Attribution(tuple(map(writer, said.writers)), said.files))


def _marked(metadata: Mapping[str, Any], redaction: Redaction, edit: Callable[[bytes], bytes]) -> dict[str, Any]:
    git = metadata.get("git")
    made = dict(metadata)
    if isinstance(git, Mapping) and isinstance(git.get("raw"), bytes) and git["raw"]:
        made["git"] = {**git, "raw": edit(git["raw"])}
    before = metadata.get(MARK) or {}
    parts = Parts(int(before.get("parts", 0))) | redaction.parts
    made[MARK] = {
        "parts": int(parts),
        "class": redaction.reason.name.lower(),
        "at": redaction.at,
        "by": redaction.by,
        "text": redaction._replace(parts=parts).text,
    }
    return made
