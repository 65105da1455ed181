"""One run: from the first step to the last, keeping what it finds on the way, so that the next goes on from there."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any as Json

import msgspec

from mic.core.errors import InvalidInput, TooLarge
from micelio.archives import given, records
from micelio.archives.asking import Absent, Answered, Asking, absent, http_time
from micelio.archives.clean import clean
from micelio.archives.gitea import Gitea
from micelio.archives.github import GitHub
from micelio.archives.gitlab import GitLab
from micelio.archives.kept import PART, KeptArchive
from micelio.archives.manifest import MAX_WARNINGS, VERSION, Manifest, Pending
from micelio.archives.reader import Reader, Step, next_page
from micelio.archives.records import Any
from micelio.archives.source import NAMES, Provider, Source

# Of one run: more than any project of GitHub has.
MAX_RECORDS = 2_000_000
MAX_PAGES = 1_000_000
# Pages after which what there is is kept, so that an end without warning costs no more.
_SAVE_EVERY = 25
# Clocks of several machines of one forge differ a little; what is fetched twice does no harm.
_OVERLAP = 120.0
_ONE_OBJECT = frozenset({"repository", "approvals"})


class Fetch:
    """A run on one archive. `seen` is called after each page with what has been done so far; it may raise to stop."""

    def __init__(
        self,
        kept: KeptArchive,
        source: Source,
        asking: Asking,
        *,
        token: bool,
        seen: Callable[[Pending], None] = lambda pending: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._kept, self._source, self._asking = kept, source, asking
        self._token, self._seen, self._clock = token, seen, clock
        found, self._tag = kept.load()
        self._manifest = found or Manifest(VERSION, source.provider.value, source.url)
        if found is not None and (found.provider, found.source) != (source.provider.value, source.url):
            if found.parts:
                raise InvalidInput(
                    f"The archive of this project was fetched from {found.source}.",
                    hint="Fetch from there again, or into another project.",
                )
            if found.pending is not None:
                kept.drop(found.pending, found)
            self._manifest = Manifest(VERSION, source.provider.value, source.url)
        self._reader = _reader(source)
        first = tuple(self._reader.first(self._manifest.since))
        self._pending = self._manifest.pending or Pending(steps=first)
        self._waiting: list[Any] = []
        self._size = 0
        self._unsaved = 0

    def run(self) -> Manifest:
        """Go on to the end; the archive as it is then.

        Raises Wait when the other forge asks for a pause, and what asking and keeping raise; what was fetched until
        then is kept, and the next run goes on from there.
        """
        try:
            while self._pending.steps:
                self._step(self._pending.steps[0])
                self._seen(self._pending)
        except BaseException:
            self._save()
            raise
        return self._finish()

    def _step(self, step: Step) -> None:
        rest = self._pending.steps[1:]
        try:
            answer = self._asking.get(step.url, self._manifest.etags.get(step.url, ""))
        except Absent as error:
            if step.list == self._reader.ROOT:
                raise absent(self._source, error.why, self._token) from error
            self._warn(_sentence(step, error.why), rest)
            return
        except TooLarge:
            self._warn(_sentence(step, "is too large, and what comes behind it is missing too"), rest)
            return
        if not self._pending.began:
            self._note(began=self._now(answer))
        etags = dict(self._pending.etags)
        if answer.status == 304:
            etags[step.url] = self._manifest.etags[step.url]
            self._note(steps=rest, etags=etags, pages=self._pending.pages + 1)
            return
        value = self._value(step, answer)
        read = self._reader.read(step, value)
        following = "" if read.last else next_page(step, answer.headers, len(value))
        if following:
            self._asking.require_own(following)
        elif step.page == 1 and step.list in ("labels", "milestones") and answer.headers.get("etag"):
            # A list of one page is unchanged when this page is; one of several might not be.
            etags[step.url] = answer.headers["etag"][:200]
        again = (msgspec.structs.replace(step, url=following, page=step.page + 1),) if following else ()
        if following == step.url:
            raise InvalidInput(f"{NAMES[self._source.provider]} names the same page as the next one.")
        self._take(clean(read.records))
        self._note(steps=(*read.steps, *again, *rest), etags=etags, pages=self._pending.pages + 1)
        self._unsaved += 1
        if self._size >= PART or self._unsaved >= _SAVE_EVERY:
            self._save()

    def _value(self, step: Step, answer: Answered) -> Json:
        value = given.parsed(answer.body)
        if not isinstance(value, dict if step.list in _ONE_OBJECT else list):
            raise InvalidInput(
                f"The answer about {step.list} is not what {NAMES[self._source.provider]} sends.",
                hint="Is this the kind of forge that the repository is at?",
            )
        return value

    def _take(self, found: list[Any]) -> None:
        done = Counter(self._pending.done)
        for record in found:
            size = len(records.line(record))
            if size > records.MAX_LINE:
                self._warn(f"{records.kind_of(record)} {record.id} is too long to be kept.", self._pending.steps)
                continue
            done[records.kind_of(record)] += 1
            self._waiting.append(record)
            self._size += size
        if done.total() > MAX_RECORDS or self._pending.pages > MAX_PAGES:
            raise TooLarge(f"There is more to fetch than an archive holds: {MAX_RECORDS:,} records.")
        self._note(done=dict(done))

    def _warn(self, text: str, steps: tuple[Step, ...]) -> None:
        warnings = tuple(dict.fromkeys([*self._pending.warnings, text]))[:MAX_WARNINGS]
        self._note(steps=steps, warnings=warnings, pages=self._pending.pages + 1)

    def _note(self, **changed: Json) -> None:
        self._pending = msgspec.structs.replace(self._pending, **changed)

    def _save(self) -> None:
        """Keep what waits, and where to go on."""
        while self._waiting:
            taken, size = 0, 0
            for record in self._waiting:
                size += len(records.line(record))
                taken += 1
                if size >= PART:
                    break
            part = self._kept.add(self._waiting[:taken])
            del self._waiting[:taken]
            self._note(parts=(*self._pending.parts, part))
        self._size = self._unsaved = 0
        self._manifest = msgspec.structs.replace(self._manifest, pending=self._pending)
        self._tag = self._kept.save(self._manifest, self._tag)

    def _finish(self) -> Manifest:
        """What was fetched becomes part of the archive, all of it at once."""
        self._save()
        whole = msgspec.structs.replace(
            self._manifest,
            fetched_at=int(self._clock() * 1000),
            since=self._pending.began,
            parts=(*self._manifest.parts, *self._pending.parts),
            etags=self._pending.etags,
            warnings=self._pending.warnings,
            pending=None,
        )
        counts = Counter(records.kind_of(record) for record in self._kept.records(whole))
        whole = msgspec.structs.replace(whole, counts=dict(sorted(counts.items())))
        self._tag = self._kept.save(whole, self._tag)
        return whole

    def _now(self, answer: Answered) -> str:
        at = http_time(answer.headers.get("date", "")) or self._clock()
        return datetime.fromtimestamp(at - _OVERLAP, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _reader(source: Source) -> Reader:
    made: dict[Provider, Callable[[Source], Reader]] = {
        Provider.GITHUB: GitHub, Provider.GITLAB: GitLab, Provider.GITEA: Gitea,
    }  # fmt: skip
    return made[source.provider](source)


def _sentence(step: Step, why: str) -> str:
    """`The reviews of 12 are not there.` without grammar: a list, what it is of, and why it is missing."""
    of = f" of #{step.number}" if step.number else ""
    return f"Not fetched: the {step.list}{of}, page {step.page}: it {why}."
