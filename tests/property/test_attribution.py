"""Some hundreds of the landings of `make fuzz-attribution`, and proof that they find a wrong rule and make it small."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from attribution import __main__ as command
from attribution.check import check_story
from attribution.model import Wrong


@pytest.mark.parametrize("seed", range(3))
def test_every_line_is_told_who_wrote_it(seed: int) -> None:
    told = check_story(seed)
    assert told.landings > 100
    for what in ("agent lines", "person lines", "untracked lines", "merged landings", "sessions that clashed"):
        assert told.seen[what] > 5, what


def _by_number(base: bytes, ours: bytes, theirs: bytes) -> list[int]:
    return list(range(1000))


# Each is a way in which attribution is known to go wrong elsewhere.
WRONG: dict[str, tuple[str, Callable[..., Any]]] = {
    "lines are taken by their number after a merge": ("mic.ledger.conflict.lines_of_ours", _by_number),
    "what is said of a merged content is lost": ("mic.ledger.batch.landed", lambda session, edits, others: session),
    "whoever indents a line has written it": ("mic.ledger.blame.carried", lambda *_: []),
    "whoever works next has written what came before": (
        "mic.core.attribution.followed",
        lambda old, new: [-1] * new.count(b"\n"),
    ),
    "what is not said is a person's": (
        "attribution.check.authors",
        lambda said, whole, path, first, lines: iter([(first, lines, whole._replace(kind="person"))]),
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_rule_is_found(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(*WRONG[name])
    with pytest.raises(Wrong):
        sum(check_story(seed).landings for seed in range(5))


def test_what_goes_wrong_is_made_small(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(*WRONG["whoever indents a line has written it"])
    assert command.main(["--story", "0", "--tries", "20"]) == 1
    said = capsys.readouterr().out
    (without,) = re.findall(r"--story 0 --without ([0-9,]+)", said)
    assert int(re.findall(r"([0-9]+) of 250 events are enough", said)[0]) < 60
    assert command.main(["--story", "0", "--without", without]) == 1
    monkeypatch.undo()
    assert command.main(["--story", "0", "--without", without]) == 0
