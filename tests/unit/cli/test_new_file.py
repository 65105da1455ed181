"""A new file is there when it is whole; what a killed command left is in nobody's way."""

from __future__ import annotations

import os
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
