"""A project goes out whole and comes in again; its history and one's own data are written as JSON lines."""

from __future__ import annotations

import hashlib
import json
import re
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from api_client import Api
from forge_process import Forge
from inside import Inside
from mic.core.errors import MicError
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from transcript import Shell

_WROTE = re.compile(r"[\d,]+ bytes, SHA-256 [0-9a-f]{64}")
_ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def _plain(text: str) -> str:
    return _ID.sub("ID", _WROTE.sub("N bytes, SHA-256 HEX", text))


def _garden(shell: Shell, name: str) -> None:
    """Two landings, a branch, and an open session that was pushed."""
    shell("project", "create", f"{name}/garden")
    shell("clone", f"{name}/garden")
    shell.cd("garden")
    shell.write("README.md", "# Garden\n")
    shell("land", "Begin")
    shell("branch", "create", "fix")
    shell.write("roses.txt", "red\n")
    shell("land", "Plant")
    shell("session", "start", "Water at dawn")
    shell("session", "decide", "At 05:30", "--why", "Leaves dry early")
    shell.write("water.txt", "05:30\n")
    shell("session", "push")


def test_out_and_in_again(shell: Shell, forge: Forge, name: str) -> None:
    """The copy has the same landings, branches and Git commits, and what is open; `micelio verify` finds it sound."""
    _garden(shell, name)
    assert _plain(shell("export", "archive", "../garden.tar.zst")) == (
        f"Wrote {name}/garden to ../garden.tar.zst: N bytes, SHA-256 HEX.\n"
        "Next: mic import micelio ../garden.tar.zst ORG/PROJECT\n"
    )
    shell.cd(".")
    assert re.sub(r"[\d,]+ bytes", "N bytes", _plain(shell("export", "list"))) == (
        f"ID  archive  {name}/garden  done, until WHEN  N bytes\n"
    )
    assert re.sub(r"[\d,]+ bytes", "N bytes", shell("import", "micelio", "garden.tar.zst", f"{name}/copy")) == (
        f"Imported N bytes into {name}/copy: it stands at @2, private.\nNext: mic clone {name}/copy\n"
    )

    def listed(project: str) -> list[object]:
        found = shell.json("log", "--project", project)["landings"]
        return [(item["id"], item["goal"], item["position"]) for item in found]

    assert listed(f"{name}/copy") == listed(f"{name}/garden")
    assert [item["name"] for item in shell.json("branch", "list", "--project", f"{name}/copy")["branches"]][-1] == "fix"
    for project in ("garden", "copy"):
        shell("export", "git", f"{project}.git", "--project", f"{name}/{project}")
    refs = [shell.git("-C", f"{project}.git", "for-each-ref") for project in ("garden", "copy")]
    assert refs[0] == refs[1]
    assert f"{name}/copy: sound" in forge.run("verify", f"{name}/copy")
    shell("clone", f"{name}/copy")
    shell.cd("copy")
    assert "Water at dawn" in shell("session", "list")
    assert shell("session", "resume", "--latest").startswith("Resumed")
    assert shell.read("water.txt") == "05:30\n"
    assert shell("land").startswith("Landed @3: Water at dawn")


def test_from_another_forge(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    """By its address alone, where one is signed in there; nothing of it stays in between."""
    _garden(shell, name)
    shell.cd(".")
    shell.environment["TMPDIR"] = str(tmp_path / "between")
    (tmp_path / "between").mkdir()
    there = forge.base_url.replace("localhost", "127.0.0.1")
    assert shell("import", "micelio", f"{there}/{name}/garden", f"{name}/copy") == (
        f"! Fetching {name}/garden from {there} ...\n! mic: You are not signed in at {there}.\n"
        f"!      Sign in with `mic auth login --instance {there}`.\n[5]\n"
    )
    shell("auth", "login", "--token-stdin", "--instance", there, stdin=forge.token(f"u{name}") + "\n")
    said = shell("import", "micelio", f"{there}/{name}/garden", f"{name}/copy", "--visibility", "public")
    assert re.sub(r"[\d,]+ bytes", "N bytes", said) == (
        f"Imported N bytes into {name}/copy: it stands at @2, public.\nNext: mic clone {name}/copy\n"
        f"! Fetching {name}/garden from {there} ...\n"
    )
    assert list((tmp_path / "between").iterdir()) == []
    heads = [shell.json("project", "show", f"{name}/{project}")["project"]["head"] for project in ("garden", "copy")]
    assert heads[0] == heads[1]
    assert shell.run("import", "micelio", f"{there}/{name}/none", f"{name}/x").returncode == 4
    assert shell.run("import", "micelio", f"{there}/nothing", f"{name}/x").returncode == 2


def test_refusals(shell: Shell, name: str) -> None:
    """Each says what is wrong and what to do; nothing is made."""
    shell.write("no.txt", "nothing\n")
    for command, said in {
        ("import", "micelio", "absent", f"{name}/x"): "There is no file absent.",
        ("import", "micelio", "no.txt", f"{name}/x"): "no.txt is no archive of a Micelio project.",
        ("import", "archive", "no.txt", f"{name}/x"): "`mic import micelio no.txt",
        ("export", "archive", f"{name}/x", "new.tar.zst"): f"There is no project {name}/x",
        ("export", "archive", f"{name}/x", "no.txt"): "There is a file no.txt already.",
        ("export", "archive", f"{name}/x", "x.jsonl"): "`mic export issues`",
        ("export", "cancel", "7"): "There is no such export of yours.",
    }.items():
        done = shell.run(*command)
        assert done.returncode, command
        assert said in done.stderr, command
    (shell.home / "cut.tar.zst").write_bytes(b"\x28\xb5\x2f\xfd" + bytes(60))
    done = shell.run("import", "micelio", "cut.tar.zst", f"{name}/x")
    assert "The archive was not imported: it is " in done.stderr
    assert shell.run("project", "show", f"{name}/x").returncode


def test_history_and_own_data_as_lines(shell: Shell, name: str) -> None:
    """What landed, why and by whom is there, and what the forge holds about the account; no secret is."""
    _garden(shell, name)
    shell("project", "star", f"{name}/garden")
    shell.cd(".")
    token = shell.json("auth", "token", "create", "--name", "laptop", "--scope", "project:read")["value"]
    shell("export", "json", f"{name}/garden", "history.jsonl")
    lines = [json.loads(text) for text in (shell.home / "history.jsonl").read_text().splitlines()]
    assert [(each["kind"], each.get("goal")) for each in lines] == [
        ("project", None), ("branch", None), ("landing", "Begin"), ("landing", "Plant"),
        ("open_session", "Water at dawn"),
    ]  # fmt: skip
    assert lines[3]["files"] == [
        {
            "path": "roses.txt",
            "op": "added",
            "mode": "100644",
            "size": 4,
            "sha256": hashlib.sha256(b"red\n").hexdigest(),
        }
    ]
    (decision,) = lines[4]["decisions"]
    assert abs(datetime.now(UTC) - datetime.fromisoformat(decision.pop("at"))) < timedelta(hours=1)
    assert decision == {
        "what": "At 05:30", "why": "Leaves dry early", "by": "", "evidence": "", "alternatives": [],
        "message": 0, "said_before": 0,
    }  # fmt: skip
    shell("export", "user", "me.jsonl")
    text = (shell.home / "me.jsonl").read_text()
    assert "+00:00" not in text + (shell.home / "history.jsonl").read_text()
    mine = [json.loads(line) for line in text.splitlines()]
    assert token not in text
    assert (mine[0]["kind"], mine[1]["kind"], mine[1]["handle"]) == ("forge", "account", f"u{name}")
    of = {kind: [each for each in mine if each["kind"] == kind] for kind in {each["kind"] for each in mine}}
    assert [(each["handle"], each["role"]) for each in of["organization"]] == [(name, "owner")]
    assert [each["project"] for each in of["star"]] == [f"{name}/garden"]
    assert [each["name"] for each in of["token"]] == ["laptop"]
    assert [each["goal"] for each in of["session"]] == ["Begin", "Plant", "Water at dawn"]
    assert "account.export" in [each["action"] for each in of["event"]]


def test_the_file_by_parts_and_until_it_expires(insider: Inside, forge: Forge) -> None:
    """Over REST: whole, by ranges that make the whole again, to nobody else, and gone when its day is over."""
    insider.cd(".")
    insider("project", "create", f"{insider.own}/parts")
    insider("clone", f"{insider.own}/parts", "parts")
    insider.cd("parts")
    insider.write("a", "x" * 5_000)
    insider("land", "First")
    export = insider.json("export", "json", "../parts.jsonl")["export"]
    whole = (insider.home / "parts.jsonl").read_bytes()
    address = f"/exports/{export['id']}"
    handle = insider.own.removesuffix("-org")
    with Api(forge.base_url, forge.token(handle)) as mine, Api(forge.base_url, forge.token("stranger")) as other:
        found = mine.get(f"{address}/file")
        assert (found.status_code, found.content) == (200, whole)
        assert found.headers["accept-ranges"] == "bytes"
        assert hashlib.sha256(whole).hexdigest() == mine.done("GET", address)["sha256"]
        half = len(whole) // 2
        parts = [
            mine.get(f"{address}/file", headers={"Range": f"bytes={part}"}) for part in (f"0-{half - 1}", f"{half}-")
        ]
        assert [part.status_code for part in parts] == [206, 206]
        assert parts[0].headers["content-range"] == f"bytes 0-{half - 1}/{len(whole)}"
        assert parts[0].content + parts[1].content == whole
        assert mine.get(f"{address}/file", headers={"Range": "bytes=-7"}).content == whole[-7:]
        beyond = mine.get(f"{address}/file", headers={"Range": f"bytes={len(whole)}-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, f"bytes */{len(whole)}")
        for path in (address, f"{address}/file"):
            other.refused("GET", path, 404, "not_found")
        other.refused("DELETE", address, 404, "not_found")
        with forge.database.opened() as rows:
            rows.execute(
                "UPDATE exports_export SET expires_at = '2026-01-01 00:00:00' WHERE sha256 = ?", (export["sha256"],)
            )
        gone = mine.get(f"{address}/file")
        assert gone.status_code >= 400
        assert "kept for a day at most" in gone.json()["detail"]
        # Given up, it is not listed as one that could be fetched.
        mine.done("DELETE", address)
        assert mine.done("GET", address)["state"] in ("expired", "canceled")


class Half:
    """An import of which half has been sent; the other half waits until `go` is set, and never comes before."""

    def __init__(self, forge: Forge, handle: str, project: str, data: bytes) -> None:
        self.sent, self.go, self.error = threading.Event(), threading.Event(), ""
        organization, _, name = project.partition("/")
        self.client = Client(forge.grpc_address, forge.token(handle), insecure=True)
        ref = pb.ProjectRef(organization=organization, handle=name)

        def requests() -> Iterator[pb.ImportArchiveRequest]:
            yield pb.ImportArchiveRequest(project=ref, visibility="public")
            yield pb.ImportArchiveRequest(data=data[: len(data) // 2])
            self.sent.set()
            self.go.wait(60)
            yield pb.ImportArchiveRequest(data=data[len(data) // 2 :])

        def run() -> None:
            try:
                for _ in self.client.stream(self.client.projects.ImportArchive, requests()):
                    pass
            except MicError as error:
                self.error = error.message

        self.thread = threading.Thread(target=run)
        self.thread.start()
        assert self.sent.wait(60)

    def end(self) -> None:
        self.go.set()
        self.thread.join(60)
        assert not self.thread.is_alive()


def test_an_import_that_breaks_off(own_forge: Forge, tmp_path: Path) -> None:
    """The line is cut or the forge killed when half has come: nobody sees anything, and the same again imports it."""
    shell = Shell(own_forge, tmp_path / "home", "ada")
    shell("org", "create", "acme")
    _garden(shell, "acme")
    shell.cd(".")
    shell("export", "archive", "acme/garden", "garden.tar.zst")
    data = (shell.cwd / "garden.tar.zst").read_bytes()
    for number, killed in enumerate((False, True)):
        project = f"acme/half{number}"
        half = Half(own_forge, "ada", project, data)
        assert shell("project", "show", project).endswith("[4]\n")
        if killed:
            own_forge.stop(signal.SIGKILL)
            half.end()
            own_forge.start()
        else:
            half.client.close()
            half.end()
        assert half.error
        assert shell("project", "show", project).endswith("[4]\n")
        assert [item["handle"] for item in shell.json("project", "list", "acme")["projects"]] == (
            ["garden", "half0"] if killed else ["garden"]
        )
        assert shell("import", "micelio", "garden.tar.zst", project).endswith(f"Next: mic clone {project}\n")
        assert [item["goal"] for item in shell.json("log", "--project", project)["landings"]] == ["Plant", "Begin"]
