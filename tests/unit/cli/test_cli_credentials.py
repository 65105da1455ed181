"""Tokens on disk: readable by their owner only, written whole, kept per instance."""

from __future__ import annotations

import os
import resource
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mic.cli.forge import credentials
from mic.cli.forge.credentials import Credential
from mic.core.errors import MicError, Unauthenticated, Unavailable
from mic.rpc.discovery import Forge


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


def test_a_file_that_cannot_be_written_is_named_and_stays(folder: Path) -> None:
    """Whoever signs in on a full disk is told which file has no room; who is signed in already stays so."""
    credentials.store("https://a.example", Credential("a"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)  # Python ignores its signal
    resource.setrlimit(resource.RLIMIT_FSIZE, (1, limits[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            credentials.store("https://b.example", Credential("b"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.fsdecode(caught.value.filename) == str(folder / "credentials.json")
    assert [credentials.token_for(f"https://{name}.example") for name in "ab"] == ["a", ""]
    assert [path.name for path in folder.iterdir() if not path.name.endswith(".lock")] == ["credentials.json"]


class _Endpoint:
    """A forge's token endpoint that remembers what it was asked for."""

    def __init__(self, status: int = 200) -> None:
        self.status = status
        self.presented: list[str] = []

    def __call__(self, url: str, fields: dict[str, str]) -> tuple[int, dict[str, object]]:
        self.presented.append(fields["refresh_token"])
        number = len(self.presented)
        return self.status, {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": 900}


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> _Endpoint:
    made = _Endpoint()
    monkeypatch.setattr(credentials, "post_form", made)
    monkeypatch.setattr(credentials, "discover", lambda instance: Forge(instance, "", False, "", "", "", "mic-cli", ""))
    return made


def test_many_at_once_share_one_renewal(endpoint: _Endpoint) -> None:
    """Threads here stand for processes: the lock is of the open file, and each opens its own."""
    credentials.store("https://a.example", Credential("a0", "r0", expires_at=1))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: credentials.token_for("https://a.example"), range(8)))
    assert found == ["a1"] * 8
    assert endpoint.presented == ["r0"]


def test_one_forge_that_is_slow_holds_up_no_other(endpoint: _Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one answer is waited for, a second forge is asked and its tokens are stored."""
    for name in "ab":
        credentials.store(f"https://{name}.example", Credential("old", f"r-{name}", expires_at=1))
    asked, go = threading.Event(), threading.Event()

    def slow(url: str, fields: dict[str, str]) -> tuple[int, dict[str, object]]:
        if fields["refresh_token"] == "r-a":
            asked.set()
            assert go.wait(30)
        return endpoint(url, fields)

    monkeypatch.setattr(credentials, "post_form", slow)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(credentials.token_for, "https://a.example")
        assert asked.wait(30)
        assert credentials.token_for("https://b.example") == "a1"
        go.set()
        assert waiting.result(30) == "a2"
    assert [credentials.token_for(f"https://{name}.example") for name in "ab"] == ["a2", "a1"]


def test_a_clock_that_is_wrong_is_no_matter(endpoint: _Endpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    """A token lasts as long as the forge said from when it came, by whatever clock is here."""
    for now in (0.0, 1e9, 4e9):
        monkeypatch.setattr(credentials.time, "time", lambda now=now: now)
        credentials.store("https://a.example", credentials.from_answer({"access_token": "t", "expires_in": 900}))
        assert credentials.token_for("https://a.example") == "t"
    assert endpoint.presented == []


def test_a_token_that_the_forge_refuses_is_renewed_once(endpoint: _Endpoint) -> None:
    """The clock here was set back: the end is far away by it, and past by the forge's."""
    credentials.store("https://a.example", Credential("a0", "r0", expires_at=1 << 40))
    tokens = credentials.Tokens("https://a.example")
    assert tokens.current() == "a0"
    assert tokens.instead_of("a0") == "a1"
    assert tokens.current() == "a1"
    # Another process was refused at the same moment: it takes what is there.
    assert credentials.Tokens("https://a.example").instead_of("a0") == "a1"
    assert endpoint.presented == ["r0"]


def test_a_forge_in_trouble_is_no_lost_sign_in(endpoint: _Endpoint) -> None:
    """An answer of 500 or "too many" says nothing about the sign-in; a refusal says to sign in again."""
    for status, kind in ((503, Unavailable), (429, Unavailable), (400, Unauthenticated)):
        endpoint.status = status
        credentials.store("https://a.example", Credential("a0", "r0", expires_at=1))
        with pytest.raises(kind):
            credentials.token_for("https://a.example")
        assert credentials.stored("https://a.example") == Credential("a0", "r0", expires_at=1)


def test_a_token_without_a_successor_is_refused_in_the_forges_words() -> None:
    credentials.store("https://a.example", Credential("a0"))
    assert credentials.Tokens("https://a.example").instead_of("a0") == ""
    assert credentials.Tokens("https://b.example").instead_of("x") == ""
