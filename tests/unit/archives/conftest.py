"""Other forges, and an archive in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest

import other_forge_data
from mic.store import MemoryStore
from micelio.archives.asking import Asking
from micelio.archives.fetch import Fetch
from micelio.archives.kept import KeptArchive
from micelio.archives.manifest import Manifest, Pending
from micelio.archives.records import Any
from micelio.archives.source import parse_source
from micelio.outgoing.client import Outgoing
from other_forge import GiteaServer, GitHubServer, GitLabServer, OtherForge

HERE = frozenset({"127.0.0.1"})


@pytest.fixture
def github() -> Iterator[GitHubServer]:
    made = GitHubServer("acme/tool")
    made.lists = other_forge_data.github(made.page)
    yield made
    made.close()


@pytest.fixture
def gitlab() -> Iterator[GitLabServer]:
    made = GitLabServer("acme/sub/tool")
    made.lists = other_forge_data.gitlab(made.page)
    yield made
    made.close()


@pytest.fixture
def gitea() -> Iterator[GiteaServer]:
    made = GiteaServer("acme/tool")
    made.lists = other_forge_data.gitea(made.page)
    yield made
    made.close()


class Bench:
    """A project's archive in a store of its own, into which runs are made."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.project = uuid4()
        self.kept = KeptArchive(self.project, self.store)
        self.now = 1_793_000_000.0

    def fetch(
        self, server: OtherForge, provider: str, token: str = "", seen: Callable[[Pending], None] = lambda pending: None
    ) -> Manifest:
        """One run, to its end or to what it raises."""
        client = Outgoing(HERE, seconds=10)
        try:
            source = parse_source(server.page, provider)  # type: ignore[attr-defined]
            asking = Asking(client, source, token, clock=lambda: self.now)
            made = Fetch(self.kept, source, asking, token=bool(token), seen=seen, clock=lambda: self.now)
            return made.run()
        finally:
            client.close()

    def records(self) -> list[Any]:
        """What the archive holds."""
        found, _ = self.kept.load()
        assert found is not None
        return list(self.kept.records(found))

    def all_keys(self) -> list[str]:
        """The keys of its objects, below the project's."""
        return [item.key.removeprefix(f"projects/{self.project.hex}/") for item in self.store.list("projects/")]


@pytest.fixture
def bench() -> Bench:
    return Bench()
