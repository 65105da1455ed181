"""A gate is asked about the tree that a session lands on, whatever landed between the question and the swap."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from ledgers import LINK, Traced, contents, request, traced
from mic.core.errors import Protected
from mic.core.tree import Entry
from mic.ledger.effects import Effect, PutIf
from mic.ledger.ledger import Ledger
from mic.ledger.project import Landed, LandRequest, Project
from mic.store import MemoryStore

RULE = b"rule"


class Door:
    """A gate that lets through what the file `rule` names, a path a line; without the file, everything."""

    path = RULE
    limit = 100

    def __init__(self, known: dict[bytes, bytes] | None = None) -> None:
        self.asked: list[tuple[bytes | None, list[bytes]]] = []
        self._known = known or {}

    def knows(self, content: bytes) -> bool:
        return content in self._known

    def judge(self, entry: Entry | None, content: bytes | None, paths: Collection[bytes]) -> None:
        if entry is not None and content is None:
            content = self._known.get(entry.hash)
        self.asked.append((content, sorted(paths)))
        if entry is not None and not set(paths) <= set((content or b"").splitlines()):
            raise Protected("not let through")


def _gated(wish: LandRequest, gate: Door) -> LandRequest:
    return wish._replace(gate=gate)


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def project(store: MemoryStore) -> Project:
    """A line whose first landing has made the rule: only `a` is let through."""
    made, _ = traced(store)
    made.create()
    made.land(request(made, 1, 0, {RULE: b"a\n", b"a": b"1", b"b": b"1"}))
    return made


def test_what_the_rule_lets_through_lands(project: Project) -> None:
    """And nothing else of a session when one path of it is not."""
    gate = Door()
    assert project.land(_gated(request(project, 2, 1, {b"a": b"2"}), gate)).position == 2
    with pytest.raises(Protected):
        project.land(_gated(request(project, 3, 2, {b"a": b"3", b"b": b"3"}), gate))
    assert contents(project)[b"a"][1] == b"2"
    # A refusal counts only when the head was read for it, so it may be asked for twice.
    assert gate.asked[0] == (b"a\n", [b"a"])
    assert set(map(str, gate.asked[1:])) == {str((b"a\n", [b"a", b"b"]))}


def test_the_rule_is_the_heads(project: Project) -> None:
    """A session that brings a rule along is judged by the one that is there."""
    with pytest.raises(Protected):
        project.land(_gated(request(project, 2, 1, {RULE: b"rule\na\nb\n", b"b": b"2"}), Door()))
    project.land(request(project, 3, 1, {RULE: b"b\n"}))
    with pytest.raises(Protected):
        project.land(_gated(request(project, 4, 1, {b"a": b"4"}), Door()))
    # Its base is older than the rule, which counts all the same.
    assert project.land(_gated(request(project, 5, 1, {b"b": b"5"}), Door())).position == 3


def test_what_is_so_already_is_not_asked_about(project: Project) -> None:
    """Only what a landing would change is somebody's to change."""
    gate = Door()
    project.land(request(project, 2, 1, {b"b": b"2"}))
    assert project.land(_gated(request(project, 3, 1, {b"a": b"2", b"b": b"2"}), gate)).position == 3
    assert gate.asked == [(b"a\n", [b"a"])]


def test_a_neighbour_in_the_group_changes_the_rule(project: Project) -> None:
    """Sessions that land together are judged one after the other, on what those before have made."""
    closing = request(project, 2, 1, {RULE: b"nothing\n"})
    refused = _gated(request(project, 3, 1, {b"a": b"3"}), Door())
    opening = request(project, 4, 1, {b"c": b"4"})
    outcomes = project.land_forwarded([refused, closing, opening])
    assert [type(outcome) for outcome in outcomes] == [Protected, Landed, Landed]
    assert contents(project)[b"a"][1] == b"1"


@pytest.mark.parametrize(("rule", "position"), [(b"b\n", None), (b"a\nb\n", 3)])
def test_the_rule_changes_between_the_question_and_the_swap(
    store: MemoryStore, project: Project, rule: bytes, position: int | None
) -> None:
    """Another front end lands it there: the swap is lost, and the gate is asked again about the head that is new."""
    there = Ledger(store).open("p")
    there.head()
    driver = project.driver
    assert isinstance(driver, Traced)
    gate = Door()
    wish = _gated(request(project, 2, 1, {b"a": b"2"}), gate)
    raced: list[Effect] = []

    def race(effect: Effect) -> None:
        if isinstance(effect, PutIf) and not raced:
            raced.append(effect)
            assert there.land(request(there, 9, 1, {RULE: rule})).position == 2

    driver.before = race
    if position is None:
        with pytest.raises(Protected):
            project.land(wish)
        assert contents(there)[b"a"][1] == b"1"
    else:
        assert project.land(wish).position == position
    assert [content for content, _ in gate.asked] == [b"a\n", rule]


def test_a_landing_elsewhere_does_not_ask_again(store: MemoryStore, project: Project) -> None:
    """What moved had nothing to do with the rule, nor with the session: the answer from before still holds."""
    there = Ledger(store).open("p")
    driver = project.driver
    assert isinstance(driver, Traced)
    gate = Door()
    wish = _gated(request(project, 2, 1, {b"a": b"2"}), gate)
    raced: list[Effect] = []

    def race(effect: Effect) -> None:
        if isinstance(effect, PutIf) and not raced:
            raced.append(effect)
            there.land(request(there, 9, 1, {b"c": b"9"}))

    driver.before = race
    assert project.land(wish).position == 3
    assert [content for content, _ in gate.asked] == [b"a\n"]


def test_a_rule_that_is_known_or_none_is_not_read(project: Project) -> None:
    """A link, what is larger than the limit, and what the gate has read before."""
    entry = project.entry(project.head().tree, RULE)
    assert entry is not None
    gate = Door({entry.hash: b"a\n"})
    project.land(_gated(request(project, 2, 1, {b"a": b"2"}), gate))
    assert gate.asked == [(b"a\n", [b"a"])]
    for number, rule in ((3, (LINK, b"a")), (5, b"a\n" * 51)):
        project.land(request(project, number, number - 1, {RULE: rule}))
        asked = Door()
        with pytest.raises(Protected):
            project.land(_gated(request(project, number + 1, number, {b"a": b"x"}), asked))
        assert set(map(str, asked.asked)) == {str((None, [b"a"]))}
        project.land(request(project, number + 100, number, {b"d": b"%d" % number}))
