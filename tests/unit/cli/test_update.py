"""`mic update` takes a release for the signature of its manifest, and for nothing else."""

from __future__ import annotations

import base64
import errno
import functools
import hashlib
import http.server
import json
import os
import threading
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mic.cli.main import main
from mic.cli.program import update
from mic.cli.settings import release_keys
from mic.cli.settings.release import fetch, number, platform_here, read_release
from mic.core.errors import Corrupt, InvalidInput, Unavailable
from mic.version import VERSION

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))


def public(key: Ed25519PrivateKey) -> str:
    """As a build has it."""
    return base64.b64encode(key.public_key().public_bytes_raw()).decode()


def publish(
    folder: Path,
    version: str,
    content: bytes = b"new program",
    key: Ed25519PrivateKey = KEY,
    more: dict[str, object] | None = None,
) -> None:
    """A release of one file for this machine."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "mic.pyz").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    file = {"name": "mic.pyz", "kind": "pyz", "platform": platform_here(), "size": len(content), "sha256": digest}
    said = {"name": "micelio", "version": version, "released": "2026-11-30", "files": [file], **(more or {})}
    raw = json.dumps(said).encode()
    (folder / "manifest.json").write_bytes(raw)
    (folder / "manifest.json.sig").write_bytes(base64.b64encode(key.sign(raw)) + b"\n")


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This program as one file, whose build trusts KEY and looks into `releases`."""
    path = tmp_path / "bin" / "mic.pyz"
    path.parent.mkdir()
    path.write_bytes(b"old program")
    monkeypatch.setenv("MIC_PYZ", str(path))
    monkeypatch.setattr(release_keys, "KEYS", (public(KEY),))
    monkeypatch.setattr(release_keys, "SOURCE", str(tmp_path / "releases"))
    return path


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str]:
    """The exit code, and both streams."""
    code = main(["update", *argv])
    out = capsys.readouterr()
    return code, out.out + out.err


def test_a_newer_one_takes_the_place(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "releases", "9.0.0")
    assert said(capsys, "--check") == (
        0, f"mic 9.0.0 is there (2026-11-30); this is {VERSION}. `mic update` brings it.\n",
    )  # fmt: skip
    assert program.read_bytes() == b"old program"
    assert said(capsys) == (0, f"mic is 9.0.0 now; it was {VERSION}.\n")
    assert program.read_bytes() == b"new program"
    assert program.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in program.parent.iterdir()] == ["mic.pyz"]


def test_the_same_one_changes_nothing(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "releases", VERSION)
    assert said(capsys) == (0, f"mic {VERSION} is the newest.\n")
    assert program.read_bytes() == b"old program"


def test_an_older_one_only_by_name(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "releases", "0.0.1")
    publish(tmp_path / "releases/0.0.1", "0.0.1")
    for check in ([], ["--check"]):
        code, words = said(capsys, *check)
        assert (code, words.splitlines()[0]) == (2, f"mic: The release there is 0.0.1, older than this {VERSION}.")
    assert program.read_bytes() == b"old program"
    assert said(capsys, "--version", "0.0.1") == (0, f"mic is 0.0.1 now; it was {VERSION}.\n")
    publish(tmp_path / "releases/0.0.2", "0.0.1")
    assert said(capsys, "--version", "0.0.2")[0] == 2


def test_one_that_is_not_there(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing to wait for: neither in a folder nor at an address."""
    publish(tmp_path / "releases", "9.0.0")
    assert said(capsys, "--version", "7.0.0") == (
        4,
        f"mic: There is no manifest.json in {tmp_path}/releases/7.0.0.\n     Is it the folder of a release?\n",
    )
    handler = functools.partial(QuietHandler, directory=str(tmp_path / "releases"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        assert said(capsys, "--check", "--from", address)[0] == 0
        assert said(capsys, "--version", "7.0.0", "--from", address) == (
            4, f"mic: There is no manifest.json in {address}/7.0.0.\n     Is it the folder of a release?\n",
        )  # fmt: skip
        server.shutdown()
    assert program.read_bytes() == b"old program"


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    """A folder over http, without a line for each request."""

    def log_message(self, *_: object) -> None:
        pass


def test_a_full_disk_keeps_the_old_one(
    program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    publish(tmp_path / "releases", "9.0.0")
    monkeypatch.setattr(update.os, "fsync", full)
    assert said(capsys) == (
        6, f"mic: {program} cannot be replaced: No space left on device.\n     Make room there, then repeat.\n"
    )  # fmt: skip
    assert [(path.name, path.read_bytes()) for path in program.parent.iterdir()] == [("mic.pyz", b"old program")]


def test_another_signature_is_refused(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "releases", "9.0.0", key=OTHER)
    assert said(capsys) == (
        1,
        "mic: The release is not signed by the key of this program.\n"
        "     Nothing was changed. Tell whoever runs that address.\n",
    )
    publish(tmp_path / "releases", "9.0.0")
    manifest = tmp_path / "releases/manifest.json"
    manifest.write_bytes(manifest.read_bytes().replace(b"9.0.0", b"9.0.1"))
    assert said(capsys)[0] == 1
    for signature in (b"", b"AAAA", b"\xff\xfe", b"A" * 5000):
        (tmp_path / "releases/manifest.json.sig").write_bytes(signature)
        assert said(capsys)[0] == 1
    assert program.read_bytes() == b"old program"


def test_other_bytes_than_were_signed(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for content in (b"bad program", b"new", b"new program and more"):
        publish(tmp_path / "releases", "9.0.0")
        (tmp_path / "releases/mic.pyz").write_bytes(content)
        code, words = said(capsys)
        assert (code, words.splitlines()[0]) == (1, "mic: mic.pyz is not what the signed manifest says (SHA-256).")
    assert program.read_bytes() == b"old program"


@pytest.mark.parametrize(
    "more",
    [
        {"name": "other"}, {"version": "9"}, {"files": [{"name": "x"}]}, {"files": 7},
        {"files": [{"name": "../x", "kind": "pyz", "platform": "any", "size": 1, "sha256": ""}]},
        {"files": [{"name": "x", "kind": "pyz", "platform": "any", "size": 1 << 40, "sha256": ""}]},
    ],
)  # fmt: skip
def test_signed_and_senseless(program: Path, tmp_path: Path, more: dict[str, object]) -> None:
    publish(tmp_path / "releases", "9.0.0", more=more)
    with pytest.raises(Corrupt, match="nothing that this version understands"):
        read_release(str(tmp_path / "releases"), [public(OTHER), public(KEY)])


def test_nothing_for_this_machine(program: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    publish(tmp_path / "releases", "9.0.0", more={"files": []})
    assert said(capsys)[1].startswith(f"mic: Release 9.0.0 has no pyz for {platform_here()}.\n")


def test_a_build_without_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """As the source is: nobody's releases are taken, and it says what to do."""
    assert said(capsys) == (
        2,
        "mic: This build names no releases to update from.\n"
        "     Update it the way it was installed: uv, pipx, apt, git.\n",
    )


def test_from_where() -> None:
    for source in ("http://example.org", "ftp://example.org", "file:///etc"):
        with pytest.raises(InvalidInput, match="https"):
            fetch(source, "manifest.json", 10)
    with pytest.raises(Unavailable):
        fetch("http://127.0.0.1:1", "manifest.json", 10)


def test_every_file_of_a_release_has_a_name_that_is_read(program: Path, tmp_path: Path) -> None:
    """The completion for zsh begins with an underscore."""
    file = {"name": "_mic", "kind": "other", "platform": "any", "size": 1, "sha256": ""}
    publish(tmp_path / "releases", "9.0.0", more={"files": [file]})
    assert read_release(str(tmp_path / "releases"), [public(KEY)]).files[0].name == "_mic"


def test_versions() -> None:
    assert number("0.10.0") > number("0.9.12")
    for wrong in ("1", "1.0", "1.0.0rc1", "../1.0.0", "1.0.0\n", ""):
        with pytest.raises(InvalidInput):
            number(wrong)


def test_who_installs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not where it runs from its source; uv first where it is, then pip."""
    with pytest.raises(InvalidInput, match="from its source"):
        update.installer()
    monkeypatch.setattr(update, "__file__", "/v/lib/python3.11/site-packages/mic/cli/program/update.py")
    assert update.installer(lambda name: f"/bin/{name}")[:3] == ["/bin/uv", "pip", "install"]
