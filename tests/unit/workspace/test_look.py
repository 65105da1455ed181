"""The look at many files, alone and with forks, finds what differs and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import mic
from mic.workspace import look as module
from mic.workspace.columns import Columns
from mic.workspace.look import GONE, SUSPECT, look

pytestmark = pytest.mark.usefixtures("each_way")

# In a process of its own: the test's has threads, and where it is must not change.
CODE = """
import os, sys
sys.path.insert(0, sys.argv[1])
from mic.workspace import look as module
from mic.workspace.place import read_columns
from mic.workspace.columns import decode
module._PAYS = 2
module._MANY = int(sys.argv[6])
module._processors = lambda: int(sys.argv[4])
if sys.argv[5] == "killed":
    end = module._end
    module._end = lambda process, told: (os.kill(process, 9), end(process, told), None)[2]
root = os.open(sys.argv[2], os.O_RDONLY)
print(module.look(root, decode(open(sys.argv[3], "rb").read()), True))
"""


@pytest.fixture
def columns(tmp_path: Path) -> Columns:
    """Ten files as they stand, in a folder `work`."""
    folder = tmp_path / "work"
    folder.mkdir()
    found = Columns()
    found.paths = [b"%d" % number for number in range(10)]
    for path in found.paths:
        (folder / path.decode()).write_bytes(path)
    (folder / "3").chmod(0o755)
    (folder / "4").unlink()
    (folder / "4").symlink_to("3")
    stats = [os.lstat(folder / path.decode()) for path in found.paths]
    found.mtimes = [stat.st_mtime_ns for stat in stats]
    found.ctimes = [stat.st_ctime_ns for stat in stats]
    found.disk_sizes = [stat.st_size for stat in stats]
    found.inodes = [stat.st_ino for stat in stats]
    found.bits = [stat.st_mode & 0o170100 for stat in stats]
    found.sizes, found.modes = [0] * 10, [0o100644] * 10
    found.kinds, found.flags, found.hashes = bytearray(10), bytearray(10), bytes(320)
    found.clock = max(found.ctimes) + 1
    return found


def looked(root: Path, columns: Columns) -> list[tuple[int, int]]:
    handle = os.open(root, os.O_RDONLY)
    try:
        return look(handle, columns, False)
    finally:
        os.close(handle)


def change(root: Path) -> None:
    """The first, the last, and in between two that follow each other."""
    for name in ("0", "5", "6", "9"):
        (root / name).unlink()
    (root / "2").write_bytes(b"other")
    (root / "3").chmod(0o644)
    (root / "7").write_bytes(b"7")


def test_alone(tmp_path: Path, columns: Columns) -> None:
    root = tmp_path / "work"
    assert looked(root, columns) == []
    change(root)
    expected = [(0, GONE), (2, SUSPECT), (3, SUSPECT), (5, GONE), (6, GONE), (7, SUSPECT), (9, GONE)]
    assert looked(root, columns) == expected
    columns.clock = columns.ctimes[1]  # all that is as young, or younger
    young = [number for number, ctime in enumerate(columns.ctimes) if ctime >= columns.clock]
    assert looked(root, columns) == sorted({**dict.fromkeys(young, SUSPECT), **dict(expected)}.items())
    assert 1 in young
    assert looked(root, Columns()) == []


@pytest.mark.parametrize("how", ["whole", "killed"])
def test_with_forks(tmp_path: Path, columns: Columns, how: str, each_way: int) -> None:
    """In three parts; and where a fork does not come to its end, its part is looked at here."""
    from mic.workspace.columns import encode

    root, index = tmp_path / "work", tmp_path / "index"
    index.write_bytes(encode(columns))
    change(root)
    source = str(Path(mic.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", CODE, source, str(root), str(index), "3", how, str(each_way)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == f"{looked(root, columns)}\n"
    assert module._MOST >= 3
