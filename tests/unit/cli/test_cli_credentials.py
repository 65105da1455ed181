"""Tokens on disk: readable by their owner only, written whole, kept per instance."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mic.cli import credentials
from mic.cli.credentials import Credential
from mic.core.errors import MicError, Unauthenticated


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration folder of its own, and no variables."""
    for name in ("MICELIO_TOKEN", "MICELIO_INSTANCE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "mic"


def test_the_file_is_for_its_owner_alone(folder: Path) -> None:
    before = os.umask(0)
    try:
        credentials.store("https://a.example", Credential("secret"))
    finally:
        os.umask(before)
    assert stat.S_IMODE((folder / "credentials.json").stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert sorted(os.listdir(folder)) == ["credentials.json", "credentials.lock"]


def test_the_last_sign_in_is_the_default() -> None:
    assert credentials.default_instance() == "http://localhost:4000"
    credentials.store("https://a.example", Credential("a"))
    credentials.store("https://b.example", Credential("b"))
    assert credentials.default_instance() == "https://b.example"
    assert [credentials.token_for(f"https://{name}.example") for name in "abc"] == ["a", "b", ""]
    assert credentials.forget("https://b.example")
    assert not credentials.forget("https://b.example")
    assert credentials.default_instance() == "https://a.example"


def test_variables_come_first(monkeypatch: pytest.MonkeyPatch) -> None:
    credentials.store("https://a.example", Credential("a"))
    monkeypatch.setenv("MICELIO_TOKEN", "t")
    assert credentials.token_for("https://a.example") == "t"
    monkeypatch.setenv("MICELIO_INSTANCE", "https://c.example/")
    assert credentials.default_instance() == "https://c.example"
    assert credentials.token_for("https://c.example") == "t"
    assert credentials.token_for("https://a.example") == "a"


def test_expired_without_a_way_to_renew() -> None:
    credentials.store("https://a.example", Credential("a", expires_at=1))
    with pytest.raises(Unauthenticated, match="has expired"):
        credentials.token_for("https://a.example")


def test_a_damaged_file_is_named(folder: Path) -> None:
    folder.mkdir()
    (folder / "credentials.json").write_text("{")
    with pytest.raises(MicError, match=r"credentials\.json cannot be read"):
        credentials.default_instance()
