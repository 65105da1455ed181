"""A new file is there when it is whole; what a killed command left is in nobody's way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from mic.cli.transfer import new_file as module
from mic.cli.transfer.new_file import new_file
from mic.core.errors import AlreadyExists, Busy


def test_it_is_there_at_the_end(tmp_path: Path) -> None:
    place = tmp_path / "a"
    with new_file(str(place)) as file:
        file.write(b"all")
        assert not place.exists()
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": b"all"}
    with pytest.raises(AlreadyExists, match="There is a file"), new_file(str(place)):
        raise AssertionError
    assert place.read_bytes() == b"all"


def test_nothing_stays_of_an_error(tmp_path: Path) -> None:
    def write() -> None:
        with new_file(str(tmp_path / "a")) as file:
            file.write(b"half")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert list(tmp_path.iterdir()) == []


def test_what_was_left_is_written_anew(tmp_path: Path) -> None:
    """A longer rest of a killed command does not end up behind what is written now."""
    (tmp_path / "a.mic-part").write_bytes(b"left by a killed command")
    with new_file(str(tmp_path / "a")) as file:
        file.write(b"all")
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": b"all"}


def test_ended_by_somebody_else(tmp_path: Path) -> None:
    """SIGTERM and SIGHUP leave no half of it, as Ctrl-C does not."""
    code = (
        "import os, sys; from mic.cli.transfer.new_file import new_file\n"
        "with new_file(sys.argv[1]) as file: file.write(b'half'); os.kill(os.getpid(), int(sys.argv[2]))"
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        command = [sys.executable, "-c", code, str(tmp_path / "a"), str(int(number))]
        assert subprocess.run(command, check=False).returncode == 128 + number
        assert list(tmp_path.iterdir()) == []


def test_a_link_in_its_way_is_not_followed(tmp_path: Path) -> None:
    """A tree that was cloned may hold one, to any file of whoever exports into it."""
    (tmp_path / "profile").write_bytes(b"mine")
    (tmp_path / "a.mic-part").symlink_to("profile")
    with pytest.raises(AlreadyExists, match=r"a\.mic-part is a link\."), new_file(str(tmp_path / "a")):
        raise AssertionError
    assert (tmp_path / "profile").read_bytes() == b"mine"
    assert (tmp_path / "a.mic-part").is_symlink()


def test_two_at_once(tmp_path: Path) -> None:
    """The second says so, and takes nothing from the first."""
    place = str(tmp_path / "a")
    with new_file(place) as file:
        file.write(b"all")
        file.flush()
        with pytest.raises(Busy, match="Another command writes"), new_file(place):
            raise AssertionError
    assert (tmp_path / "a").read_bytes() == b"all"


def test_the_first_ends_while_the_second_opens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has the file of the other in hand, under its name by now, and leaves it alone."""
    place = tmp_path / "a"
    (tmp_path / "a.mic-part").write_bytes(b"all")
    lock = module.fcntl.flock

    def late(file: object, how: int) -> None:
        os.rename(f"{place}.mic-part", place)
        lock(file, how)  # type: ignore[arg-type]

    monkeypatch.setattr(module.fcntl, "flock", late)
    with pytest.raises(AlreadyExists), new_file(str(place)):
        raise AssertionError
    assert {each.name: each.read_bytes() for each in tmp_path.iterdir()} == {"a": b"all"}
