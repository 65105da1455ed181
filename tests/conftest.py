"""Fixtures of all tests: settings that touch nothing of the developer's, and a real forge on demand."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from browser import Browser
from forge_process import Forge
from micelio import config
from radosgw import Radosgw
from s3_server import S3Server

# Django's settings are read before any fixture; from here on, every file belongs to this run alone.
_FOLDER = Path(tempfile.mkdtemp(prefix="micelio-tests-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)
config.install(replace(config.current(), data_dir=_FOLDER / "data", store_dir=_FOLDER / "data" / "store"))


@pytest.fixture(scope="session")
def forge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """One running forge for the whole run. Tests share it: make your own accounts and projects in it."""
    running = Forge(tmp_path_factory.mktemp("forge") / "data")
    yield running
    running.stop()


@pytest.fixture
def own_forge(tmp_path: Path) -> Iterator[Forge]:
    """A running forge for one test, which may stop, restart or spoil it."""
    running = Forge(tmp_path / "data")
    yield running
    running.stop()


@pytest.fixture
def browser(forge: Forge) -> Iterator[Browser]:
    """A browser at the shared forge, signed in as nobody."""
    with Browser(forge.base_url) as client:
        yield client


@pytest.fixture(scope="session")
def s3_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """One S3 server for the whole run; make your own bucket in it."""
    running = S3Server(tmp_path_factory.mktemp("s3") / "log")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def radosgw(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Radosgw]:
    """Ceph's S3 gateway over a cluster in memory; for tests marked `radosgw`."""
    running = Radosgw(tmp_path_factory.mktemp("ceph"))
    yield running
    running.stop()
