"""Starts `micelio` as a process of its own that did not have to load anything.

A start loads Django, gRPC and all that the forge is, which takes six times what is left of it, and the tests have
hundreds of starts. The forge that tests share is started by its command, and so are those of the tests that are about
the start; PROCESSES=1 has each started so.
"""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from micelio import config

_COMMANDS = Path(__file__).with_name("forge_commands.py")
_SETTINGS = config._READ | {"MICELIO_CONFIG"}
# Set by the tests alone: benchmarks measure what the command starts.
wanted = False
# Not a command of `micelio`: those that come through standard input.
COMMANDS = "commands"

if __name__ != "__main__":
    from forks import Forks

    _forks = Forks(Path(__file__))


def start(
    arguments: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    errors: IO[bytes] | None = None,
    *,
    whole: bool = False,
    first: Callable[[], None] | None = None,
) -> Any:
    """`micelio` with these arguments, or COMMANDS, with pipes to its standard input and from its standard output.

    It has what subprocess.Popen has. `whole`: by the command itself, as it is with `first`, which is called in it.
    """
    if whole or first or not _is_like_here(environment):
        command = [str(_COMMANDS)] if arguments == [COMMANDS] else ["-m", "micelio", *arguments]
        return subprocess.Popen(
            [sys.executable, *command],
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            preexec_fn=first,
        )
    given, to_it = os.pipe()
    from_it, said = os.pipe()
    try:
        made: Any = _forks.start(arguments, cwd, environment, [given, said, errors.fileno() if errors else 2])
    finally:
        os.close(given)
        os.close(said)
    made.stdin, made.stdout = os.fdopen(to_it, "w", encoding="utf-8"), os.fdopen(from_it, encoding="utf-8")
    return made


def run(arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """A `micelio` command from its start to its end."""
    if _is_like_here(environment):
        return _forks.run(arguments, cwd, environment, "")
    return subprocess.run(
        [sys.executable, "-m", "micelio", *arguments],
        cwd=cwd, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip


def _is_like_here(environment: Mapping[str, str]) -> bool:
    """Whether an environment differs by settings of a forge alone, which are read late, from that of the first fork."""
    if not wanted or os.environ.get("PROCESSES"):
        return False
    _forks.begin()
    own = _forks.environment
    differing = (name for name in {*environment, *own} if environment.get(name) != own.get(name))
    return all(name in _SETTINGS or name.startswith("PYTEST_") for name in differing)


def _load() -> None:
    """All that a forge loads while it starts and serves; of any settings, which are forgotten again."""
    import importlib
    import pkgutil

    config.install(config.load({"MICELIO_DATA_DIR": "/nonexistent"}))
    os.environ["DJANGO_SETTINGS_MODULE"] = "micelio.django_settings"
    import django
    from django.conf import settings
    from django.db import connections
    from django.utils.functional import empty
    from django.utils.module_loading import import_string

    import micelio

    django.setup()
    for module in pkgutil.walk_packages(micelio.__path__, "micelio."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in settings.MIDDLEWARE:
        import_string(name)
    import uvicorn.lifespan.on
    import uvicorn.protocols.http.httptools_impl  # noqa: F401

    config._installed = None
    config._passing_key.cache_clear()
    del sys.modules["micelio.django_settings"]
    settings._wrapped = empty
    connections.__dict__.clear()
    connections.__init__()


def _rename() -> None:
    """The name of a process is made while it loads: here for all of them."""
    from micelio.cluster import presence

    loaded, name = presence.PROCESS, f"serve-{uuid.uuid4().hex[:12]}"
    for module in [module for module in sys.modules.values() if getattr(module, "PROCESS", None) == loaded]:
        module.PROCESS = name  # type: ignore[attr-defined]


def _run(arguments: list[str]) -> int:
    _rename()
    sys.argv = ["micelio", *arguments]
    return forge_commands.take() if arguments == [COMMANDS] else main(arguments)


if __name__ == "__main__":
    import gc

    gc.set_threshold(50_000, 20, 20)  # as `python -m micelio`
    tests = sys.path.pop(0)
    from micelio.command import main

    _load()
    sys.path.append(tests)
    import forge_commands
    import forks

    gc.freeze()
    forks.serve(sys.argv[1], _run)
