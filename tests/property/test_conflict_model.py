"""Some thousands of the cases of `make conflicts`, and proof that they find a wrong rule."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from conflicts import __main__ as command
from conflicts.check import CASES, Wrong, check_history
from conflicts.model import (
    EXECUTABLE,
    GITLINK,
    GROUP_WRITABLE,
    LINK,
    REGULAR,
    Clash,
    Differ,
    File,
    History,
    merge_lines,
    three_way,
)
from mic.core.merge3 import MergeResult, merge3
from mic.core.tree import Leaf
from mic.ledger import batch, conflict, request
from mic.ledger.batch import Batch
from mic.ledger.effects import Protocol
from mic.ledger.line import Line

GROUPS = 4
HISTORIES = 24
# Histories within which each planted mistake must be found.
BOUND = 12

Mistake = Callable[[pytest.MonkeyPatch], None]


@pytest.mark.parametrize("group", range(GROUPS))
def test_every_verdict_is_the_models(group: int) -> None:
    """Sessions land, merge, clash or are refused as the model says, and every outcome occurs."""
    answers: Counter[str] = Counter()
    for seed in range(group, HISTORIES, GROUPS):
        answers += check_history(seed).answers
    assert answers.total() == HISTORIES // GROUPS * CASES
    for name in ("landed", "merged", "conflict", "conflict of a file and a directory", "base_mismatch"):
        assert answers[name] > 5, f"no case ends so: {name}"


# ---------------------------------------------------------------- the model itself


def test_the_model_knows_the_rules() -> None:
    """The rules of docs/users/conflicts.md, case by case, against literals."""
    old = [b"0001 a\n", b"0002 b\n", b"0003 c\n", b"0004 d\n"]
    first, last, third = [b"0001 A\n", *old[1:]], [*old[:3], b"0004 D"], [*old[:2], b"0003 C\n", old[3]]
    assert merge_lines(old, first, last) == [b"0001 A\n", b"0002 b\n", b"0003 c\n", b"0004 D"]
    assert merge_lines(old, first, old[:3]) == [b"0001 A\n", b"0002 b\n", b"0003 c\n"]
    assert merge_lines(old, third, third) == third
    with pytest.raises(Differ):  # adjacent lines
        merge_lines(old, last, third)
    with pytest.raises(Differ):  # two things put at one place
        merge_lines(old, [*old, b"0005 e\n"], [*old, b"0006 f\n"])
    text, other = (REGULAR, b"0001 a\n"), (REGULAR, b"0001 b\n")
    assert three_way(text, (EXECUTABLE, b"0001 a\n"), other) == (EXECUTABLE, b"0001 b\n")
    assert three_way(text, None, text) is None
    never: tuple[tuple[File | None, File | None, File | None], ...] = (
        (text, None, other),
        (None, text, other),
        (text, (EXECUTABLE, b"0001 a\n"), (GROUP_WRITABLE, b"0001 a\n")),
        (text, (LINK, b"0001 a\n"), other),
        ((GITLINK, b"a"), (GITLINK, b"b"), (GITLINK, b"c")),
        (text, (REGULAR, b"\x00"), other),
    )
    for old_file, mine, theirs in never:
        with pytest.raises(Differ):
            three_way(old_file, mine, theirs)


def test_the_model_knows_what_is_in_the_way() -> None:
    """A file below a file, a file over a directory, and both where what is in the way is deleted too."""
    file = (REGULAR, b"0001 a\n")
    history = History()
    history.append({b"a": file, b"d/e": file})
    history.append({b"d/f": file})
    assert history.judge(0, {b"a/b": file}, {b"a/b": None}).clashes == {b"a/b": Clash("directory_over_file", b"a", 1)}
    assert history.judge(1, {b"a/b": file}, {b"a/b": None}).clashes == {b"a/b": Clash("directory_over_file", b"a", 0)}
    assert history.judge(1, {b"a/b": file, b"a": None}, {b"a/b": None, b"a": file}).edits == {b"a/b": file, b"a": None}
    wants, claims = {b"d": file, b"d/e": None}, {b"d": None, b"d/e": file}
    assert history.judge(1, wants, claims).clashes == {b"d": Clash("file_over_directory", b"d/f", 2)}


# ---------------------------------------------------------------- planted mistakes


def _modes_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    def alike(leaf: Leaf, index: int, other: Leaf, at: int) -> bool:
        return leaf.entry(index).hash == other.entry(at).hash

    monkeypatch.setattr(Leaf, "alike", alike)


def _odd_modes_are_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    merge = conflict._merge

    def strict(line: Line, sent: Any, old: Any, mine: Any, now: Any, *rest: Any) -> Protocol[Any]:
        if any(side is not None and side.mode == GROUP_WRITABLE for side in (old, mine, now)):
            return None
        return (yield from merge(line, sent, old, mine, now, *rest))

    monkeypatch.setattr(conflict, "_merge", strict)


def _base_is_head(monkeypatch: pytest.MonkeyPatch) -> None:
    def root(line: Line, position: int) -> Protocol[bytes]:
        yield from ()
        assert line.head is not None
        return line.head.tree

    monkeypatch.setattr(request, "tree_at", root)


def _trusts_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "check_base", lambda session, base: None)


def _nothing_is_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conflict, "_beneath_a_file", lambda *_: ("", None))


def _files_below_are_not_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*_: object) -> Protocol[set[bytes]]:
        yield from ()
        return set()

    monkeypatch.setattr(conflict, "_FEW", 0)
    monkeypatch.setattr(conflict, "occupied", nothing)


def _deleted_files_are_in_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    over = conflict._over_files
    monkeypatch.setattr(
        conflict, "_over_files", lambda line, nodes, tree, path, wanted: over(line, nodes, tree, path, {})
    )


def _neighbours_are_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    def alone(one: Batch, before: Any) -> Protocol[Any]:
        yield from ()
        return before.moved

    monkeypatch.setattr(Batch, "_moved", alone)


def _touching_edits_merge(monkeypatch: pytest.MonkeyPatch) -> None:
    def merge(base: bytes, ours: bytes, theirs: bytes) -> MergeResult:
        result = merge3(base, ours, theirs)
        if result.clean:
            return result
        # Line by line, as if neighbours did not matter.
        sides = [side.splitlines(keepends=True) for side in (base, ours, theirs)]
        if len({len(side) for side in sides}) > 1:
            return result
        merged = [
            mine if now in (old, mine) else now if mine == old else None for old, mine, now in zip(*sides, strict=True)
        ]
        lines = [line for line in merged if line is not None]
        return MergeResult(True, b"".join(lines), 0) if len(lines) == len(merged) else result

    monkeypatch.setattr(conflict, "merge3", merge)


def _theirs_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    def merge(line: Line, sent: Any, old: Any, mine: Any, now: Any, *rest: Any) -> Protocol[Any]:
        yield from ()
        return (now, b"") if old and mine and now and old.hash == now.hash else None

    monkeypatch.setattr(conflict, "_merge", merge)


def _names_the_base(monkeypatch: pytest.MonkeyPatch) -> None:
    judge = conflict.judge

    def late(*arguments: Any) -> Protocol[Any]:
        verdict = yield from judge(*arguments)
        clashes = [clash._replace(theirs_position=max(0, clash.theirs_position - 1)) for clash in verdict.clashes]
        return verdict._replace(clashes=clashes)

    monkeypatch.setattr(batch, "judge", late)


MISTAKES: Sequence[Mistake] = (
    _modes_do_not_count,
    _odd_modes_are_no_text,
    _base_is_head,
    _trusts_the_base,
    _nothing_is_in_the_way,
    _files_below_are_not_looked_for,
    _deleted_files_are_in_the_way,
    _neighbours_are_not_looked_at,
    _touching_edits_merge,
    _theirs_wins,
    _names_the_base,
)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.__name__.strip("_"))
def test_a_wrong_rule_is_found(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mistake is found within a few histories."""
    mistake(monkeypatch)

    def look() -> None:
        for seed in range(BOUND):
            check_history(seed)

    with pytest.raises(Wrong):
        look()


# ---------------------------------------------------------------- the command


def test_the_command_goes_on_where_it_stopped(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """A second run counts what the first one checked, and a torn last line does not count."""
    state = tmp_path / "state"
    cases = str(2 * CASES)
    assert command.main(["--cases", cases, "--jobs", "1", "--state", str(state)]) == 0
    first = capsys.readouterr().out
    assert f"{2 * CASES:,} cases to check" in first
    assert "\n0 wrong\n" in first
    assert command.main(["--cases", cases, "--jobs", "1", "--state", str(state)]) == 0
    assert f"0 cases to check, 1 at a time; {2 * CASES:,} were right before" in capsys.readouterr().out
    state.write_text(state.read_text()[:-4])
    assert command.main(["--cases", cases, "--jobs", "1", "--state", str(state)]) == 0
    assert f"{2 * CASES:,} cases to check" in capsys.readouterr().out


def test_the_command_says_what_is_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """A wrong verdict is told with its case, and the command fails."""
    _names_the_base(monkeypatch)
    assert command.main(["--history", "0"]) == 1
    told = capsys.readouterr().out
    assert "WRONG: seed 0, position " in told
    assert "must be told ('conflict'" in told
