"""A failing run is cut down to little, written to a file, and fails in the same way from there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mic.sim.__main__ import main
from mic.sim.faults import Fault
from mic.sim.minimise import minimise
from mic.sim.run import simulate
from mic.sim.schedule import Schedule, read, write
from mic.sim.world import Window
from mutants import MUTANTS


def test_schedule_file(tmp_path: Path) -> None:
    """What is written is read back; what is no schedule is refused."""
    schedule = Schedule((Fault(1, 2, "rot", 3),), (Window("slow", 0, 1, 2, True),), ("client 1",), ((0, 2),), "r2")
    write(tmp_path / "s.json", 7, schedule)
    assert read(tmp_path / "s.json") == (7, schedule)
    write(tmp_path / "s.json", 8, Schedule())
    assert read(tmp_path / "s.json") == (8, Schedule())
    for text in (
        "",
        "[]",
        '{"seed": 1}',
        '{"seed":1,"profile":"","drop":[],"skip":[],"windows":[],"faults":[[0,0,"x",0]]}',
    ):
        (tmp_path / "s.json").write_text(text)
        with pytest.raises(ValueError, match="schedule|kind of fault|Expecting"):
            read(tmp_path / "s.json")


def test_listed_faults_repeat_the_run() -> None:
    """The faults that a seed drew, given as a list, make the very same run."""
    drawn = next(outcome for outcome in map(simulate, range(40)) if len(outcome.faults) > 5)
    assert simulate(drawn.seed, Schedule(drawn.faults)).trace == drawn.trace
    assert simulate(drawn.seed, Schedule(drawn.faults[1:])).trace != drawn.trace


def test_a_failure_is_cut_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has nothing to do with the failure is left out, and the rest still fails, always in the same way."""
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "a session lands twice")
    mutant.patch(monkeypatch)
    failed = next(outcome for outcome in map(simulate, range(40)) if outcome.failure and len(outcome.faults) > 5)
    small, outcome = minimise(failed, lambda schedule: simulate(failed.seed, schedule), runs=150)
    assert small.faults is not None
    assert len(small.faults) < len(failed.faults)
    again = simulate(failed.seed, small)
    assert again.failure
    assert (again.failure, again.trace) == (outcome.failure, outcome.trace)


def test_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Seeds that hold exit with 0; one that fails with 1, and leaves a schedule that fails again; nonsense with 2."""
    monkeypatch.chdir(tmp_path)
    assert main(["--seed", "1"]) == 0
    assert "trace" in capsys.readouterr().out
    assert main(["--seeds", "x"]) == 2
    assert main(["--schedule", "absent.json"]) == 2
    mutant = next(mutant for mutant in MUTANTS if mutant.name == "the base is taken at landing time")
    mutant.patch(monkeypatch)
    seed = next(seed for seed in range(20) if simulate(seed).failure)
    assert main(["--seed", str(seed)]) == 1
    assert f"python -m mic.sim --seed {seed} --schedule sim-{seed}.json" in capsys.readouterr().out
    assert main(["--seed", str(seed), "--schedule", f"sim-{seed}.json"]) == 1
    assert "FAILED" in capsys.readouterr().out


def test_many_seeds_go_on_where_they_stopped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What held is written down and not run again."""
    state = tmp_path / "held"
    command = ["--seeds", "0:3", "--jobs", "1", "--state", str(state)]
    assert main(command) == 0
    assert "3 of 3 seeds to run" in capsys.readouterr().out
    assert main(command) == 0
    assert "0 of 3 seeds to run" in capsys.readouterr().out
