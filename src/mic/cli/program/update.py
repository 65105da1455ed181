"""`mic update`: another version of this program, from a release that its key has signed."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable

import click

from mic.cli.settings import release_keys
from mic.cli.settings.release import File, Release, fetch_file, number, read_release
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, MicError, StorageFull, Unavailable
from mic.version import VERSION
from mic.workspace.place import Naming

PYZ = "MIC_PYZ"  # set by mic.pyz to its own path


@click.command(short_help="Bring this program to a newer version")
@click.option("--check", is_flag=True, help="Only say whether there is a newer version.")
@click.option("--version", "wanted", metavar="VERSION", help="This version, also an older one.")
@click.option("--from", "source", metavar="URL", help="Another folder of releases than the one this build names.")
@json_option
def update(out: Output, check: bool, wanted: str | None, source: str | None) -> None:
    """Bring this program to a newer version.

    A release is believed for the signature of its manifest, by the key that this build holds, and each file for its
    checksum in there. Without --version it never becomes an older one.
    """
    source = (source or release_keys.SOURCE).rstrip("/")
    if not release_keys.KEYS or not source:
        raise InvalidInput(
            "This build names no releases to update from.",
            hint="Update it the way it was installed: uv, pipx, apt, git.",
        )
    if wanted:
        number(wanted)
        source = f"{source}/{wanted}"
    found = read_release(source, release_keys.KEYS)
    if wanted and found.version != wanted:
        raise InvalidInput(f"What lies at {source} is {found.version}, not {wanted}.", hint="Nothing was changed.")
    newer = number(found.version) > number(VERSION)
    if not newer and not wanted and found.version != VERSION:
        raise InvalidInput(
            f"The release there is {found.version}, older than this {VERSION}.",
            hint=f"Nothing was changed. `mic update --version {found.version}` goes back on purpose.",
        )
    changes = found.version != VERSION
    if changes and not check:
        _install(found, source)
    if not changes:
        out.line(f"mic {VERSION} is the newest.")
    elif check:
        out.line(f"mic {found.version} is there ({found.released}); this is {VERSION}. `mic update` brings it.")
    else:
        out.line(f"mic is {found.version} now; it was {VERSION}.")
    out.document({"version": VERSION, "release": found.version, "newer": newer, "updated": changes and not check})


def _install(found: Release, source: str) -> None:
    """Puts the release in the place of this program, whole or not at all."""
    archive = os.environ.get(PYZ, "")
    kind = "pyz" if archive else "wheel"
    command = None if archive else installer()
    file = found.file(kind)
    data = fetch_file(source, file)
    if archive:
        _replace(archive, data)
    else:
        assert command is not None
        _by_installer(command, file, data)


def _replace(path: str, data: bytes) -> None:
    temporary = f"{path}.{os.getpid()}.new"
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o755)  # noqa: S103  # a program, for whoever may read it
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"{path} cannot be replaced: {error.strerror}.", hint="Make room there, then repeat."
            ) from error
        raise MicError(
            f"{path} cannot be replaced: {error.strerror}.",
            hint="Update it the way it was installed, for example by apt.",
        ) from error
    finally:
        if os.path.lexists(temporary):
            os.unlink(temporary)


def installer(which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """What installs a wheel beside this program; raises InvalidInput where that is not ours to do."""
    packages = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
    if os.path.basename(packages) != "site-packages" or sys.prefix == sys.base_prefix:
        raise InvalidInput(
            "mic runs from its source, or beside the system's own Python.", hint="Update it the way it was installed."
        )
    if uv := which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", sys.executable]
    if os.path.isdir(os.path.join(packages, "pip")):
        return [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    raise WrongCommandLine(
        "There is neither uv nor pip to install with.", hint="Install uv: https://docs.astral.sh/uv/"
    )


def _by_installer(command: list[str], file: File, data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, file.name)
        with Naming(path), open(path, "wb") as wheel:
            wheel.write(data)
        done = subprocess.run([*command, path], capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise Unavailable(f"The release could not be installed: {last}", hint="Nothing was changed. Try again.")
