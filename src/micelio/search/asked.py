"""What somebody types into the one box: words, phrases in quotes, one expression between slashes, filters."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mic.core.errors import InvalidInput
from micelio.projects.project_view import MAIN
from micelio.search.languages import language_named
from micelio.search.pattern import Pattern, parse_pattern
from micelio.search.pieces import LENGTH, words_pieces

# Nobody types more; a longer one is a text that landed in the wrong box.
LONGEST = 500
MOST_WORDS = 12
FILTERS = ("repo", "branch", "path", "lang", "author", "agent", "why")
_PART = re.compile(
    rf'(?:(?P<filter>{"|".join(FILTERS)}):)?(?:"(?P<phrase>[^"]*)"|/(?P<pattern>(?:\\.|[^/\\])+)/(?=\s|$)|(?P<word>\S+))?'
)


@dataclass(frozen=True, slots=True)
class Asked:
    """A question. `words` all have to be there, in lower case; `why` asks for decisions alone.

    `branch` is "" for main; one is named together with its project, `owner/handle`.
    """

    words: tuple[str, ...] = ()
    pattern: Pattern | None = None
    repo: str = ""
    path: str = ""
    language: str = ""
    author: str = ""
    agent: str = ""
    why: bool = False
    branch: str = ""

    @property
    def pieces(self) -> set[str]:
        """What every text has that this may be about."""
        literals = self.pattern.literals if self.pattern is not None else ()
        return words_pieces([*self.words, *literals])

    @property
    def finds_text(self) -> bool:
        """Whether it says enough to look into code, sessions and decisions: a few characters, or which project."""
        return bool(self.pieces or self.repo)

    @property
    def about_files(self) -> bool:
        """Only a file has these; a session has the paths that it changed."""
        return bool(self.language or self.branch)

    @property
    def about_people(self) -> bool:
        """Only what somebody landed has these."""
        return bool(self.author or self.agent or self.why)

    @property
    def plain(self) -> str:
        """The words alone, when there is nothing but words."""
        others = (
            self.pattern, self.repo, self.branch, self.path, self.language, self.author, self.agent, self.why
        )  # fmt: skip
        return "" if any(others) else " ".join(self.words)


def parse_asked(text: str) -> Asked:
    """Raises InvalidInput with what is too much, or what no text can be looked for with."""
    if len(text) > LONGEST:
        raise InvalidInput(
            f"A search has at most {LONGEST} characters, and this one has {len(text):,}.",
            hint="Look for a few words of it.",
        )
    words: list[str] = []
    patterns: list[str] = []
    found: dict[str, str] = {}
    why = False
    for match in _PART.finditer(" ".join(text.replace("\x00", " ").split())):
        name, value = match["filter"], match["phrase"] or match["word"] or ""
        if match["pattern"] is not None and name is None:
            patterns.append(match["pattern"])
        elif name == "why":
            why = True
            words += [value] if value else []
        elif name is not None:
            found[name] = value or match["pattern"] or ""
        elif value.strip():
            words.append(value)
    if len(words) > MOST_WORDS:
        raise InvalidInput(
            f"A search has at most {MOST_WORDS} words.", hint='Put words that stand together into "quotes".'
        )
    if len(patterns) > 1:
        raise InvalidInput("A search has one expression between slashes.", hint="Join them with `.*`.")
    branch = "" if found.get("branch") == MAIN else found.get("branch", "")
    if branch and not all(found.get("repo", "").partition("/")):
        raise InvalidInput("A branch is searched in one project.", hint="Say which: `repo:acme/api branch:NAME`.")
    return Asked(
        words=tuple(word.lower() for word in words),
        pattern=parse_pattern(patterns[0]) if patterns else None,
        repo=found.get("repo", "").lower(),
        path=found.get("path", ""),
        language=language_named(found.get("lang", "")),
        author=found.get("author", ""),
        agent=found.get("agent", ""),
        why=why,
        branch=branch,
    )


__all__ = ["LENGTH", "LONGEST", "Asked", "parse_asked"]
