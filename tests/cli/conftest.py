"""People at terminals, one home each."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from forge_process import Forge
from inside import Inside
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller
from transcript import Shell

_numbers = itertools.count(1)


@pytest.fixture
def name() -> str:
    """An organization that nobody else has, in whatever process this test runs."""
    return f"t{os.getpid()}-{next(_numbers)}"


@pytest.fixture
def shell(forge: Forge, tmp_path: Path, name: str) -> Shell:
    """Somebody signed in, with an organization of their own; the account is `u` and its name."""
    with Caller(forge.grpc_address, forge.token(f"u{name}")) as caller:
        caller("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=name))
    return Shell(forge, tmp_path / "home", f"u{name}")


@pytest.fixture
def daemons_place(shell: Shell, name: str) -> Iterator[Path]:
    """Where the shell's daemon has its socket, which it may have from now on: a short path, as sockets need."""
    place = Path(f"/tmp/mic-{name}")
    place.mkdir(mode=0o700)
    shell.environment |= {"XDG_RUNTIME_DIR": str(place), "MIC_DAEMON": "on"}
    yield place
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture(scope="session")
def insider(forge: Forge, tmp_path_factory: pytest.TempPathFactory) -> Inside:
    """Somebody signed in whose commands run in this process, for tests that share one; `insider.own` is theirs."""
    handle = f"in{os.getpid()}"
    person = Inside(forge, tmp_path_factory.mktemp("insider") / "home", handle)
    person.own = f"{handle}-org"
    assert person("org", "create", person.own) == f"Made the organization {person.own}.\n"
    return person
