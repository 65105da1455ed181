"""What is kept on this machine while a repository is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from git_server import GitClient
from mic.cli.terminal.output import Output
from mic.cli.transfer.import_source import opened


def test_two_commands_of_one_import_end_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each throws away what was kept for both."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    git = GitClient(tmp_path / "source")
    git("init", "-q", "-b", "main")
    (git.folder / "a").write_text("a\n")
    git("add", "-A")
    git("commit", "-q", "-m", "Add a")
    where, out = str(tmp_path / "source"), Output(quiet=True)
    with opened(where, "here", out) as one, opened(where, "here", out) as other:
        assert one.pack(one.refs(), []) == other.pack(other.refs(), [])
        assert len(list((tmp_path / "cache/mic/imports").iterdir())) == 1
        one.done()
        other.done()
    assert list((tmp_path / "cache/mic/imports").iterdir()) == []
