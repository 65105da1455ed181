"""The id of what is made once: kept over a command that was stopped, and nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from mic.cli.forge.made_once import made_once
from mic.core.errors import InvalidInput, Unavailable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where settings are, which are not there yet."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "mic"


def stopped(what: bytes, error: BaseException) -> bytes:
    """The id that a command had which ended like this."""
    with pytest.raises(type(error)), made_once(what) as once:
        raise error
    return once.id


@pytest.mark.parametrize("error", [KeyboardInterrupt(), Unavailable("gone"), BrokenPipeError()])
def test_stopped_it_is_the_same_again(folder: Path, error: BaseException) -> None:
    ident = stopped(b"a", error)
    assert len(ident) == 16
    assert stopped(b"a", error) == ident
    assert stopped(b"b", error) != ident
    with made_once(b"a") as once:
        assert (once.id, once.again) == (ident, True)
    with made_once(b"a") as once:
        assert once.id != ident
        assert not once.again


def test_ended_or_refused_it_is_forgotten(folder: Path) -> None:
    with made_once(b"a"):
        (path,) = folder.iterdir()
        assert path.stat().st_mode & 0o777 == 0o600
    assert list(folder.iterdir()) == []
    stopped(b"a", InvalidInput("no"))
    assert list(folder.iterdir()) == []


def test_two_at_once_have_two(folder: Path) -> None:
    ident = stopped(b"a", KeyboardInterrupt())
    with made_once(b"a") as first, made_once(b"a") as second:
        assert first.id == ident != second.id
        assert not second.again
    assert list(folder.iterdir()) == []


def test_used_up_it_is_another_and_that_is_kept(folder: Path) -> None:
    ident = stopped(b"a", KeyboardInterrupt())

    def used_up() -> None:
        with made_once(b"a") as once:
            once.renew()
            found.append(once.id)
            raise KeyboardInterrupt

    found: list[bytes] = []
    with pytest.raises(KeyboardInterrupt):
        used_up()
    assert found != [ident]
    assert [stopped(b"a", KeyboardInterrupt())] == found


@pytest.mark.parametrize("raw", [b"", b"x", b"x" * 17])
def test_a_damaged_file_is_none(folder: Path, raw: bytes) -> None:
    stopped(b"a", KeyboardInterrupt())
    (path,) = folder.iterdir()
    path.write_bytes(raw)
    with made_once(b"a") as once:
        assert (len(once.id), once.again) == (16, False)


def test_where_nothing_can_be_written_there_is_an_id(folder: Path) -> None:
    folder.write_text("a file")
    with made_once(b"a") as once:
        assert len(once.id) == 16
