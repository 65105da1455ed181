"""Commits of Git as landings: those of a push and those of an import land alike."""

from __future__ import annotations

from collections.abc import Container

from mic.core.blob import MAX_WHOLE
from mic.core.brought import MAX_BYTES
from mic.core.ids import content_hash
from mic.core.session import Author
from mic.git.authorship import MAX_NOTE
from mic.git.graph import Graph
from mic.git.notes import Notes
from mic.git.packs import Packs
from mic.git.pushed import Changes, text_of
from mic.git.told import Rebased, Telling, traces_in
from mic.ledger.frame import Frame
from mic.ledger.history import HistoryCommit
from micelio.sessions.intake import HistoryIntake

# Of a content that travels in parts.
_PART = 1 << 20


class CommitLandings:
    """Hands commits to an intake, oldest first, each with what it changed against the one before."""

    def __init__(
        self,
        intake: HistoryIntake,
        packs: Packs,
        graph: Graph,
        behind: bytes,
        telling: Telling,
        *,
        first_wins: bool,
        lasting: Container[bytes] = (),
    ) -> None:
        """`behind` is the commit that the first one lands behind, b"" for none; `telling` says who wrote them.

        `lasting` are the blobs of the newest tree, as far as the caller knows them.
        """
        self._lasting = lasting
        self._telling = telling
        self._intake, self._packs, self._graph = intake, packs, graph
        self._changes = Changes(packs, first_wins=first_wins)
        self._tree = graph.lines[behind].tree if behind else b""

    def add(self, oid: bytes) -> None:
        """The next commit with its new contents. Raises what the intake raises, InvalidPath, Corrupt and TooLarge."""
        changes, tree = self._changes, self._graph.lines[oid].tree
        raw, text, agent = text_of(self._packs, oid)
        listed = []
        for change in changes.between(self._tree, tree):
            if change.oid:
                known = changes.known(change.oid)
                if known is None:
                    name, data = changes.content(change.oid)
                    self._content(name, data, lasts=change.oid in self._lasting)
                    known = name, len(data)
            elif change.data:
                known = content_hash(change.data), len(change.data)
                self._content(known[0], change.data, lasts=False)
            else:
                known = b"", 0
            listed.append((change.path, change.op, change.mode, *known))
        author = Author(text.author_name, text.author_email)
        told = self._telling.of(oid, tree, self._tree, lambda: {path: content for path, _, _, content, _ in listed})
        self._intake.add_commit(
            HistoryCommit(
                oid,
                raw,
                author,
                text.authored_at_ms,
                text.message,
                listed,
                agent or told.agent,
                told.attribution,
                told.brought,
            )
        )
        self._tree = tree

    def _content(self, name: bytes, data: bytes, *, lasts: bool) -> None:
        if len(data) <= MAX_WHOLE:
            return self._intake.add_content(name, data, lasts=lasts)
        for start in range(0, len(data), _PART):
            part = data[start : start + _PART]
            self._intake.add_frame(Frame(name, len(data), start, len(part), False, part))


def telling_of(
    packs: Packs, graph: Graph, tip: bytes, notes: bytes, rebased: Rebased | None = None, words: bytes = b""
) -> Telling:
    """What the commits up to `tip` come with: notes of the commit `notes`, b"" for none, and records in its files.

    `words` is the commit of the notes that say what sessions said elsewhere, b"" for none.
    """
    # Notes that are sent together with what is rebased are kept after it.
    brought = Notes(packs if rebased is None else rebased.packs, notes, MAX_NOTE)
    said = Notes(packs if rebased is None else rebased.packs, words, MAX_BYTES)
    return Telling(packs, brought, traces_in(packs, graph.lines[tip].tree), rebased, said)
