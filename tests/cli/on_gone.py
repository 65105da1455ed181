"""A working copy on a branch that is to be deleted under it."""

from __future__ import annotations

from transcript import Shell


def on_gone(shell: Shell, name: str) -> None:
    """The shell is in the working copy `w`, on the branch `gone`, where one landing changed a file of main's."""
    shell("project", "create", f"{name}/p")
    shell("clone", f"{name}/p", "w")
    shell.cd("w")
    shell.write("rose", "1\n")
    shell.write("lily", "white\n")
    shell("land", "Plant")
    shell("branch", "create", "gone")
    shell("branch", "switch", "gone")
    shell.write("rose", "2\n")
    assert shell("land", "There") == "Landed @2: There (1 file)\n"
