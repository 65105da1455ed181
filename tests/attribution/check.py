"""One story, landed by the product: after each landing what it tells of its lines beside what the model knows."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Container
from random import Random
from typing import NamedTuple

from attribution.model import Wrong, Wrote, landed, read, text_of
from attribution.story import UNTRACKED, WRITERS, Edit, Teller, Tree, Work, events
from mic.core.attribution import Attribution, authors
from mic.core.attribution import Author as Told
from mic.core.blame import Blame
from mic.core.blob import encode_blob
from mic.core.errors import Conflicted, MicError
from mic.core.ids import content_hash
from mic.core.session import Author, Change, Op, Session
from mic.ledger.blame import Blamed, Bounds, blame
from mic.ledger.blame_cache import BlameCache, Version
from mic.ledger.land import Landed, land_group
from mic.ledger.ledger import Ledger
from mic.ledger.path_history import view_of
from mic.ledger.project import Project
from mic.ledger.request import LandRequest
from mic.store import MemoryStore

EVENTS = 250  # of one story
_REGULAR = 0o100644
# One landing and what it is compared with; what stood there before is told as such.
_ONE_STEP = Bounds(versions=1)
# A machine with much else to do takes its time: what is told is judged, not how long it takes.
_ALL = Bounds(ms=1 << 40)


class Checked(NamedTuple):
    """What a story held: landings by what they were, lines by whose they are."""

    landings: int
    seen: Counter[str]


def check_story(seed: int, count: int = EVENTS, without: Container[int] = ()) -> Checked:
    """Tell a story without some of its events; raises Wrong."""
    return _Story(seed).tell(count, without)


class _Story:
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.project: Project = Ledger(MemoryStore(), cache_bytes=8 << 20).open("p")
        self.project.create()
        self.teller = Teller()
        self.trees: list[Tree] = [{}]
        self.open: list[Work] = []
        self.seen: Counter[str] = Counter()
        self._said: dict[int, tuple[Attribution, Told]] = {}

    @property
    def tree(self) -> Tree:
        return self.trees[-1]

    def tell(self, count: int, without: Container[int]) -> Checked:
        for number, rnd in events(self.seed, count):
            if number in without:
                continue
            try:
                self._event(number, rnd)
            except (Wrong, MicError, AssertionError) as error:
                raise Wrong(f"seed {self.seed}, event {number}: {type(error).__name__}: {error}") from error
        self._look(Random(0), sorted(self.tree))
        return Checked(len(self.trees) - 1, self.seen)

    def _event(self, number: int, rnd: Random) -> None:
        head = len(self.trees) - 1
        act = rnd.choice(("alone", "alone", "alone", "open", "open", "close", "close"))
        if act == "open" and len(self.open) < 4:
            work = self.teller.work(rnd, number, head, self.tree, alone=False)
            if work.edits:
                self.open.append(work)
        elif act == "close" and self.open:
            some = [self.open.pop(0) for _ in range(rnd.choice((1, 1, 2, 3))) if self.open]
            for work in self._land(rnd, some):
                self._land(rnd, [self.teller.again(rnd, work, number, len(self.trees) - 1, self.tree)])
        else:
            work = self.teller.work(rnd, number, head, self.tree, alone=True)
            if self._land(rnd, [work]):
                raise Wrong("a session on the head clashed")
        if number % 25 == 0:
            self._look(rnd, sorted(self.tree))

    def _land(self, rnd: Random, works: list[Work]) -> list[Work]:
        """Land sessions together; those that clashed."""
        works = [work for work in works if work.edits]
        outcomes = self.project.run(land_group(self.project.line, [self._request(work) for work in works]))
        clashed = []
        taken = []
        for work, outcome in zip(works, outcomes, strict=True):
            if isinstance(outcome, Conflicted):
                clashed.append(work)
                self.seen["sessions that clashed"] += 1
            elif isinstance(outcome, Landed):
                taken.append((outcome, work))
            else:
                raise Wrong(f"session {work.number} is told {outcome!r}")
        for outcome, work in sorted(taken, key=lambda pair: pair[0].position):
            self._landed(outcome, work)
        for _, work in taken:
            self._look(rnd, [path for path in work.edits if path in self.tree and rnd.random() < 0.5])
        return clashed

    def _request(self, work: Work) -> LandRequest:
        base = self.trees[work.base]
        changes, contents = [], {}
        for path, edit in work.edits.items():
            was = (content_hash(text_of(base[path].lines)), _REGULAR) if path in base else (b"", 0)
            if edit.lines is None:
                changes.append(Change(path, int(Op.DELETED), 0, b"", 0, *was))
                continue
            text = text_of(edit.lines)
            op = Op.MODIFIED if path in base else Op.ADDED
            changes.append(
                Change(path, int(op), _REGULAR, content_hash(text), len(text), *was, copied_from=edit.copied_from)
            )
            contents[content_hash(text)] = encode_blob(text)
        session = Session(
            work.number.to_bytes(8, "big") + len(self.trees).to_bytes(8, "big"),
            "Goal",
            base_position=work.base,
            author=Author("Ada"),
            changes=tuple(changes),
            agent="claude" if work.whole == "agent" else "",
            metadata={"git": {"commit": bytes(20)}} if work.whole == "untracked" else {},
            attribution=work.attribution,
        )
        return LandRequest(session, contents)

    # ------------------------------------------------------------ the model goes on

    def _landed(self, outcome: Landed, work: Work) -> None:
        position, before = len(self.trees), self.tree
        if outcome.position != position:
            raise Wrong(f"session {work.number} landed @{outcome.position}, must be @{position}")
        tree = dict(before)
        added: dict[bytes, list[int]] = {}
        merged = {change.path for change in outcome.merged}
        for path, edit in work.edits.items():
            if edit.lines is None:
                tree.pop(path, None)
                continue
            entry = self.project.entry(outcome.tree, path)
            if entry is None:
                raise Wrong(f"{path!r} did not land @{position}")
            lines = read(self.project.blob(entry.hash))
            if path not in merged and lines != edit.lines:
                raise Wrong(f"{path!r} landed otherwise than it was sent @{position}")
            other = edit.follows not in (b"", path)
            from_file = self.trees[work.base][edit.follows] if other else before.get(path)
            tree[path], added[path] = landed(path, from_file, lines, self._own(work, edit, position), position)
        self.trees.append(tree)
        self.teller.gone |= _tokens(before) - _tokens(tree)
        self.teller.gone -= _tokens(tree) | {
            token for work in self.open for e in work.edits.values() for token in e.own
        }
        self.seen["merged landings" if merged else "landings"] += 1
        self._compare_added(position, added)

    def _own(self, work: Work, edit: Edit, position: int) -> dict[int, Wrote]:
        """Who wrote the lines that the session wrote, in the words of what it says."""
        whole = Wrote(position, work.whole, False, "")
        if edit.said is None:
            return dict.fromkeys(edit.own, whole)
        return {
            token: Wrote(position, "untracked", True, "")
            if number == UNTRACKED
            else Wrote(position, WRITERS[number].kind, True, WRITERS[number].name)
            for token, number in edit.own.items()
        }

    # ------------------------------------------------------------ what the product tells

    def _compare_added(self, position: int, added: dict[bytes, list[int]]) -> None:
        """The lines that are attributed, and those that are untracked, are those that the landing added."""
        for path, tokens in added.items():
            found = self._blame(BlameCache(), path, position, _ONE_STEP)
            told = {line: wrote for line, wrote in self._told(found, settled=True) if wrote.position == position}
            known = self.trees[position][path].wrote
            if told != {token: known[token] for token in tokens}:
                raise Wrong(f"{path!r} @{position}: added are told as {told}, are {[known[t] for t in tokens]}")
            self.seen.update(f"{wrote.kind} lines" for wrote in told.values())

    def _look(self, rnd: Random, paths: list[bytes]) -> None:
        """Blame some files as they are now, from what is kept, from nothing, and from what lies."""
        position = len(self.trees) - 1
        for path in paths:
            known = self.tree[path].wrote
            caches = [self.project.blames, BlameCache()] if rnd.random() < 0.2 else [self.project.blames]
            for cache in caches:
                self._same(path, dict(self._told(self._blame(cache, path, position, _ALL))), known)
            if rnd.random() < 0.05:
                self._lie(rnd, path, position, known)

    def _lie(self, rnd: Random, path: bytes, position: int, known: dict[int, Wrote]) -> None:
        """A cache whose lines are not those of the file: too many, or from landings that were still to come."""
        cache = BlameCache()
        found = self._blame(cache, path, position, _ALL)
        version = Version("p", path, found.position, found.entry.hash)
        true = found.blame
        lies = [
            Blame(true.origins, array("I", [*true.origin, 0]), array("I", [*true.line, 0])),
            Blame(tuple(each._replace(position=position + 1) for each in true.origins), true.origin, true.line),
        ]
        cache.put(version, rnd.choice(lies))
        self._same(path, dict(self._told(self._blame(cache, path, position, _ALL))), known)
        self.seen["caches that lied"] += 1

    def _same(self, path: bytes, told: dict[int, Wrote], known: dict[int, Wrote]) -> None:
        self.seen["lines blamed"] += len(known)
        if told == known:
            return
        wrong = {token: (told.get(token), known.get(token)) for token in known if told.get(token) != known[token]}
        raise Wrong(
            f"{path!r} @{len(self.trees) - 1}: {len(wrong)} lines told wrong, such as {dict([*wrong.items()][:3])}"
        )

    def _blame(self, cache: BlameCache, path: bytes, position: int, bounds: Bounds) -> Blamed:
        return self.project.run(blame(view_of(self.project.line), cache, path, position, bounds))

    def _told(self, found: Blamed, settled: bool = False) -> list[tuple[int, Wrote]]:
        lines = read(found.data)
        if not lines:
            return []
        told = []
        for hunk in found.blame.hunks():
            if settled and not hunk.origin.settled:
                continue
            said, whole = self._of(hunk.origin.position)
            for first, count, author in authors(said, whole, hunk.origin.path, hunk.line + 1, hunk.lines):
                name = author.writer.name if author.writer is not None else ""
                wrote = Wrote(hunk.origin.position, author.kind, author.of_line, name)
                start = hunk.start + first - hunk.line - 1
                told += [(line.token, wrote) for line in lines[start : start + count]]
        if not settled and len(told) != len(lines):
            raise Wrong(f"{len(told)} lines are told of {len(lines)}")
        return told

    def _of(self, position: int) -> tuple[Attribution, Told]:
        """What a landing says of its lines, and what is known of it as a whole, as its record has it."""
        if position not in self._said:
            session = self.project.landing(position).session
            git = session.metadata.get("git")
            whole = Told("agent" if session.agent else "untracked" if git else "person")
            self._said[position] = self.project.attributions([position])[position], whole
        return self._said[position]


def _tokens(tree: Tree) -> set[int]:
    return {line.token for file in tree.values() for line in file.lines}
