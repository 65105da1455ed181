"""What a session says of itself beside what it changed: only what its changes can decide, and never a guess.

Claims are sentences of a few English forms, in the goal, the decisions, and what people and agents said; and whatever a
session lists as its claims. A sentence that asks, or that is no such form, is no claim.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import re2

from mic.core.patterns import translate
from mic.core.session import Op, Session
from micelio.languages.spoken import gettext_noop, ngettext_noop

# Claims of one session that are looked at, characters of its words that are read (the last of a conversation first:
# that is where a session is summed up), and of one sentence.
MOST_CLAIMS = 12
_MOST_READ = 48_000
_LONGEST = 400
# Paths of one claim that are looked for.
_MOST_NAMED = 8


class Verdict(Enum):
    """What the changes say of a claim. OPEN: they do not decide it."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "open"


class Where(Enum):
    """What kind of words a claim is from."""

    LISTED = "listed"
    GOAL = "goal"
    DECISION = "decision"
    MESSAGE = "message"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a claim stands: decisions and messages are numbered from 1. `asked`: a person said it, so it is a wish."""

    where: Where
    number: int = 0
    asked: bool = False


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as a sentence of the catalogs, which whoever shows it translates; as a string it is English.

    `many` is there where a number says which of the two it is. `{count}` and `{name}` stand in them for the values.
    """

    one: str
    many: str = ""
    count: int = 1
    name: str = ""

    def __str__(self) -> str:
        said = self.many if self.many and self.count != 1 else self.one
        return said.format(count=f"{self.count:,}", name=self.name)


@dataclass(frozen=True, slots=True)
class Checked:
    """A claim and what the changes say: a fact, and the changed paths that it is about."""

    text: str
    source: Source
    verdict: Verdict
    said: Fact
    paths: tuple[bytes, ...] = ()

    @property
    def fact(self) -> str:
        """The fact in English."""
        return str(self.said)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a session changed: paths with what was done to each."""

    changes: tuple[tuple[bytes, Op], ...]

    @property
    def paths(self) -> tuple[bytes, ...]:
        return tuple(path for path, _ in self.changes)


_QUOTED = r"`[^`\n]{1,200}`"
_NAME = (
    rf"{_QUOTED}|[\w.@+-]*/(?:[\w.@+/*-]*[\w/*])?|[\w-]+\.(?:[a-z]{{1,5}}[0-9]?)\b"
    r"|\b(?:the )?(?:tests?|docs|documentation)\b"
)


def _named(number: int) -> str:
    """One name of a file or several, as a group that no other of the same expression is called as."""
    return rf"(?P<names{number}>(?:{_NAME})(?:(?:,? and |, | or )(?:{_NAME}))*)"


_TOUCH = r"(?:touch|chang|edit|modif)(?:y|e|es|ed|ies|ied|ing)?"
_ONLY = re.compile(
    rf"\b(?:only|just) {_TOUCH} (?:files? (?:in|below|under) |things? in )?{_named(1)}"
    rf"|\b{_TOUCH} only {_named(2)}|\bnothing (?:outside|but|beyond)(?: of)? {_named(3)}",
    re.IGNORECASE,
)
_LEAVES = re.compile(
    rf"(?:\b(?:not|never|without)|n't) {_TOUCH} (?:anything (?:in|below|under) )?{_named(1)}"
    rf"|\b(?:leave|leaves|leaving|left) {_named(2)} (?:alone|untouched|unchanged|as (?:it|they) )"
    rf"|\bno changes? (?:to|in) {_named(3)}|{_named(4)} (?:is|are|stays?|remains?) (?:untouched|unchanged)",
    re.IGNORECASE,
)
_ADDS_FILE = re.compile(rf"\b(?:adds?|added|creates?|created) (?P<names>{_QUOTED})", re.IGNORECASE)
_DELETES_FILE = re.compile(rf"\b(?:deletes?|deleted|removes?|removed) (?P<names>{_QUOTED})", re.IGNORECASE)
_ADDS_TESTS = re.compile(r"\badd(?:s|ed|ing)? (?:\w+ ){0,3}tests?\b|\bwith (?:new )?tests\b", re.IGNORECASE)
_TESTS_PASS = re.compile(
    r"\btests? (?:all |now |still )*(?:pass(?:es|ed|ing)?|succeed(?:s|ed)?)\b|\btests? (?:is|are) (?:all )?green\b"
    r"|\b(?:suite|ci|build) (?:pass(?:es|ed)|is green)\b",
    re.IGNORECASE,
)
_NO_DEPENDENCY = re.compile(
    r"\b(?:no|without)(?: any| a)?(?: new| additional| further) dependenc(?:y|ies)\b", re.IGNORECASE
)
_NO_API = re.compile(
    r"\b(?:no|without)(?: any)? (?:public )?api changes?\b"
    r"|\bapi (?:is|stays|remains) (?:unchanged|the same|as it (?:is|was))"
    r"|\bleav(?:e|es|ing) the (?:public )?api (?:alone|as it)",
    re.IGNORECASE,
)
_COUNT = re.compile(rf"\b{_TOUCH} (?:only |just |exactly )?(?P<count>\d{{1,6}}|one|two|three) files?\b", re.IGNORECASE)
_COUNTS = {"one": 1, "two": 2, "three": 3}
# What every claim has something of; most sentences have not.
_MAY_BE = re.compile(
    r"only|just|nothing|not |n't|never|without|leav|left|chang|touch|file|test|add|creat|delet|remov|suite|\bno\b",
    re.IGNORECASE,
)
# Whose doing a claim is about: nobody named, or the session by one of its names. Not `The cache never changes docs/`.
_SUBJECT = re.compile(
    r"(?:\A|[,;:(]|\b(?:i|we|you|this|it|that|and|but|so|session|changes?|patch|diff|commit|landing|work|please|to|must|should"
    r"|do|does|did|has|have|is|was)\b)\W*(?:\w+ )?\Z",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")

_TEST = re.compile(
    rb"(?:\A|/)(?:tests?|specs?|__tests__|e2e)/|(?:\A|/)(?:test_[^/]*|[^/]*_test\.[a-z]+|[^/]*\.(?:test|spec)\.[a-z]+|conftest\.py)\Z"
)
_DOCS = re.compile(rb"(?:\A|/)docs?/|\.(?:md|rst|adoc)\Z|(?:\A|/)(?:README|CHANGELOG)[^/]*\Z")
_DEPENDENCIES = re.compile(
    rb"(?:\A|/)(?:pyproject\.toml|setup\.(?:py|cfg)|requirements[^/]*\.txt|Pipfile(?:\.lock)?|(?:uv|poetry|Cargo)\.lock|Cargo\.toml"
    rb"|package(?:-lock)?\.json|pnpm-lock\.yaml|yarn\.lock|go\.(?:mod|sum)|Gemfile(?:\.lock)?|pom\.xml|build\.gradle(?:\.kts)?"
    rb"|composer\.(?:json|lock)|mix\.(?:exs|lock))\Z"
)


def check(session: Session, facts: Facts) -> list[Checked]:
    """Every claim with what the changes say, those of the session's own list first; at most `MOST_CLAIMS` others."""
    listed = [_checked(text, Source(Where.LISTED), facts) or _open(text) for text in session.claims]
    found: list[Checked] = []
    seen = {_bare(each.text) for each in listed}
    for text, source in _sentences(session):
        if _bare(text) in seen or not _MAY_BE.search(text):
            continue
        one = _checked(text, source, facts)
        if one is not None:
            seen.add(_bare(text))
            found.append(one)
        if len(found) == MOST_CLAIMS:
            break
    order = [Where.GOAL, Where.DECISION, Where.MESSAGE]
    found.sort(key=lambda each: (order.index(each.source.where), each.source.number))
    return [*listed, *found]


def _bare(text: str) -> str:
    return text.strip(" .!").lower()


def evidence_elsewhere(session: Session, facts: Facts) -> list[tuple[int, bytes]]:
    """(number of a decision, path) for evidence that is a path, with a line or without, which did not change."""
    changed = set(facts.paths)
    found = []
    for number, decision in enumerate(session.decisions, 1):
        for word in re.split(r"[\s,]+", decision.evidence.strip()):
            path = re.sub(r":\d{1,7}(?:-\d{1,7})?\Z", "", word.strip("`'\"()[]<>,.;")).encode()
            if b"/" in path and not path.startswith((b"http", b"/")) and path not in changed:
                found.append((number, path))
    return found[:_MOST_NAMED]


def unmentioned(session: Session, facts: Facts) -> tuple[bytes, ...]:
    """Changed paths whose file name stands in no word of the session; empty when all of its words were not read."""
    words = [session.goal, *session.claims]
    words += [f"{d.what} {d.why} {d.evidence}" for d in session.decisions]
    words += [message.text for message in session.conversation]
    if sum(map(len, words)) > 20 * _MOST_READ or not (session.conversation or session.decisions):
        return ()
    whole = "\n".join(words)
    return tuple(path for path in facts.paths if path.rpartition(b"/")[2].decode("utf-8", "replace") not in whole)


def _sentences(session: Session) -> Iterator[tuple[str, Source]]:
    yield from _cut(session.goal, Source(Where.GOAL, asked=True))
    for number, decision in enumerate(session.decisions, 1):
        yield from _cut(f"{decision.what}\n{decision.why}", Source(Where.DECISION, number))
    left = _MOST_READ
    for number, message in reversed(list(enumerate(session.conversation, 1))):
        if message.role not in ("human", "agent") or len(message.text) > left:
            continue
        left -= len(message.text)
        yield from _cut(message.text, Source(Where.MESSAGE, number, asked=message.role == "human"))


def _cut(text: str, source: Source) -> Iterator[tuple[str, Source]]:
    for sentence in _SENTENCE.split(text[:_MOST_READ]):
        words = sentence.strip().lstrip("-*#> ").strip()
        if 8 <= len(words) <= _LONGEST and not words.endswith("?"):
            yield words, source


def _open(text: str) -> Checked:
    return Checked(text, Source(Where.LISTED), Verdict.OPEN, Fact(gettext_noop("nothing in the changes decides this")))


def _checked(text: str, source: Source, facts: Facts) -> Checked | None:
    """The claim in a sentence with its verdict; None when it is none."""
    for form, judge in _FORMS:
        match = form.search(text)
        if match is not None and (form in _OF_ANYBODY or _SUBJECT.search(text[: match.start()])):
            named = next((value for name, value in match.groupdict().items() if name.startswith("names") and value), "")
            verdict, said, paths = judge(match, named, facts)
            return Checked(text, source, verdict, said, paths)
    return None


_Judged = tuple[Verdict, Fact, tuple[bytes, ...]]
Judge = Callable[[re.Match[str], str, Facts], _Judged]


def _names(text: str) -> list[str]:
    found = [name.strip("`").removeprefix("the ").strip() for name in re.findall(_NAME, text, re.IGNORECASE)]
    return [name for name in found if name][:_MOST_NAMED]


def _match(names: Sequence[str], facts: Facts) -> tuple[tuple[bytes, ...], list[str]]:
    """(changed paths that one of the names is for, names that are for no path at all)."""
    found: dict[bytes, None] = {}
    strange = []
    for name in names:
        kind = {"test": _TEST, "tests": _TEST, "docs": _DOCS, "documentation": _DOCS}.get(name.lower())
        if kind is not None:
            found.update(dict.fromkeys(path for path in facts.paths if kind.search(path)))
            continue
        source = translate(name.encode()) if re.fullmatch(r"[\w.@+/*-]+", name) else None
        if source is None:
            strange.append(name)
            continue
        pattern = re2.compile(source)
        found.update(dict.fromkeys(path for path in facts.paths if pattern.fullmatch(path)))
    return tuple(found), strange


def _no_path(names: list[str]) -> _Judged:
    return Verdict.OPEN, Fact(gettext_noop("`{name}` is no path, so the changes do not decide this"), name=names[0]), ()


def _only(match: re.Match[str], named: str, facts: Facts) -> _Judged:
    inside, strange = _match(_names(named), facts)
    if strange:
        return _no_path(strange)
    outside = tuple(path for path in facts.paths if path not in set(inside))
    if outside:
        return (
            Verdict.FAILS,
            Fact(*ngettext_noop("{count} file elsewhere", "{count} files elsewhere"), len(outside)),
            outside,
        )
    return Verdict.HOLDS, Fact(*ngettext_noop("all of {count} file", "all of {count} files"), len(inside)), ()


def _leaves(match: re.Match[str], named: str, facts: Facts) -> _Judged:
    inside, strange = _match(_names(named), facts)
    if strange:
        return _no_path(strange)
    if inside:
        return (
            Verdict.FAILS,
            Fact(*ngettext_noop("{count} file changed there", "{count} files changed there"), len(inside)),
            inside,
        )
    return Verdict.HOLDS, Fact(gettext_noop("no file changed there")), ()


def _done(op: Op, done_so: str, not_done: str) -> Judge:
    def judge(match: re.Match[str], named: str, facts: Facts) -> _Judged:
        inside, strange = _match(_names(named), facts)
        if strange or ("/" not in named and "." not in named):
            return _no_path(strange or _names(named))
        done = tuple(path for path, what in facts.changes if what == op and path in set(inside))
        if done:
            return Verdict.HOLDS, Fact(done_so), done
        return Verdict.FAILS, Fact(not_done), inside

    return judge


def _tests(match: re.Match[str], named: str, facts: Facts) -> _Judged:
    paths = tuple(path for path, op in facts.changes if op != Op.DELETED and _TEST.search(path))
    if paths:
        return (
            Verdict.HOLDS,
            Fact(
                *ngettext_noop("{count} file of tests, by the name", "{count} files of tests, by the name"), len(paths)
            ),
            paths,
        )
    return Verdict.FAILS, Fact(gettext_noop("no file changed that is one of tests by its name")), ()


def _unknown(fact: str) -> Judge:
    return lambda match, named, facts: (Verdict.OPEN, Fact(fact), ())


def _dependencies(match: re.Match[str], named: str, facts: Facts) -> _Judged:
    paths = tuple(path for path in facts.paths if _DEPENDENCIES.search(path))
    if paths:
        return (
            Verdict.OPEN,
            Fact(gettext_noop("a list of dependencies changed; whether by a new one, its lines say")),
            paths,
        )
    return Verdict.HOLDS, Fact(gettext_noop("no list of dependencies changed")), ()


def _counted(match: re.Match[str], named: str, facts: Facts) -> _Judged:
    word = match["count"].lower()
    said, are = _COUNTS.get(word) or int(word), len(facts.changes)
    fact = Fact(*ngettext_noop("{count} file changed", "{count} files changed"), are)
    return (Verdict.HOLDS if said == are else Verdict.FAILS), fact, ()


# These decide nothing, or are about the landing whoever is the subject.
_OF_ANYBODY = (_TESTS_PASS, _NO_DEPENDENCY, _NO_API, _ADDS_TESTS)
# In this order: the first form that a sentence has is what it claims.
_FORMS: tuple[tuple[re.Pattern[str], Judge], ...] = (
    (_TESTS_PASS, _unknown(gettext_noop("the forge has run no tests"))),
    (_NO_DEPENDENCY, _dependencies),
    (_NO_API, _unknown(gettext_noop("which files are the API, nothing here says"))),
    (_COUNT, _counted),
    (_ONLY, _only),
    (_LEAVES, _leaves),
    (_ADDS_FILE, _done(Op.ADDED, gettext_noop("was added"), gettext_noop("no such file was added"))),
    (_DELETES_FILE, _done(Op.DELETED, gettext_noop("was deleted"), gettext_noop("no such file was deleted"))),
    (_ADDS_TESTS, _tests),
)
