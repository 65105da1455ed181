"""A year in one picture: what people landed above the line, what they landed with agents below it, a week each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from django.utils.html import format_html
from django.utils.safestring import SafeString

from micelio.languages.spoken import gettext
from micelio.languages.words import count_words, month_mark, month_words, number_words
from micelio.sessions.doings import Week

# Compressed or not, so much and no more. Drawn as two paths it takes 2 KB at most.
MOST_BYTES = 6 * 1024
_STEP, _WIDE, _HALF = 12, 8, 40


@dataclass(frozen=True, slots=True)
class Month:
    """One row of the table that says the same in numbers."""

    name: str
    people: int
    agents: int


@dataclass(frozen=True, slots=True)
class Activity:
    """A picture, its sentence, and the table by months, the newest first."""

    svg: SafeString
    words: str
    months: tuple[Month, ...]
    people: int
    agents: int

    def __bool__(self) -> bool:
        return bool(self.people or self.agents)


def activity(weeks: Sequence[Week]) -> Activity:
    """The year of these weeks, the oldest first."""
    people, agents = sum(week.people for week in weeks), sum(week.agents for week in weeks)
    words = _words(weeks, people, agents)
    return Activity(_svg(weeks, words), words, _months(weeks), people, agents)


def _words(weeks: Sequence[Week], people: int, agents: int) -> str:
    if not people + agents:
        return gettext("Nothing landed in the last year.")
    run, longest = 0, 0
    for week in weeks:
        run = run + 1 if week.people + week.agents else 0
        longest = max(longest, run)
    busy = sum(1 for week in weeks if week.people + week.agents)
    landings = count_words(people + agents, "landing")
    if agents:
        said = gettext("{landings} in the last year, {agents} of them with agents.")
    else:
        said = gettext("{landings} in the last year.")
    said = said.format(landings=landings, agents=number_words(agents))
    if busy > 1:
        ending = gettext("{weeks} with some, {longest} in a row at most.")
        said += " " + ending.format(weeks=count_words(busy, "week"), longest=longest)
    return said


def _svg(weeks: Sequence[Week], words: str) -> SafeString:
    tallest = max(1, *(max(week.people, week.agents) for week in weeks))
    width = _STEP * len(weeks)
    above = "".join(_bar(number, week.people, tallest, -1) for number, week in enumerate(weeks))
    below = "".join(_bar(number, week.agents, tallest, 1) for number, week in enumerate(weeks))
    marks = SafeString("".join(_mark(number, week.start) for number, week in enumerate(weeks)))
    return format_html(
        '<svg class="year" viewBox="0 0 {} 110" role="img" aria-label="{}"><path class="line" d="M0 44h{}"/>'
        '<path class="people" d="{}"/><path class="agents" d="{}"/>{}</svg>',
        width, words, width, above, below, marks,
    )  # fmt: skip


def _bar(number: int, count: int, tallest: int, way: int) -> str:
    """A column from the line on; one that is not empty can be seen."""
    if not count:
        return ""
    height = max(3, round(count / tallest * (_HALF - 1)))
    begin = 43 if way < 0 else 45
    return f"M{number * _STEP + 2} {begin}v{way * height}h{_WIDE}v{-way * height}z"


def _mark(number: int, start: date) -> str:
    """The name of a month below its first week; none so far to the right that it would be cut off."""
    if start.day > 7 or number * _STEP > _STEP * 51:
        return ""
    return f'<text x="{number * _STEP + 2}" y="102">{month_mark(start.month)}</text>'


def _months(weeks: Sequence[Week]) -> tuple[Month, ...]:
    found: dict[tuple[int, int], tuple[int, int]] = {}
    for week in weeks:
        key = (week.start.year, week.start.month)
        people, agents = found.get(key, (0, 0))
        found[key] = (people + week.people, agents + week.agents)
    return tuple(
        Month(month_words(year, month), people, agents)
        for (year, month), (people, agents) in sorted(found.items(), reverse=True)
        if people or agents
    )
