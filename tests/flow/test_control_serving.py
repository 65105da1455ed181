"""Starting, stopping and refusing to start; health; what every answer carries."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from browser import Browser
from forge_process import Forge

POLICY = (
    "default-src 'none'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)


@pytest.fixture
def own_forge(tmp_path: Path) -> Iterator[Forge]:
    """As everywhere, but started by its command alone: that is what is tested here."""
    made = Forge(tmp_path / "data", whole=True)
    yield made
    made.end()


def _serve(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return _run(data_dir, "serve", *arguments, **settings)


def _run(data_dir: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("MICELIO_")}
    environment = clean | {"MICELIO_DATA_DIR": str(data_dir), "PORT": "0", "GRPC_PORT": "0"} | settings
    return subprocess.run(
        [sys.executable, "-m", "micelio", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def _refused(done: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a start that was refused."""
    assert done.returncode == 1, done
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("micelio: ")
    return lines[0]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/health", 200),
        ("/health/live", 200),
        ("/health/ready", 200),
        ("/-/sign-in", 200),
        ("/-/sign-up", 200),
        ("/-/account", 302),
        ("/-/device", 302),
        ("/.well-known/micelio.json", 200),
        ("/.well-known/openid-configuration", 200),
        ("/-/no/such/page", 404),
        ("/%ff/%fe", 404),
        ("/-/sign-out", 405),
    ],
)
def test_every_answer_carries_the_security_headers(browser: Browser, path: str, status: int) -> None:
    """Pages, native routes, redirects and misses, through the real server."""
    answer = browser.get(path)
    assert answer.status_code == status
    assert POLICY in answer.headers.get_list("content-security-policy")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert "server" not in answer.headers


def test_answers_to_foreign_hosts_and_huge_bodies_carry_them_too(browser: Browser) -> None:
    """A Host that is not ours is a 400, a body over 2 MiB a 413."""
    foreign = browser.get("/-/sign-in", headers={"Host": "evil.example"})
    huge = browser.post("/-/sign-in", content=b"x" * (2 * 1024 * 1024 + 1))
    assert (foreign.status_code, huge.status_code) == (400, 413)
    for answer in (foreign, huge):
        assert POLICY in answer.headers.get_list("content-security-policy")


def test_discovery_names_everything_a_client_needs(forge: Forge, browser: Browser) -> None:
    """One document, with addresses under the configured base URL."""
    base = forge.base_url
    assert browser.get("/.well-known/micelio.json").json() == {
        "name": "Micelio",
        "version": "0.3.0",
        "base_url": base,
        "grpc": forge.grpc_address,
        "grpc_tls": False,
        "device_authorization_endpoint": f"{base}/-/oauth/device/code",
        "token_endpoint": f"{base}/-/oauth/token",
        "revocation_endpoint": f"{base}/-/oauth/revoke",
        "client_id": "mic-cli",
        "scope": "mic",
    }
    document = browser.get("/.well-known/openid-configuration", headers={"Host": "127.0.0.1"}).json()
    assert document["issuer"] == base
    assert browser.get("/-/oauth/jwks.json").json()["keys"][0]["kty"] == "RSA"


def test_readiness_names_what_failed(own_forge: Forge) -> None:
    """503 while the database or the store cannot be reached; 200 again when it can; live throughout."""
    url = f"{own_forge.base_url}/health/ready"
    store = own_forge.data_dir / "store"
    away = own_forge.data_dir / "away"
    for name, gone in (("store", _moved(store, away)), ("database", own_forge.database.unreachable())):
        with gone:
            answer = httpx.get(url)
        assert (answer.status_code, answer.json()["failed"]) == (503, [name])
        assert httpx.get(f"{own_forge.base_url}/health/live").status_code == 200
    assert httpx.get(url).json() == {"status": "ok", "failed": [], "checks": {"database": True, "store": True}}


@contextlib.contextmanager
def _moved(path: Path, away: Path) -> Iterator[None]:
    path.rename(away)
    yield
    away.rename(path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_exit_code_0(own_forge: Forge, number: int) -> None:
    """In a few seconds, also with an idle connection open and the signal sent twice."""
    with httpx.Client(base_url=own_forge.base_url) as client:
        client.get("/health")
        own_forge.process.send_signal(number)
        begun = time.monotonic()
        assert own_forge.stop(number) == 0
    assert time.monotonic() - begun < 10
    assert own_forge.log() == ""


def test_second_start_keeps_keys_people_and_sessions(own_forge: Forge) -> None:
    """Everything is in the data directory: a signed-in browser stays signed in."""
    with Browser(own_forge.base_url) as browser:
        browser.sign_in_once(own_forge.once_link)
        keys = {path.name: path.read_bytes() for path in (own_forge.data_dir / "keys").iterdir()}
        own_forge.restart()
        assert "admin" in browser.get("/-/account").text
    assert keys == {path.name: path.read_bytes() for path in (own_forge.data_dir / "keys").iterdir()}


def test_keys_are_readable_by_the_owner_alone(forge: Forge) -> None:
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (forge.data_dir / "keys").iterdir()}
    assert modes == {"secret_key": 0o600, "encryption_key": 0o600, "oidc.pem": 0o600}
    assert stat.S_IMODE(forge.data_dir.stat().st_mode) == 0o700


def test_one_data_directory_has_one_server(own_forge: Forge) -> None:
    """The running one is named, also when its ports are in the way of the second start."""
    same = {"PORT": own_forge.base_url.rpartition(":")[2], "GRPC_PORT": own_forge.grpc_address.rpartition(":")[2]}
    for ports in ({}, same):
        sentence = _refused(_serve(own_forge.data_dir, **ports))
        assert f"already serves {own_forge.data_dir} (process {own_forge.process.pid})." in sentence
    assert httpx.get(f"{own_forge.base_url}/health").status_code == 200


@pytest.mark.parametrize("setting", ["PORT", "GRPC_PORT"])
def test_a_port_in_use_is_one_sentence_and_leaves_nothing(tmp_path: Path, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        sentence = _refused(_serve(tmp_path / "a" / "b", **{setting: str(port)}))
    assert str(port) in sentence
    assert setting in sentence
    assert list(tmp_path.iterdir()) == []


def test_two_ports_in_use_are_named_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as web, socket.create_server(("127.0.0.1", 0)) as grpc:
        ports = {"PORT": web.getsockname()[1], "GRPC_PORT": grpc.getsockname()[1]}
        sentence = _refused(_serve(tmp_path / "data", **{name: str(port) for name, port in ports.items()}))
    for name, port in ports.items():
        assert f"Port {port} ({name}) on 127.0.0.1 cannot be used" in sentence
    assert list(tmp_path.iterdir()) == []


def test_the_start_says_where_the_data_is(own_forge: Forge) -> None:
    assert f"Data is in {own_forge.data_dir}." in own_forge.said.splitlines()


@pytest.mark.parametrize("command", [("rebuild",), ("token", "ada"), ("link", "ada")])
def test_commands_beside_the_forge_make_no_new_one(tmp_path: Path, command: tuple[str, ...]) -> None:
    """A wrong data directory is one sentence, and stays as it was."""
    done = _run(tmp_path / "wrong", *command)
    assert done.returncode == 1
    assert done.stderr.startswith(f"micelio: There is no forge in {tmp_path / 'wrong'}. ")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("days", ["0", "-1", "3651", "many", "99999999999"])
def test_a_token_for_no_time_or_for_ever_is_refused(forge: Forge, days: str) -> None:
    done = _run(forge.data_dir, "token", "admin", f"--days={days}")
    assert (done.returncode, done.stdout) == (2, "")
    assert "is not a number of days from 1 to 3,650" in done.stderr


def test_a_data_directory_that_cannot_be_made_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    sentence = _refused(_serve(tmp_path / "file" / "data"))
    assert str(tmp_path / "file" / "data") in sentence
    assert (tmp_path / "file").read_text() == "in the way"


def test_an_unwritable_place_is_one_sentence() -> None:
    """/proc takes no folder from anybody, root included."""
    assert "/proc/micelio" in _refused(_serve(Path("/proc/micelio/data")))


@pytest.mark.parametrize("text", ['{"format": 2}', "not json", "{}"])
def test_a_directory_of_a_newer_or_unknown_format_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "instance.json").write_text(text)
    assert str(tmp_path) in _refused(_serve(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["instance.json"]


def test_an_unknown_setting_is_one_sentence_and_leaves_nothing(tmp_path: Path) -> None:
    assert "MICELIO_PROT" in _refused(_serve(tmp_path / "data", MICELIO_PROT="4000"))
    assert list(tmp_path.iterdir()) == []


def test_a_start_that_was_killed_half_way_is_finished_by_the_next(own_forge: Forge) -> None:
    """A cut-off key file and an empty database, as a kill at the worst moment leaves them."""
    own_forge.stop()
    (own_forge.data_dir / "keys" / "secret_key").unlink()
    (own_forge.data_dir / "keys" / "secret_key.part").write_text("half")
    own_forge.database.lose()
    own_forge.start()
    assert httpx.get(f"{own_forge.base_url}/health/ready").status_code == 200


def test_a_database_of_a_newer_version_is_refused(own_forge: Forge) -> None:
    own_forge.stop()
    with own_forge.database.opened() as rows:
        rows.change("INSERT INTO django_migrations (app, name, applied) VALUES ('accounts', '9999_x', '2030-01-01')")
    assert "accounts.9999_x" in _refused(_serve(own_forge.data_dir, **own_forge.database.settings))


def test_models_and_migrations_agree(forge: Forge) -> None:
    forge.run("migrate-check")


def test_the_command_runs_through_a_symlink_from_anywhere(tmp_path: Path) -> None:
    """The installed shell file finds the Python beside itself."""
    script = Path(__file__).parents[2] / "scripts" / "micelio"
    (tmp_path / "bin with space").mkdir()
    installed = tmp_path / "bin with space" / "micelio"
    installed.write_bytes(script.read_bytes())
    installed.chmod(0o755)
    python = installed.parent / "python"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "m").symlink_to("../bin with space/micelio")
    done = subprocess.run(
        [str(tmp_path / "elsewhere" / "m"), "--version"], capture_output=True, text=True, check=True, cwd="/"
    )
    assert done.stdout == "micelio 0.3.0\n"
