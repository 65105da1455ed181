"""A file that was only touched is not changed: landing brings others' edits of it in."""

from __future__ import annotations

import os
import shutil

from transcript import Shell


def test_touched_and_restored_files_are_brought_up_to_date(shell: Shell, name: str) -> None:
    """Touched, edited and put back, copied over with the same bytes: content decides, not the clock."""
    shell("project", "create", f"{name}/touched")
    shell("clone", f"{name}/touched", "one")
    shell.cd("one")
    for file in ("touched", "restored", "copied", "edited"):
        shell.write(file, f"{file} old\n")
    shell("land", "Begin")
    shell.cd(".")
    shell("clone", f"{name}/touched", "two")
    shell.cd("one")
    for file in ("touched", "restored", "copied"):
        shell.write(file, f"{file} new\n")
    assert shell("land", "New") == "Landed @2: New (3 files)\n"

    two = shell.cd("two")
    os.utime(two / "touched", (1_700_000_000, 1_700_000_000))
    shell.write("restored", "something else\n")
    shell.write("restored", "restored old\n")
    shutil.copy(two / "copied", two / "copied.save")
    os.replace(two / "copied.save", two / "copied")
    shell.write("edited", "edited here\n")
    assert shell("land", "Here") == "Landed @3: Here (1 file)\nbrought in from others: 3 files\n"
    assert [shell.read(file) for file in ("touched", "restored", "copied")] == [
        "touched new\n",
        "restored new\n",
        "copied new\n",
    ]
    shell.write("touched", "touched newer\n")
    assert shell("land", "On top") == "Landed @4: On top (1 file)\n"
