"""Fixtures of all tests: settings that touch nothing of the developer's, and a real forge on demand."""

from __future__ import annotations

import atexit
import faulthandler
import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import hypothesis
import pytest
from django.conf import settings
from django.db import connections
from httpx._config import DEFAULT_TIMEOUT_CONFIG

import forked_forge
from browser import Browser
from forge_process import Forge
from micelio import config, databases
from micelio.postgres_place import parse
from postgres_server import PostgresServer, running
from radosgw import Radosgw
from rpc_world import World
from s3_server import S3Server

# What a property says does not depend on how busy the machine is.
hypothesis.settings.register_profile("mic", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("mic")

# No command of a test leaves a daemon behind, but where a test asks for one.
os.environ["MIC_DAEMON"] = "off"

# PROCESSES=1 goes before it.
forked_forge.wanted = True

# As a forge has it (`micelio.__main__`): 8,000 tests, read twice, are millions of objects that stay.
gc.set_threshold(50_000, 20, 20)

# With TEST_DATABASE=postgres every forge keeps its rows in PostgreSQL. The first process of a run starts the server;
# those that pytest-xdist starts find its address here.
if os.environ.get("TEST_DATABASE") == "postgres" and "TEST_POSTGRES_URL" not in os.environ:
    _server = PostgresServer()
    atexit.register(_server.stop)
    os.environ["TEST_POSTGRES_URL"] = _server.url
_url = os.environ.get("TEST_POSTGRES_URL")

# Django's settings are read before any fixture; from here on, every file belongs to this run alone.
_FOLDER = Path(tempfile.mkdtemp(prefix="micelio-tests-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
config.install(
    replace(
        config.current(),
        data_dir=_FOLDER / "data",
        store_dir=_FOLDER / "data" / "store",
        postgres=parse(_url) if _url else None,
        password_breach_address="",
    )
)
# pytest-django has set Django up before this file was read, with SQLite; nothing was connected to yet.
if _url:
    del connections["default"]
    settings.DATABASES = {"default": databases.default(config.current())}
    connections.settings = connections.configure_settings(settings.DATABASES)


# A busy machine is no failure; that an answer never comes is said by pytest's own limit.
DEFAULT_TIMEOUT_CONFIG.read = DEFAULT_TIMEOUT_CONFIG.connect = 60
_shown: list[int] = []


def pytest_configure() -> None:
    """While nothing is captured: the standard error that a person sees."""
    _shown.append(os.dup(2))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """A run whose tests are all over ends: what keeps a process two minutes more is shown, and the run fails."""
    faulthandler.dump_traceback_later(120, exit=True, file=_shown[0])


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """One running forge for the whole run. Tests share it: make your own accounts and projects in it."""
    made = Forge(tmp_path_factory.mktemp("forge") / "data", whole=True)
    yield made
    made.end()


@pytest.fixture(scope="module")
def world(forge: Forge) -> Iterator[World]:
    """People, an organization and two projects of this module's own in the shared forge."""
    made = World(forge)
    yield made
    made.close()


@pytest.fixture
def own_forge(tmp_path: Path) -> Iterator[Forge]:
    """A running forge for one test, which may stop, restart or spoil it."""
    made = Forge(tmp_path / "data")
    yield made
    made.end()


@pytest.fixture
def browser(forge: Forge) -> Iterator[Browser]:
    """A browser at the shared forge, signed in as nobody."""
    with Browser(forge.base_url) as client:
        yield client


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for the whole run; make your own bucket in it."""
    made = S3Server(tmp_path_factory.mktemp("s3") / "log")
    yield made
    made.stop()


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """The address of a PostgreSQL server; make your own database in it."""
    if _url:
        yield _url
        return
    with running() as server:
        yield server.url


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    """Ceph's S3 gateway over a cluster in memory; for tests marked `radosgw`."""
    made = Radosgw(tmp_path_factory.mktemp("ceph"))
    yield made
    made.stop()
