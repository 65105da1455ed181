"""Telemetry: nothing at all until it is turned on, and then what `mic config telemetry` shows."""

from __future__ import annotations

import json
import os
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from mic.cli.main import main
from mic.cli.settings import telemetry
from mic.cli.settings.release import platform_here
from mic.cli.settings.user_config import TelemetryConfig
from mic.version import VERSION


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Somebody's settings."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path / "mic"


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """What a command printed."""
    assert main(list(argv)) == 0
    return capsys.readouterr().out


def test_off_is_nothing(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """No file, no process, no connection; also where the settings say yes and nobody turned it on here."""

    def never(*_: object) -> None:
        raise AssertionError("something was about to be sent")

    monkeypatch.setattr(socket, "socket", never)
    monkeypatch.setattr(os, "fork", never)
    said(capsys, "config", "list")
    assert said(capsys, "config", "telemetry").startswith("Telemetry is off: nothing is counted, nothing is sent.\n")
    assert not home.exists()
    home.mkdir()
    (home / "config.toml").write_text('[telemetry]\nenabled = true\naddress = "https://example.org/"\n')
    said(capsys, "config", "list")
    (home / "config.toml").write_text("[telemetry]\nenabled = false\n")
    (home / "telemetry.json").write_text('{"2026-01-01": {"land": {"runs": 1, "exit_codes": {"0": 1}}}}')
    before = (home / "telemetry.json").read_bytes()
    said(capsys, "config", "list")
    assert (home / "telemetry.json").read_bytes() == before
    assert not telemetry.send(TelemetryConfig(False, "https://example.org/"))


def test_on_counts_names_and_codes(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Never a word that somebody typed; without an address it stays here; off takes the counts away."""
    monkeypatch.setattr(telemetry, "_today", lambda: "2026-11-30")
    said(capsys, "config", "set", "telemetry.enabled", "true")
    main(["config", "get", "secret-thing"])
    main(["secret-project", "x"])
    counts = json.loads((home / "telemetry.json").read_text())
    assert counts == {
        "2026-11-30": {
            "config": {"runs": 2, "exit_codes": {"0": 1, "2": 1}},
            "other": {"runs": 1, "exit_codes": {"2": 1}},
        }
    }
    capsys.readouterr()
    assert "there is no telemetry.address" in said(capsys, "config", "telemetry")
    said(capsys, "config", "set", "telemetry.enabled", "false")
    assert not (home / "telemetry.json").exists()
    said(capsys, "config", "set", "telemetry.enabled", "true")
    assert said(capsys, "config", "unset", "telemetry.enabled") == "telemetry.enabled = false  (not set)\n"
    assert not (home / "telemetry.json").exists()


def test_what_is_shown_is_what_is_sent(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the byte; once; and then the days are forgotten."""
    got: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_address[1]}/counts"
    monkeypatch.setattr(telemetry, "_send_beside", lambda config: None)
    try:
        monkeypatch.setattr(telemetry, "_today", lambda: "2026-11-29")
        said(capsys, "config", "set", "telemetry.enabled", "true")
        said(capsys, "config", "set", "telemetry.address", address)
        monkeypatch.setattr(telemetry, "_today", lambda: "2026-11-30")
        shown = json.loads(said(capsys, "config", "telemetry", "--json"))
        assert telemetry.send(TelemetryConfig(True, address))
        assert got == [shown["body"].encode()]
        assert json.loads(got[0]) == {
            "format": 1,
            "mic": VERSION,
            "platform": platform_here(),
            "days": {"2026-11-29": {"config": {"runs": 2, "exit_codes": {"0": 2}}}},
        }
        assert json.loads((home / "telemetry.json").read_text()).keys() == {"2026-11-30"}
        assert not telemetry.send(TelemetryConfig(True, address))
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("address", ["http://example.org/", "file:///etc/passwd", 'https://x"', "x"])
def test_an_address_that_is_none(home: Path, address: str) -> None:
    assert main(["config", "set", "telemetry.address", address]) == 2
    assert not (home / "config.toml").exists()
