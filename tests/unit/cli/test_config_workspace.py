"""`.mic/config.toml`: what counts in one workspace alone, where each setting is from, and remotes among them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mic.cli.settings.user_config import agent_config, daemon_config
from mic.cli.terminal.app import run
from mic.workspace.workspace import Config, Workspace


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of acme/garden that one is in."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    Workspace.create(str(tmp_path / "w"), Config("https://forge.example", "acme", "garden", 0, "")).finish_clone()
    monkeypatch.chdir(tmp_path / "w")
    return tmp_path / "w"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and all that was said."""
    code = run(["config", *arguments])
    streams = capsys.readouterr()
    return code, streams.out + streams.err


def test_the_workspace_counts_before_the_machine(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "set", "agent.automatic", "true") == (0, "agent.automatic = true\n")
    assert said(capsys, "set", "--workspace", "agent.automatic", "false") == (
        0, "agent.automatic = false  (of this workspace)\n",
    )  # fmt: skip
    assert said(capsys, "set", "--workspace", "daemon.enabled", "false")[0] == 0
    assert (root / ".mic/config.toml").read_text() == "[agent]\nautomatic = false\n\n[daemon]\nenabled = false\n"
    assert (root.parent / "mic/config.toml").read_text() == "[agent]\nautomatic = true\n"
    assert said(capsys, "get", "agent.automatic") == (0, "false\n")
    assert (agent_config(str(root)).automatic, daemon_config(str(root)).enabled) == (False, False)
    assert (agent_config(str(root.parent)).automatic, daemon_config(str(root.parent)).enabled) == (True, True)
    text = said(capsys, "get", "agent.automatic", "--json")[1]
    assert json.loads(text) == {"key": "agent.automatic", "value": False, "set": True, "from": "workspace"}


def test_unset_where_it_was_set(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each place by itself: then what is set in the other one counts."""
    for where in ((), ("--workspace",)):
        said(capsys, "set", *where, "agent.automatic", "true")
    assert said(capsys, "unset", "--workspace", "agent.automatic") == (0, "agent.automatic = true\n")
    assert (root / ".mic/config.toml").read_text() == "[agent]\n"
    assert said(capsys, "unset", "--workspace", "agent.automatic") == (
        4,
        "mic: agent.automatic is not set in this workspace.\n"
        "     `mic config unset agent.automatic` takes away the one of this machine.\n",
    )
    assert said(capsys, "unset", "agent.automatic") == (0, "agent.automatic = false  (not set)\n")
    said(capsys, "set", "--workspace", "daemon.enabled", "false")
    assert said(capsys, "unset", "daemon.enabled") == (
        4,
        "mic: daemon.enabled is not set on this machine.\n"
        "     `mic config unset --workspace daemon.enabled` takes away the one of this workspace.\n",
    )
    assert said(capsys, "unset", "--workspace", "cache.enabled") == (
        2,
        "mic: cache.enabled is a setting of this machine, not of a workspace.\n"
        "     `mic config unset cache.enabled`. A workspace has agent.automatic and daemon.enabled.\n",
    )
    assert said(capsys, "unset", "remote.origin.url") == (
        2,
        "mic: 'remote.origin.url' is not set here.\n"
        "     That is the project of this workspace; `mic clone` gets a working copy of another one.\n",
    )


def test_remotes_are_listed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """`mic remote` has them; here they are read."""
    (root / ".mic/remotes.toml").write_text('[remote.github]\nurl = "https://github.com/acme/garden.git"\n')
    everywhere = root.parent / "mic/config.toml"
    everywhere.parent.mkdir()
    everywhere.write_text('[remote.backup]\nurl = "s3://acme/garden"\npush = ["main", "winter"]\n')
    assert said(capsys, "list") == (
        0,
        "cache.enabled         true  (not set)\ncache.max_size_gb     1  (not set)\n"
        "cache.blob_ttl_days   30  (not set)\ncache.tree_ttl_days   7  (not set)\n"
        "agent.automatic       false  (not set)\ndaemon.enabled        true  (not set)\n"
        "telemetry.enabled     false  (not set)\ntelemetry.address     (none)  (not set)\n"
        "project.organization  acme  (of this workspace)\nproject.handle        garden  (of this workspace)\n"
        "remote.origin.url     https://forge.example/acme/garden  (of this workspace)\n"
        "remote.backup.url     s3://acme/garden\nremote.backup.push    main winter\n"
        "remote.github.url     https://github.com/acme/garden.git  (of this workspace)\n"
        f"The file is {everywhere}.\nThe file of this workspace is {root}/.mic/config.toml.\n",
    )
    assert said(capsys, "get", "remote.origin.url") == (0, "https://forge.example/acme/garden\n")
    assert said(capsys, "set", "remote.github.url", "x") == (
        2, "mic: 'remote.github.url' is not set here.\n     `mic remote set-url github URL` changes it.\n",
    )  # fmt: skip
    assert said(capsys, "get", "remote.gitlab.url") == (
        2, "mic: There is no setting 'remote.gitlab.url' here.\n     `mic remote list` lists remotes.\n",
    )  # fmt: skip


def test_the_project_is_read(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What a workspace is of is told as a setting, and changed by what makes workspaces."""
    assert said(capsys, "get", "project.handle") == (0, "garden\n")
    code, text = said(capsys, "get", "project.organization", "--json")
    assert (code, json.loads(text)) == (
        0, {"key": "project.organization", "value": "acme", "set": True, "from": "workspace"},
    )  # fmt: skip
    for verb in (("set", "project.handle", "x"), ("unset", "project.handle")):
        assert said(capsys, *verb) == (
            2,
            "mic: 'project.handle' is not set here.\n"
            "     That is the project of this workspace; `mic clone` gets a working copy of another one.\n",
        )
    assert said(capsys, "get", "project.id") == (
        2,
        "mic: There is no setting 'project.id' here.\n     `mic project show ORG/PROJECT --json` tells the id.\n",
    )


def test_what_is_the_machines_stays_the_machines(
    root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for key, value in (("telemetry.enabled", "true"), ("cache.max_size_gb", "5")):
        assert said(capsys, "set", "--workspace", key, value) == (
            2,
            f"mic: {key} is a setting of this machine, not of a workspace.\n"
            f"     `mic config set {key} {value}`. A workspace has agent.automatic and daemon.enabled.\n",
        )
    monkeypatch.chdir(root.parent)
    assert said(capsys, "set", "--workspace", "agent.automatic", "true")[0] == 4
    assert said(capsys, "unset", "--workspace", "agent.automatic")[0] == 4
    assert not (root / ".mic/config.toml").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("[agent\n", "it is not TOML"),
        ("[agent]\nautomatic = 3\n", "agent.automatic is 3"),
        ("[cache]\nenabled = false\n", "'cache' is not a part of it that this version knows"),
        ("[agent]\nname = 'x'\n", "[agent] has no setting 'name'"),
        ("agent = 1\n", "`agent` is not a table"),
        ("[agent]\nautomatic = '\udcff'\n", "it is not TOML"),
    ],
)
def test_a_damaged_file_is_named(root: Path, capsys: pytest.CaptureFixture[str], text: str, why: str) -> None:
    path = root / ".mic/config.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    for words in (
        ("list",),
        ("get", "agent.automatic"),
        ("set", "--workspace", "daemon.enabled", "true"),
        ("unset", "daemon.enabled", "--workspace"),
    ):
        code, told = said(capsys, *words)
        assert (code, told.startswith(f"mic: {path} cannot be used: {why}")) == (2, True), told
    assert path.read_bytes() == text.encode("utf-8", "surrogateescape")
