"""The search through a history that is being imported: it stays out while it holds secrets that nobody let in.

An old history often holds a key that was revoked long ago, and no history can be changed without changing every id in
it. So an admin may let it in, with a reason, before anybody sees it (ADR 43).
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from typing import TypeVar

from mic.core.brought import brought_words, with_words
from mic.core.errors import MicError, Unavailable
from mic.core.scanning import Finding, Scan, redact, scan, scan_many
from mic.core.session import Author, Op
from mic.ledger.frame import Frame, plain
from mic.ledger.history import HistoryCommit
from micelio.findings.found import Found

T = TypeVar("T")

_log = logging.getLogger("micelio.scanning")

# Of one history; who has more has to look at the repository.
MOST = 2_000
_BATCH = 1 << 20


class HistorySearch:
    """What an import holds, fed with its frames and commits in their order.

    What was found `clean` before, object by object, is not searched again: only the words that people are shown.
    """

    def __init__(self, clean: bool = False) -> None:
        self._clean = clean
        self.found: list[Found] = []
        self.beyond = False  # there is more than is kept
        self._bad: dict[bytes, list[Finding]] = {}
        self._batch: dict[bytes, bytes] = {}
        self._bytes = 0
        # Who names a content that is not searched yet.
        self._waiting: dict[bytes, list[tuple[int, bytes, bytes]]] = defaultdict(list)
        self._large = Scan()

    def frame(self, frame: Frame) -> None:
        """The next content, or the next part of one, verified before. Raises Unavailable when the search fails."""
        _closed(lambda: self._frame(frame))

    def content(self, name: bytes, data: bytes) -> None:
        """The next content of one piece, verified before. Raises as `frame`."""
        _closed(lambda: self._content(name, data))

    def commit(self, position: int, commit: HistoryCommit) -> HistoryCommit:
        """The next commit, which lands at `position`; it comes back with words that hold no secret.

        Its bytes stay as they are, for its id is their hash, and are searched: exporting shows them.
        """
        return _closed(lambda: self._commit(position, commit))

    def finish(self) -> list[Found]:
        """Everything that was found, in the order of the history."""
        _closed(self._flush)
        return sorted(self.found, key=lambda item: (item.position, item.path, item.finding.start))

    def _frame(self, frame: Frame) -> None:
        if self._clean:
            return
        if not frame.offset and frame.length == frame.size:
            return self._content(frame.hash, plain(frame))
        if not frame.offset:
            self._large = Scan()
        self._large.feed(plain(frame))
        if frame.offset + frame.length == frame.size:
            self._flush()
            if findings := self._large.finish():
                self._keep_bad(frame.hash, findings)

    def _content(self, name: bytes, data: bytes) -> None:
        if self._clean:
            return
        self._batch[name] = data
        self._bytes += len(data)
        if self._bytes >= _BATCH:
            self._flush()

    def _commit(self, position: int, commit: HistoryCommit) -> HistoryCommit:
        for path, op, _, name, _ in commit.changes:
            if op == Op.DELETED:
                continue
            if name in self._batch:
                self._waiting[name].append((position, path, commit.oid))
            self._take(self._bad.get(name, ()), position, path, commit.oid)
        if not self._clean:
            self._take(scan(commit.raw), position, b"", commit.oid)
        said = brought_words(commit.brought) if commit.brought is not None else []
        words = [commit.message, commit.author.name, commit.author.email, *said]
        changed = redact(words)
        if not changed:
            return commit
        message, author, email, *said = (changed.get(number, (text, 0))[0] for number, text in enumerate(words))
        brought = with_words(commit.brought, said) if commit.brought is not None else None
        return commit._replace(message=message, author=Author(author, email), brought=brought)

    def _flush(self) -> None:
        for name, findings in scan_many(self._batch.items()):
            self._keep_bad(name, findings)
        for name, places in self._waiting.items():
            for position, path, oid in places:
                self._take(self._bad.get(name, ()), position, path, oid)
        self._batch.clear()
        self._waiting.clear()
        self._bytes = 0

    def _keep_bad(self, name: bytes, findings: list[Finding]) -> None:
        if len(self._bad) < MOST:
            self._bad[name] = findings
        else:
            self.beyond = True

    def _take(self, findings: list[Finding] | tuple[()], position: int, path: bytes, oid: bytes) -> None:
        room = MOST - len(self.found)
        self.found += [Found(position, path, item, oid) for item in findings[:room]]
        self.beyond = self.beyond or len(findings) > room


def _closed(step: Callable[[], T]) -> T:
    """A search that fails keeps the history out."""
    try:
        return step()
    except MicError:
        raise
    except Exception as error:
        _log.exception("the search for secrets failed")
        raise Unavailable(
            "The history could not be searched for secrets, so nothing of it is visible.",
            hint="Repeat later; whoever runs the forge finds the reason in its log.",
        ) from error
