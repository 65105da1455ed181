"""Two forges over one PostgreSQL and one bucket, behind a proxy that gives each connection to the next of them."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

import postgres_server
from browser import Browser
from forge_database import Postgres
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from round_robin import RoundRobin
from rpc_world import Caller, Refused, landing, session_id
from s3_server import S3Server

PROJECT = pb.ProjectRef(organization="acme", handle="api")


class Cluster:
    """Forges `a` and `b`, started at the same moment; `proxy` before them. `database` is what they share."""

    def __init__(self, postgres: str, s3: S3Server, folder: Path) -> None:
        place = s3.new_place()
        ports = [_free_port() for _ in range(4)]
        self.proxy = RoundRobin(ports[:2])
        self.database = Postgres(postgres_server.new_database(postgres))
        self.settings = {
            "MICELIO_BASE_URL": self.proxy.url,
            "MICELIO_KEYS_DIR": str(folder / "keys"),
            "STORAGE_BACKEND": "s3",
            "S3_BUCKET": place.bucket,
            "S3_ENDPOINT_URL": place.endpoint,
            "S3_ACCESS_KEY_ID": place.access_key_id,
            "S3_SECRET_ACCESS_KEY": place.secret_access_key,
        }
        self.ports = [{"PORT": str(ports[n]), "GRPC_PORT": str(ports[n + 2])} for n in range(2)]

        def start(number: int) -> Forge:
            data = folder / "ab"[number] / "data"
            data.parent.mkdir()
            return Forge(data, database=self.database, **self.settings, **self.ports[number])

        with ThreadPoolExecutor(2) as threads:
            self.a, self.b = threads.map(start, range(2))
        self.addresses = [f"127.0.0.1:{ports['GRPC_PORT']}" for ports in self.ports]

    def stop(self) -> None:
        for forge in (self.a, self.b):
            forge.stop()
        self.proxy.stop()
        self.database.drop()


@pytest.fixture
def cluster(postgres: str, s3_server: S3Server, tmp_path: Path) -> Iterator[Cluster]:
    made = Cluster(postgres, s3_server, tmp_path)
    yield made
    made.stop()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _positions(caller: Caller) -> list[int]:
    request = pb.ListLandingsRequest(project=PROJECT, page_size=200)
    return [item.landed_position for item in caller("SessionService.ListLandings", request).landings]


def _goals(url: str) -> list[str]:
    page = httpx.get(f"{url}/acme/api/-/landings?format=json").json()
    return [item["goal"] for item in page["landings"]]


def test_two_forges_are_one(cluster: Cluster) -> None:
    """Started at once; sign-in, creation, landings and pages from both; one is killed in the middle and comes back."""
    assert _rows(cluster, "SELECT handle, is_admin FROM accounts_user") == [("admin", True)]
    _sign_in_through_both(cluster)
    token = cluster.a.token("ada")
    with Caller(cluster.addresses[0], token) as at_a, Caller(cluster.addresses[1], token) as at_b:
        at_a("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle="acme"))
        request = pb.CreateProjectRequest(organization="acme", handle="api", visibility="public")
        at_b("ProjectService.CreateProject", request)
        _land_in_turns(cluster, at_a, at_b)
        told = _land_from_both(at_a, at_b)
        lost = _land_while_one_is_killed(cluster, at_a, told)
        # Whoever had no answer asks again, elsewhere, with the same session.
        for number, own in lost.items():
            told[number] = at_b("SessionService.LandSession", _request(number, own)).position
        assert httpx.get(f"{cluster.proxy.url}/health/ready").status_code == 200
        assert len(_goals(cluster.proxy.url)) == 50  # the first page
    cluster.a.process.wait()
    cluster.a.start()
    with Caller(cluster.addresses[0], token) as at_a, Caller(cluster.addresses[1], token) as at_b:
        total = len(told) + 4
        assert sorted(told.values()) == list(range(5, total + 1))
        assert _positions(at_a) == _positions(at_b) == list(range(total, 0, -1))
    rows = _rows(cluster, "SELECT position, goal FROM landings_landing ORDER BY position")
    assert rows == [*enumerate(["From a", "From b", "From a", "From b"], 1), *_expected(told)]
    assert _rows(cluster, "SELECT position FROM landings_projection") == [(total,)]
    events = Counter(
        name for (name,) in _rows(cluster, "SELECT object_name FROM audit_auditevent WHERE action = 'session.land'")
    )
    assert set(events.values()) == {1}
    # What the killed one had begun to write is named by nothing.
    assert cluster.b.run("verify").splitlines()[-1].startswith("acme/api: sound")
    for forge in (cluster.a, cluster.b):
        assert "Traceback" not in forge.log()


def _rows(cluster: Cluster, statement: str) -> list[tuple[object, ...]]:
    with cluster.database.opened() as rows:
        return rows.execute(statement)


def _expected(told: dict[int, int]) -> list[tuple[int, str]]:
    return sorted((position, f"Number {number}") for number, position in told.items())


def _sign_in_through_both(cluster: Cluster) -> None:
    """Cookie, form token and one-time link of one forge are good at the other."""
    # Each start makes a link and ends the one before it: the last forge's is the good one.
    links = [forge.once_link for forge in (cluster.a, cluster.b)]
    with Browser(cluster.proxy.url) as browser:
        browser.headers["Connection"] = "close"
        paths = [link.removeprefix(cluster.proxy.url) for link in links]
        assert sorted(browser.submit(path).status_code for path in paths) == [302, 410]
        before = dict(cluster.proxy.given)
        for _ in range(4):
            assert "admin" in browser.get("/-/account").text
        saved = browser.submit("/-/account", name="Ann")
        assert saved.status_code == 200
        assert "Ann" in browser.get("/-/account").text
        assert all(cluster.proxy.given[port] - before[port] >= 3 for port in before)


def _land_in_turns(cluster: Cluster, at_a: Caller, at_b: Caller) -> None:
    """What one forge has landed is in the other's lists and pages when the answer is there."""
    for number, (here, there) in enumerate([(at_a, at_b), (at_b, at_a)] * 2):
        goal = "From a" if here is at_a else "From b"
        request = landing(PROJECT, {b"turn%d" % number: b"x"}, goal=goal)
        assert here("SessionService.LandSession", request).position == number + 1
        assert _positions(there) == list(range(number + 1, 0, -1))
        for _ in range(2):
            assert _goals(cluster.proxy.url)[0] == goal


def _request(number: int, own: bytes) -> pb.LandSessionRequest:
    return landing(PROJECT, {b"many/%d" % number: b"%d" % number}, id=own, goal=f"Number {number}")


def _land_from_both(at_a: Caller, at_b: Caller) -> dict[int, int]:
    """Twenty at the same time, half of them at each; the position of each."""

    def one(number: int) -> tuple[int, int]:
        caller = at_a if number % 2 else at_b
        return number, caller("SessionService.LandSession", _request(number, session_id())).position

    with ThreadPoolExecutor(8) as threads:
        return dict(threads.map(one, range(20)))


def _land_while_one_is_killed(cluster: Cluster, at_a: Caller, told: dict[int, int]) -> dict[int, bytes]:
    """Land at `a`, which is killed after the first answers. The rest: what was not answered, with its session's id."""
    answered = threading.Semaphore(0)
    lost: dict[int, bytes] = {}

    def one(number: int) -> None:
        own = session_id()
        try:
            told[number] = at_a("SessionService.LandSession", _request(number, own)).position
        except Refused:
            lost[number] = own
        answered.release()

    def kill() -> None:
        for _ in range(6):
            answered.acquire()
        cluster.a.process.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(one, range(100, 140)))
    killer.join()
    assert lost
    assert len(lost) < 40
    return lost


def test_a_forge_that_does_not_fit_is_refused(cluster: Cluster, tmp_path: Path) -> None:
    """Other keys, another store, maintenance beside a forge that serves: one sentence each, and nothing changed."""
    with Caller(cluster.addresses[0], cluster.a.token("ada")) as ada:
        ada("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle="acme"))
        ada("ProjectService.CreateProject", pb.CreateProjectRequest(organization="acme", handle="api"))
    settings = cluster.settings | cluster.database.settings | {"PORT": "0", "GRPC_PORT": "0"}
    other_keys = _refused(settings | {"MICELIO_KEYS_DIR": str(tmp_path / "own-keys")}, tmp_path / "c", "serve")
    assert "The key secret_key of this forge is not the one of the others at its database." in other_keys
    other_store = {name: value for name, value in settings.items() if not name.startswith(("S3_", "STORAGE_"))}
    assert "The database knows projects, and the store at" in _refused(other_store, tmp_path / "d", "serve")
    assert "Stop every forge that uses it" in _refused(settings, tmp_path / "c", "rebuild")
    assert "Stop every forge that uses it" in _refused(settings, tmp_path / "c", "repair", "acme/api")
    assert httpx.get(f"{cluster.proxy.url}/health/ready").status_code == 200


def _refused(settings: dict[str, str], data: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "micelio", *arguments],
        env={"MICELIO_DATA_DIR": str(data), "PYTHONPATH": str(Path(__file__).parents[2] / "src")} | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1, done
    assert json.dumps(done.stderr).count("\\n") <= 2, done.stderr
    return done.stderr.splitlines()[-1]
