"""`mic config`: what counts, what is written, and what is refused, with the rest of the file untouched."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from mic.cli.settings.user_config import cache_config
from mic.cli.terminal.app import run

CACHE_OFF = {"key": "cache.enabled", "value": False, "set": True, "from": "machine"}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the file of this test is."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path / "mic/config.toml"


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code and all that was said."""
    code = run(["config", *arguments])
    streams = capsys.readouterr()
    return code, streams.out + streams.err


def test_listed_got_and_set(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "list") == (
        0,
        "cache.enabled        true  (not set)\ncache.max_size_gb    1  (not set)\n"
        f"cache.blob_ttl_days  30  (not set)\ncache.tree_ttl_days  7  (not set)\n"
        f"agent.automatic      false  (not set)\n"
        f"daemon.enabled       true  (not set)\n"
        f"telemetry.enabled    false  (not set)\ntelemetry.address    (none)  (not set)\nThe file is {path}.\n",
    )
    assert not path.exists()
    assert said(capsys, "set", "cache.max_size_gb", "2.5") == (0, "cache.max_size_gb = 2.5\n")
    assert said(capsys, "set", "cache.enabled", "False") == (0, "cache.enabled = false\n")
    assert path.read_text() == "[cache]\nenabled = false\nmax_size_gb = 2.5\n"
    assert said(capsys, "get", "cache.max_size_gb") == (0, "2.5\n")
    assert (cache_config().enabled, cache_config().max_bytes) == (False, 2_684_354_560)
    code, text = said(capsys, "list", "--json")
    assert (code, json.loads(text)["settings"][0]) == (0, CACHE_OFF)


def test_what_else_is_in_the_file_stays(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path.parent.mkdir()
    path.write_text("# mine\n[ cache ]  # kept\n  max_size_gb=1  # small\n\nblob_ttl_days = 3\n")
    said(capsys, "set", "cache.max_size_gb", "4")
    said(capsys, "set", "cache.tree_ttl_days", "9")
    assert path.read_text() == (
        "# mine\n[ cache ]  # kept\ntree_ttl_days = 9\nmax_size_gb = 4  # small\n\nblob_ttl_days = 3\n"
    )


def test_unset_again(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its line goes and nothing else; what counts now is said. A second time it says that it is not set."""
    path.parent.mkdir()
    path.write_text(
        "# mine\n[ cache ]  # kept\n  max_size_gb=4  # small\n\nblob_ttl_days = 3\n[agent]\nautomatic = true\n"
    )
    assert said(capsys, "unset", "cache.max_size_gb") == (0, "cache.max_size_gb = 1  (not set)\n")
    rest = "# mine\n[ cache ]  # kept\n\nblob_ttl_days = 3\n[agent]\nautomatic = true\n"
    assert path.read_text() == rest
    assert said(capsys, "unset", "cache.max_size_gb") == (
        4, "mic: cache.max_size_gb is not set on this machine.\n     `mic config list` says what is set, and where.\n",
    )  # fmt: skip
    code, text = said(capsys, "unset", "agent.automatic", "--json")
    assert (code, json.loads(text)) == (
        0, {"key": "agent.automatic", "value": False, "set": False, "from": "default"},
    )  # fmt: skip
    assert path.read_text() == rest.removesuffix("automatic = true\n")
    assert said(capsys, "get", "cache.blob_ttl_days") == (0, "3\n")


def test_unset_of_a_value_that_cannot_be(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What stops every command is taken away by the command that takes settings away."""
    path.parent.mkdir()
    path.write_text('[cache]\nmax_size_gb = "many"\n')
    assert said(capsys, "list")[0] == 2
    assert said(capsys, "unset", "cache.max_size_gb") == (0, "cache.max_size_gb = 1  (not set)\n")
    assert path.read_text() == "[cache]\n"


def test_what_a_killed_command_left_goes(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A half written file of a process that is no more is removed by the next that writes; no other file is."""
    path.parent.mkdir()
    with subprocess.Popen(["true"]) as ended:
        pass
    gone, alive = path.with_name(f"config.toml.{ended.pid}.new"), path.with_name(f"config.toml.{os.getppid()}.new")
    names = ("config.toml.mine.new", "other.toml.1.new", f"config.toml.{'9' * 30}.new")
    others = [path.with_name(name) for name in names]
    for each in (gone, alive, *others):
        each.write_text("half")
    said(capsys, "set", "cache.enabled", "false")
    assert sorted(path.parent.iterdir()) == sorted([path, alive, *others])


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("get", "cache.max_size"), "There is no setting 'cache.max_size'.\n     Did you mean `cache.max_size_gb`?\n"),
        (("get", "author.name"), "There is no setting 'author.name'.\n     `mic config list` lists them.\n"),
        (
            ("set", "auto_update", "false"),
            "Nothing updates itself: there is no setting 'auto_update'.\n"
            "     `mic update --check` says whether there is a newer version, `mic update` brings it.\n",
        ),
        (
            ("set", "user.name", "Ada"),
            "'user.name' is what your account has, at each forge.\n"
            "     `mic auth status` says who you are. The page of your account changes it.\n",
        ),
        (
            ("get", "user.email"),
            "'user.email' is what your account has, at each forge.\n"
            "     `mic auth status` says who you are. The page of your account changes it.\n",
        ),
        (
            ("get", "project.handle"),
            "There is no setting 'project.handle' here.\n     It is of a workspace, and this is none.\n",
        ),
        (("set", "colour", "red"), "There is no setting 'colour'.\n     `mic config list` lists them.\n"),
        (
            ("unset", "cache.max_size"),
            "There is no setting 'cache.max_size'.\n     Did you mean `cache.max_size_gb`?\n",
        ),
        (("unset", "colour"), "There is no setting 'colour'.\n     `mic config list` lists them.\n"),
        (
            ("unset", "remote.github.url"),
            "'remote.github.url' is not set here.\n     `mic remote remove github` takes a remote away.\n",
        ),
        (("set", "cache.enabled", "perhaps"), "cache.enabled cannot be 'perhaps'.\n     Use true or false.\n"),
        (("set", "cache.max_size_gb", "many"), "cache.max_size_gb cannot be 'many'.\n     Use a number.\n"),
        (("set", "cache.max_size_gb", "nan"), "cache.max_size_gb cannot be 'nan'.\n     Use a number.\n"),
    ],
)
def test_what_is_refused(
    path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], expected: str
) -> None:
    assert said(capsys, *arguments) == (2, f"mic: {expected}")
    assert not path.exists()


def test_a_value_of_another_kind_changes_nothing(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for key, value in (("cache.enabled", "3"), ("cache.max_size_gb", "true"), ("cache.max_size_gb", "0")):
        code, text = said(capsys, "set", key, value)
        assert (code, f"{path} cannot be used: {key} is " in text) == (2, True), text
    assert not path.exists()


def test_a_file_that_is_written_otherwise(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Inline tables and quoted keys are good TOML, which is left to whoever writes it."""
    path.parent.mkdir()
    for text in ("cache = {enabled = true}\n", '[cache]\n"enabled" = true\n', "cache.enabled = true\n"):
        path.write_text(text)
        code, _ = said(capsys, "set", "cache.enabled", "false")
        assert (code, path.read_text()) == (2, text)
        code, told = said(capsys, "unset", "cache.enabled")
        assert (code, path.read_text()) == (2, text)
        assert told.endswith("is written in a way that mic does not change.\n     Change it in the file.\n"), told
    path.write_bytes(b"[cache]\nenabled = \xff\n")
    assert said(capsys, "list")[0] == 2
