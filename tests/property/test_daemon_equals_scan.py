"""What the daemon says of a working copy is what a scan finds, after whatever was done to the files."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mic.daemon.watched import Watched
from mic.workspace import look
from mic.workspace.columns import Columns, parents
from mic.workspace.place import read_columns, write_columns
from mic.workspace.scan import scan
from mic.workspace.workspace import Config, Workspace

if sys.platform != "linux":
    pytest.skip("inotify is Linux's", allow_module_level=True)

NAMES = ["a", "b", "c.py", "d", "é", ".gitignore", "build", "sub"]
IGNORED = [b"build\n", b"*.py\n", b"/a\n!b\n", b"sub/\n", b""]


def _any_path(draw: random.Random, root: Path) -> Path:
    path = root
    for _ in range(draw.choice([1, 1, 2, 2, 3])):
        path = path / draw.choice(NAMES)
    return path


def _parent(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _write(draw: random.Random, root: Path) -> None:
    path = _any_path(draw, root)
    # Nobody reads a pipe: who opens one to write waits for ever, and no limit of pytest ends what hypothesis repeats.
    if _parent(path) and not path.is_dir() and not path.is_fifo():
        content = draw.choice(IGNORED) if path.name == ".gitignore" else draw.choice([b"one\n", b"two\n", b"three\n"])
        path.write_bytes(content)


def _replace(draw: random.Random, root: Path) -> None:
    """As editors save: another file takes the name."""
    path = _any_path(draw, root)
    if _parent(path) and not path.is_dir():
        new = path.with_name("new~")
        new.write_bytes(draw.choice([b"one\n", b"four\n"]))
        new.replace(path)


def _remove(draw: random.Random, root: Path) -> None:
    path = _any_path(draw, root)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif path.is_symlink() or path.exists():
        path.unlink()


def _move(draw: random.Random, root: Path) -> None:
    old, new = _any_path(draw, root), _any_path(draw, root)
    if (old.exists() or old.is_symlink()) and _parent(new) and old not in new.parents:
        try:
            old.rename(new)
        except OSError:  # onto a folder that is not empty, or a file onto a folder
            return


def _out_and_in(draw: random.Random, root: Path) -> None:
    """A folder leaves the working copy, is changed there, and comes back, perhaps by another name."""
    old, new = _any_path(draw, root), _any_path(draw, root)
    outside = root.parent / f"outside{draw.randrange(10**9)}"
    if old.is_dir() and not old.is_symlink():
        old.rename(outside)
        inside = outside / draw.choice(NAMES[:3])
        if not inside.is_dir() and not inside.is_fifo():
            inside.write_bytes(b"outside\n")
        if not new.exists() and not new.is_symlink() and _parent(new):
            outside.rename(new)


def _link(draw: random.Random, root: Path) -> None:
    path = _any_path(draw, root)
    if _parent(path) and not path.exists() and not path.is_symlink():
        path.symlink_to(draw.choice(["a", "nowhere", "sub"]))


def _mode(draw: random.Random, root: Path) -> None:
    path = _any_path(draw, root)
    if path.is_file():
        path.chmod(draw.choice([0o644, 0o755]))


def _pipe(draw: random.Random, root: Path) -> None:
    path = _any_path(draw, root)
    if _parent(path) and not path.exists() and not path.is_symlink():
        os.mkfifo(path)


def _nested(draw: random.Random, root: Path) -> None:
    """Another working copy in this one, or the end of one."""
    path = _any_path(draw, root)
    if path.is_dir() and not path.is_symlink():
        if (path / ".mic").is_dir():
            (path / ".mic").rmdir()
        else:
            (path / ".mic").mkdir()


def _old_times(draw: random.Random, root: Path) -> None:
    """Another content of the same size, under the same time of change as before."""
    path = _any_path(draw, root)
    if path.is_file() and not path.is_symlink():
        before = path.stat()
        path.write_bytes(bytes(byte ^ 1 for byte in path.read_bytes()))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _index(draw: random.Random, root: Path) -> None:
    """Another landing is the base now: some of what is there is known, some of what was known is not."""
    files = sorted(
        os.fsencode(path.relative_to(root))
        for path in root.rglob("*")
        if path.is_file() and not path.is_symlink() and path.relative_to(root).parts[0] != ".mic"
    )
    _make_index(root, [path for path in files if draw.random() < 0.7])


def _landed(draw: random.Random, root: Path) -> None:
    """Another landing is the base now, of the same paths: each is what is here, what it was, or something else."""
    old = read_columns(os.fsencode(root))
    hashes = bytearray(old.hashes)
    for number, path in enumerate(old.paths):
        file = root / os.fsdecode(path)
        if file.is_file() and not file.is_symlink() and draw.random() < 0.4:
            data = draw.choice([file.read_bytes(), b"of another landing\n"])
            hashes[number * 32 : number * 32 + 32] = hashlib.sha256(data).digest()
            old.sizes[number] = len(data)
            old.modes[number] = draw.choice([0o100644, 0o100755])
            old.bits[number] = old.modes[number] & 0o170100
    old.hashes = bytes(hashes)
    write_columns(os.fsencode(root), old)


STEPS: list[Callable[[random.Random, Path], None]] = [
    _write, _write, _write, _replace, _remove, _remove, _move, _move, _out_and_in, _link, _mode, _pipe, _nested,
    _old_times, _index, _landed, _landed,
]  # fmt: skip


def _make_index(root: Path, paths: list[bytes]) -> None:
    columns = Columns()
    columns.paths = sorted(paths)
    columns.dirs = parents(columns.paths)
    columns.dir_ctimes = [0] * len(columns.dirs)
    contents = [(root / os.fsdecode(path)).read_bytes() for path in columns.paths]
    columns.sizes = list(map(len, contents))
    columns.hashes = b"".join(hashlib.sha256(data).digest() for data in contents)
    columns.modes = [0o100644] * len(paths)
    columns.bits = [0o100000] * len(paths)
    columns.kinds, columns.flags = bytearray([1] * len(paths)), bytearray(len(paths))
    columns.mtimes, columns.ctimes, columns.disk_sizes, columns.inodes = ([0] * len(paths) for _ in range(4))
    write_columns(os.fsencode(root), columns)


def _by_scan(root: bytes) -> list[tuple[bytes, int, int, int]]:
    """What a scan of its own finds, with nothing believed that an earlier one wrote down: in both ways of looking."""
    found = scan(root, read_columns(root)).changes
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(look, "_MANY", 0)
        assert scan(root, read_columns(root)).changes == found
    return found


@settings(
    max_examples=int(os.environ.get("WATCHED_STORIES", "25")), deadline=None, suppress_health_check=list(HealthCheck)
)
@given(st.randoms(use_true_random=False), st.integers(1, 15))
def test_after_any_edits(tmp_path_factory: pytest.TempPathFactory, draw: random.Random, steps: int) -> None:
    """Each answer is asked for at once, with nothing in between that could wait for an event."""
    home = tmp_path_factory.mktemp("watched")
    root = home / "work"
    ws = Workspace.create(str(root), Config("http://forge.example", "acme", "rocket", 1, "ab" * 32))
    ws.finish_clone()
    for _ in range(12):
        _write(draw, root)
    _index(draw, root)
    watched = Watched(os.fsencode(root))
    watched.build()
    try:
        for _ in range(steps):
            for _ in range(draw.choice([0, 1, 1, 2, 5])):
                draw.choice(STEPS)(draw, root)
            seen = watched.seen()
            if seen is None:
                watched.build()
                seen = watched.seen()
            assert seen is not None
            assert seen.changes == _by_scan(os.fsencode(root))
    finally:
        watched.close()
        shutil.rmtree(home)
