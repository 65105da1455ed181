"""Who touched a path, at every door: the same landings, with what they did."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest

from api_client import Api
from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Refused, World

# Position and what became of it, newest first.
STORY = {
    b"src/a.py": [(5, "deleted"), (3, "modified"), (1, "added")],
    b"src": [(5, "below"), (4, "below"), (3, "below"), (1, "below")],
    b"src/b\xff/c": [(4, "added")],
    b"src/b\xff": [(4, "below")],
    b"readme": [(2, "added")],
}


@pytest.fixture(scope="module")
def lived(world: World) -> pb.ProjectRef:
    """A private project in which five sessions landed."""
    project = world.project("", "private")
    old, new = hashlib.sha256(b"1\n").digest(), hashlib.sha256(b"2\n").digest()
    was = {"path": b"src/a.py", "base_mode": 0o100644}
    modified = pb.Change(op=pb.Change.MODIFIED, mode=0o100644, hash=new, size=2, base_hash=old, **was)
    deleted = pb.Change(op=pb.Change.DELETED, base_hash=new, **was)
    world.land(world.rita, project, {b"src/a.py": b"1\n"})
    world.land(world.rita, project, {b"readme": b"r\n"})
    world.land(world.rita, project, {b"ignored": b"2\n"}, changes=[modified], base_position=2)
    world.land(world.rita, project, {b"src/b\xff/c": b"c\n"})
    world.land(world.rita, project, {}, changes=[deleted], base_position=4)
    return project


@pytest.fixture(scope="module")
def api(world: World) -> Iterator[Api]:
    with Api(world.forge.base_url, world.forge.token("rita")) as client:
        yield client


@pytest.mark.parametrize("path", STORY)
def test_grpc(world: World, lived: pb.ProjectRef, path: bytes) -> None:
    request = pb.ListLandingsRequest(project=lived, path=path)
    found = world.rita("SessionService.ListLandings", request).landings
    assert [(row.landed_position, row.touch) for row in found] == STORY[path]
    request = pb.ListLandingsRequest(project=lived, path=path, before_position=5, after_position=2)
    found = world.rita("SessionService.ListLandings", request).landings
    assert [(row.landed_position, row.touch) for row in found] == [each for each in STORY[path] if 2 < each[0] < 5]


def test_grpc_page_by_page(world: World, lived: pb.ProjectRef) -> None:
    found, token = [], ""
    while True:
        request = pb.ListLandingsRequest(project=lived, path=b"src", page_size=1, page_token=token)
        answer = world.rita("SessionService.ListLandings", request)
        found += [(row.landed_position, row.touch) for row in answer.landings]
        token = answer.next_page_token
        if not token:
            break
    assert found == STORY[b"src"]


@pytest.mark.parametrize("path", [b"/src", b"src/", b"src//a", b"../src", b"a\0b"])
def test_grpc_bad_paths(world: World, lived: pb.ProjectRef, path: bytes) -> None:
    with pytest.raises(Refused) as caught:
        world.rita("SessionService.ListLandings", pb.ListLandingsRequest(project=lived, path=path))
    assert caught.value.code == "invalid_path"


def test_grpc_positions_go_with_a_path(world: World, lived: pb.ProjectRef) -> None:
    with pytest.raises(Refused) as caught:
        world.rita("SessionService.ListLandings", pb.ListLandingsRequest(project=lived, after_position=1))
    assert caught.value.code == "invalid_input"


@pytest.mark.parametrize("path", STORY)
def test_rest(api: Api, lived: pb.ProjectRef, path: bytes) -> None:
    base = f"/projects/{lived.organization}/{lived.handle}/history/{quote(path)}"
    assert [(row["position"], row["touch"]) for row in api.get(base).json()["items"]] == STORY[path]
    found, address = [], f"{base}?limit=1"
    while address:
        page = api.get(address).json()
        found += [(row["position"], row["touch"]) for row in page["items"]]
        address = f"{base}?limit=1&cursor={page['next']}" if page["next"] else ""
    assert found == STORY[path]
    answer = api.get(f"{base}?at=4&after=2").json()["items"]
    assert [(row["position"], row["touch"]) for row in answer] == [each for each in STORY[path] if 2 < each[0] < 5]
    assert api.get(f"{base}?after=99").json()["items"] == []


@pytest.mark.parametrize("path", STORY)
def test_page_and_twin(world: World, lived: pb.ProjectRef, path: bytes) -> None:
    address = f"/{lived.organization}/{lived.handle}/-/history/head/{quote(path)}"
    with Browser(world.forge.base_url) as rita:
        rita.sign_in_once(world.forge.once("rita"))
        html = rita.get(address)
        assert html.status_code == 200
        places = [html.text.index(f'aria-label="Landing {position}"') for position, _ in STORY[path]]
        assert places == sorted(places)
        twin = json.loads(rita.get(f"{address}?format=json").text)
        assert [(row["position"], row["touch"]) for row in twin["landings"]] == STORY[path]
        before = [at for at, _ in STORY[path] if at <= 3]
        older = rita.get(f"{address.replace('head', '@3')}?format=json")
        assert (older.status_code, [row["position"] for row in older.json().get("landings", [])]) == (
            (200, before) if before else (404, [])
        )
        if path == b"src/b\xff":
            assert base64.b64decode(twin["path_bytes"]) == path


def test_a_path_that_nobody_touched(world: World, lived: pb.ProjectRef, api: Api) -> None:
    base = f"/{lived.organization}/{lived.handle}/-/history/head"
    with Browser(world.forge.base_url) as rita:
        rita.sign_in_once(world.forge.once("rita"))
        answer = rita.get(f"{base}/nowhere")
        assert answer.status_code == 404
        assert "No landing up to @5 touched nowhere" in answer.text
        assert rita.get(f"{base}/src?before=1").status_code == 200
        assert rita.get(f"{base}/src?before=x").status_code == 400
    assert api.get(f"/projects/{lived.organization}/{lived.handle}/history/nowhere").json()["items"] == []
    assert api.get(f"/projects/{lived.organization}/{lived.handle}/history/").status_code in (400, 404)
