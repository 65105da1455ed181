"""The first thing that runs in mic.pyz: unpacks it once into the cache of mic, then becomes the program."""

import os
import sys
import zipfile

NAME, PLATFORM = "@NAME@", "@PLATFORM@"


def here():
    machine = os.uname().machine if hasattr(os, "uname") else "unknown"
    return f"{sys.platform}-{machine}-cp{sys.version_info[0]}{sys.version_info[1]}"


def main():
    if here() != PLATFORM:
        sys.exit(
            f"mic: This file is for {PLATFORM}, and this is {here()}.\n"
            "     Take the one for it, or `uv tool install micelio`."
        )
    archive = os.path.abspath(sys.argv[0])
    base = os.environ.get("XDG_CACHE_HOME", "")
    base = base if os.path.isabs(base) else os.path.expanduser("~/.cache")
    folder = os.path.join(base, "mic", "pyz", NAME)
    if not os.path.isdir(folder):
        unpack(archive, folder)
    os.environ["MIC_PYZ"] = archive
    code = "import sys; sys.path.insert(0, sys.argv.pop(1)); from mic.cli.main import start; start()"
    command = [sys.executable, "-I", "-S", "-c", code, folder, *sys.argv[1:]]
    if os.name == "posix":
        os.execv(command[0], command)  # noqa: S606  # the interpreter that runs here
    import subprocess

    sys.exit(subprocess.call(command))


def unpack(archive, folder):
    import tempfile

    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    temporary = tempfile.mkdtemp(dir=os.path.dirname(folder))
    with zipfile.ZipFile(archive) as packed:
        packed.extractall(temporary, [name for name in packed.namelist() if name != "__main__.py"])
    # Python compiles what a command loads when it first does; all of it at once would take five times as long as this.
    try:
        os.rename(temporary, folder)
    except OSError:  # somebody else was quicker
        import shutil

        shutil.rmtree(temporary, ignore_errors=True)


main()
