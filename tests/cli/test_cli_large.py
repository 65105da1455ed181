"""Contents that travel ahead of the landing: in parts, streamed, the same bytes at the other end."""

from __future__ import annotations

import os

from transcript import Shell


def test_large_contents_land_and_come_back(shell: Shell, name: str) -> None:
    """Below and above what is sent inside a landing, above what is kept whole, and one content under two names."""
    shell("project", "create", f"{name}/large")
    shell("clone", f"{name}/large", "one")
    folder = shell.cd("one")
    contents = {"small": 90_000, "middle": 300_000, "exact": 4 << 20, "large": (9 << 20) + 17}
    for path, size in contents.items():
        (folder / path).write_bytes(os.urandom(size))
    (folder / "twin").write_bytes((folder / "large").read_bytes())
    (folder / "empty").touch()
    assert shell("land", "Large") == "Landed @1: Large (6 files)\n"
    assert shell("diff", "--name-only") == ""
    shell.cd(".")
    assert shell("clone", f"{name}/large", "two") == f"Cloned {name}/large @1 in HOME/two: 6 files.\n"
    for path in (*contents, "twin", "empty"):
        assert (shell.home / "two" / path).read_bytes() == (folder / path).read_bytes()
    shell.cd("two")
    (shell.cwd / "middle").write_bytes(b"now small")
    assert shell("land", "Smaller") == "Landed @2: Smaller (1 file)\n"
    shell.cd("one")
    shell.write("small", "text\n")
    assert shell("land", "Text") == "Landed @3: Text (1 file)\nbrought in from others: 1 file\n"
    assert shell.read("middle") == "now small"


def test_large_contents_of_a_git_repository(shell: Shell, name: str) -> None:
    shell.git("init", "-q", "-b", "main", "big")
    folder = shell.cd("big")
    data = os.urandom((9 << 20) + 17)
    (folder / "large").write_bytes(data)
    shell.git("add", "-A")
    shell.git("commit", "-qm", "Large")
    shell.cd(".")
    assert shell.json("import", "git", "big", f"{name}/big")["position"] == 1
    assert shell("clone", f"{name}/big", "back") == f"Cloned {name}/big @1 in HOME/back: 1 file.\n"
    assert (shell.home / "back/large").read_bytes() == data
