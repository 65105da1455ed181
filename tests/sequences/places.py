"""A working copy of a story, and what is on its disk."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import traceback
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import forked
from forked import MIC
from inside import NOBODY
from killed import AT, CALLS, KILLED
from mic.cli.main import main
from mic.cli.transfer.content_cache import content_cache

# What is in each file. One that may be run, and a link, begin with what they are.
Disk = dict[str, bytes]
EXECUTABLE, LINK = b"(may be run) ", b"(link to) "


class Wrong(AssertionError):
    """Something was lost, or is where it should not be."""


class NotNow(Exception):
    """The machine was too busy to answer in time: nothing is known, and the story is told again."""


class Place:
    """A working copy. `home` has its sign-in. Its commands run in this process; with `whole` each is one of its own."""

    def __init__(self, name: str, folder: Path, environment: Mapping[str, str], *, whole: bool = False) -> None:
        self.name, self.folder, self.environment, self.whole = name, folder, dict(environment), whole
        self.on_line = True

    def mic(self, *argv: str, looks: bool = False) -> tuple[int, str, str]:
        """A command here: exit code, output, errors. `looks`: it only asks, and may always run in this process.

        Raises NotNow where the forge, which is there, was not reached.
        """
        run = self._process if self.whole and not looks else self._inside
        return self._reached(argv, *run(argv, self._surroundings()))

    def cut_short(self, argv: Sequence[str], limit: int) -> tuple[int, str, str]:
        """A command that ends as kill -9 would before its change of that number (tests/cli/killed.py)."""
        done = forked.run(argv, self.folder, {**self._surroundings(), AT: str(limit), CALLS: "1"}, "")
        # How many changes there were is its last line, where it came to its end.
        err = done.stderr if done.returncode == KILLED else done.stderr.rstrip("\n").rpartition("\n")[0]
        return self._reached(argv, done.returncode, done.stdout, err)

    def beside(self, argv: Sequence[str]) -> tuple[int, str, str]:
        """A command in a process of its own, which may run beside others."""
        done = forked.run(argv, self.folder, self._surroundings(), "")
        return self._reached(argv, done.returncode, done.stdout, done.stderr)

    def _surroundings(self) -> dict[str, str]:
        return self.environment if self.on_line else self.environment | {"http_proxy": NOBODY, "no_proxy": ""}

    def _reached(self, argv: Sequence[str], code: int, out: str, err: str) -> tuple[int, str, str]:
        if self.on_line and code == 6:
            raise NotNow(f"mic {' '.join(argv)}: {(out + err).strip()[:300]}")
        return code, out, err

    def _process(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str, str]:
        done = subprocess.run(
            [str(MIC), *argv],
            cwd=self.folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout.decode("utf-8", "replace"), done.stderr.decode("utf-8", "replace")

    def _inside(self, argv: tuple[str, ...], environment: Mapping[str, str]) -> tuple[int, str, str]:
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
        kept, own, cwd = (sys.stdin, sys.stdout, sys.stderr), dict(os.environ), os.getcwd()
        sys.stdin, (sys.stdout, sys.stderr) = io.TextIOWrapper(io.BytesIO()), streams  # type: ignore[assignment]
        _become(environment)
        content_cache.cache_clear()  # that of the story before
        urllib.request.install_opener(None)  # type: ignore[arg-type]  # it remembers the proxies of the command before
        os.chdir(self.folder)
        try:
            code = main(list(argv), here=True)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            traceback.print_exc()
            code = 1000
        finally:
            os.chdir(cwd)
            _become(own)
            sys.stdin, sys.stdout, sys.stderr = kept
        out, err = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)  # type: ignore[attr-defined]
        return code, out, err

    def disk(self) -> Disk:
        """Every file but what mic keeps for itself."""
        found, top = {}, len(str(self.folder)) + 1
        for folder, folders, names in os.walk(self.folder):
            if ".mic" in folders:
                folders.remove(".mic")
            links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
            for name in (*names, *links):
                path = os.path.join(folder, name)
                found[path[top:]] = _read(path)
        return dict(sorted(found.items()))

    def write(self, path: str, data: bytes) -> None:
        """A file, or a link, in place of what is in the way."""
        target, shape, data = self.folder / path, *split(data)
        self.make_way(path)
        if shape == LINK:
            target.unlink(missing_ok=True)
            os.symlink(data, os.fsencode(target))
        else:
            target.write_bytes(data)
            target.chmod(0o755 if shape == EXECUTABLE else 0o644)

    def make_way(self, path: str) -> None:
        """Nothing but a file stands there afterwards, and a folder above it."""
        target = self.folder / path
        for above in reversed(target.relative_to(self.folder).parents[:-1]):
            if (self.folder / above).is_symlink() or (self.folder / above).is_file():
                (self.folder / above).unlink()
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_symlink():
            target.unlink()
        elif target.is_dir():
            shutil.rmtree(target)

    def status(self) -> dict[str, Any]:
        """What `mic status` says."""
        code, out, err = self.mic("status", "--json", looks=True)
        if code:
            raise Wrong(f"status in {self.name}: {code} {err}")
        found: dict[str, Any] = json.loads(out)
        for each in (*found["conflicts"], *found["changes"]):
            if "path_bytes" in each:
                each["path"] = os.fsdecode(base64.b64decode(each["path_bytes"]))
        return found

    def session(self) -> dict[str, Any]:
        """The session that is open here; nothing where none is."""
        code, out, _ = self.mic("session", "status", "--json", looks=True)
        return (json.loads(out).get("session") or {}) if not code else {}

    def first_waiting(self) -> str:
        """The number of what is sent next, of what waits; an item keeps its number when others go."""
        code, out, err = self.mic("pending", "list", "--json", looks=True)
        if code:
            raise Wrong(f"pending list in {self.name}: {code} {err}")
        return str(json.loads(out)["pending"][0]["number"])


def _become(environment: Mapping[str, str]) -> None:
    """These variables and no others; most are the same, and changing one takes a while."""
    for name in os.environ.keys() - environment.keys():
        del os.environ[name]
    for name, value in environment.items():
        if os.environ.get(name) != value:
            os.environ[name] = value


def _read(path: str) -> bytes:
    if os.path.islink(path):
        return LINK + os.fsencode(os.readlink(path))
    with open(path, "rb") as stream:
        return (EXECUTABLE if os.fstat(stream.fileno()).st_mode & 0o100 else b"") + stream.read()


def split(data: bytes) -> tuple[bytes, bytes]:
    """What a file is, `EXECUTABLE`, `LINK` or nothing, and what is in it."""
    shape = next((each for each in (EXECUTABLE, LINK) if data.startswith(each)), b"")
    return shape, data.removeprefix(shape)


def words(disk: Mapping[Any, bytes]) -> set[bytes]:
    """The lines that are somewhere, without the marks of clashes; and where links lead."""
    lines = {line for data in disk.values() for line in split(data)[1].split(b"\n") if line.startswith(b"line ")}
    return lines | {data for data in disk.values() if data.startswith(LINK)}


def places_of(disk: Mapping[str, bytes]) -> set[tuple[str, bytes]]:
    """The lines, and what files are, with the files."""
    lines = {(path, line) for path, data in disk.items() for line in words({path: data})}
    return lines | {(path, EXECUTABLE) for path, data in disk.items() if data.startswith(EXECUTABLE)}


def difference(wanted: Disk, found: Disk) -> str:
    """The first files that are not as they should be."""
    names = sorted(name for name in {*wanted, *found} if wanted.get(name) != found.get(name))
    return "; ".join(f"{name}: {wanted.get(name)!r} became {found.get(name)!r}" for name in names[:3])


def fresh(folder: Path) -> Path:
    """An empty folder of this name."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
