"""Random commands in two working copies, by fixed seeds: nothing is lost. `make fuzz-cli` tells many more stories."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from forge_process import Forge
from sequences.habits import Habits, habits_of
from sequences.places import LINK, Wrong
from sequences.stories import Stage, opened, tell, tell_widely

# Each went wrong once: a switch that two undos took back; a folder that was removed and written into.
SEEDS = (203, 290)
# With branches, parts of the project, stacked sessions and a network that goes and comes.
WIDE = (1003,)
# With odd names, links and modes, commands that are killed, two at once, and long off line.
WIDER = (20110,)


def test_stories(forge: Forge, tmp_path: Path) -> None:
    """What lands stays, what is undone comes back, what is pushed can be taken up elsewhere."""
    stage = Stage(forge, tmp_path)
    for seed in SEEDS:
        story = tell(stage, random.Random(seed), 45)
        assert not story.wrong, "\n".join([*story.lines, story.wrong])


def test_wide_stories(forge: Forge, tmp_path: Path) -> None:
    """The same holds on branches, in a part of the project, on another session's work, and off line."""
    stage = Stage(forge, tmp_path)
    for seed in WIDE:
        story = tell(stage, random.Random(seed), 25, wide=True)
        assert not story.wrong, "\n".join([*story.lines, story.wrong])


def test_wider_stories(forge: Forge, tmp_path: Path) -> None:
    """The same holds for links and modes, when commands are killed, and when two run at once."""
    stage = Stage(forge, tmp_path)
    for seed in WIDER:
        habits = habits_of(seed)
        assert habits.names() == ["odd names", "links and modes", "killed commands", "two at once", "long off line"]
        story = tell_widely(stage, random.Random(seed), 16, habits=habits)
        assert not story.wrong, "\n".join([*story.lines, story.wrong])


def test_what_a_killed_command_loses_is_missed(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link, too, is something that can be lost; one that comes back with an undo is not."""
    machine = opened(Stage(forge, tmp_path), random.Random(1), habits=Habits(killed=1.0))
    place = machine.places[0]
    place.write("a", LINK + b"nowhere-1")
    place.write("b", b"line 1\n")
    machine.land(place)
    machine.goto(place)
    place.write("c", LINK + b"nowhere-2")

    def careless(argv: tuple[str, ...], limit: int) -> tuple[int, str, str]:
        (place.folder / "c").unlink()
        return 137, "", ""

    monkeypatch.setattr(place, "cut_short", careless)
    with pytest.raises(Wrong, match="nowhere-2.* are gone from ada, and do not come back"):
        machine.run(place, "sync")


def test_a_line_that_is_lost_is_found(forge: Forge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The model sees a landing that lacks a line, and a refusal that changed a file."""
    machine = opened(Stage(forge, tmp_path), random.Random(1))
    place = machine.places[0]
    place.write("a", b"line 1\nline 2\n")
    whole = machine.tree
    monkeypatch.setattr(machine, "tree", lambda at: {**whole(at), "a": b"line 1\n"} if at else {})
    with pytest.raises(Wrong, match="@1 lacks"):
        machine.land(place)
    command = place.mic

    def careless(*argv: str) -> tuple[int, str, str]:
        place.write("b", b"line 3\n")
        return command(*argv)

    monkeypatch.setattr(place, "mic", careless)
    with pytest.raises(Wrong, match="it refused"):
        machine.run(place, "session", "note", "nowhere")


def test_a_session_that_another_is_begun_on_is_pushed_as_it_stands(forge: Forge, tmp_path: Path) -> None:
    """Seed 298834908: what was deleted before that is not there when it is resumed, and nothing says that it should."""
    machine = opened(Stage(forge, tmp_path), random.Random(1), wide=True)
    place, other = machine.places
    place.write("a", b"line 1\n")
    machine.start(place)
    machine.push(place)
    ((session, pushed),) = machine.pushed.items()
    assert pushed == ("ada", {b"line 1"})
    (place.folder / "a").unlink()
    place.write("b", b"line 2\n")
    machine.stack(place)
    assert machine.pushed == {session: ("ada", {b"line 2"})}
    machine.undo(place)
    for each in (place, other):
        machine.resume(each)
        assert each.disk() == {"b": b"line 2\n"}
