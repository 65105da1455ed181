"""The REST door does what the other doors do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import pytest

from api_client import Api
from forge_process import Forge
from rpc_world import World


@pytest.fixture(scope="module")
def rita(forge: Forge) -> Iterator[Api]:
    with Api(forge.base_url, forge.token("rita")) as api:
        yield api


@pytest.fixture(scope="module")
def nobody(forge: Forge) -> Iterator[Api]:
    with Api(forge.base_url) as api:
        yield api


def test_who_i_am(rita: Api) -> None:
    """The account behind the token."""
    me = rita.done("GET", "/me")
    assert (me["handle"], me["is_admin"], me["scopes"]) == ("rita", False, None)


def test_a_whole_cycle(rita: Api, nobody: Api, world: World) -> None:
    """Start, land, read: everything with JSON over HTTP."""
    organization = f"{world.organization}-cycle"
    made = rita.post("/orgs", json={"handle": organization, "name": "Cycle"})
    assert (made.status_code, made.headers["location"]) == (201, f"/api/v1/orgs/{organization}")
    project = f"/projects/{organization}/tool"
    body = {"owner": organization, "handle": "tool", "visibility": "public", "description": "A tool"}
    assert rita.done("POST", "/projects", 201, json=body)["head_position"] == 0
    started = rita.done("POST", f"{project}/sessions", 201, json={"goal": "Say hello"})
    assert (started["state"], started["changes"]) == ("active", 0)
    assert [row["id"] for row in rita.done("GET", f"{project}/sessions")["items"]] == [started["id"]]
    landed = rita.done(
        "POST",
        f"{project}/landings",
        201,
        json={
            "goal": "Say hello",
            "session": started["id"],
            "agent": "test",
            "changes": [
                {"path": "docs/hello.txt", "text": "hello\n"},
                {"path": "run.sh", "text": "#!\n", "mode": "100755"},
            ],
            "conversation": [{"role": "human", "text": "Say hello", "at_ms": 1_700_000_000_000}],
            "decisions": [
                {"what": "English", "why": "short", "alternatives": [{"what": "Latin"}]},
                {"what": "In one line", "at_ms": 1_700_000_000_001},
                {"what": "Without a name", "at_ms": 1_700_000_000_001, "message": 1},
            ],
        },
    )
    assert (landed["state"], landed["position"], landed["session"]) == ("landed", 1, started["id"])
    root = nobody.done("GET", f"{project}/tree")["items"]
    assert [(item["path"], item["kind"], item["mode"]) for item in root] == [
        ("docs", "directory", None),
        ("run.sh", "file", "100755"),
    ]
    below = nobody.done("GET", f"{project}/tree/docs")["items"]
    assert [(item["path"], item["size"], item["hash"]) for item in below] == [
        ("docs/hello.txt", 6, hashlib.sha256(b"hello\n").hexdigest())
    ]
    assert nobody.get(f"{project}/files/docs/hello.txt").content == b"hello\n"
    assert nobody.get(f"{project}/files/docs/hello.txt", headers={"Range": "bytes=1-3"}).content == b"ell"
    seen = nobody.done("GET", f"{project}/landings/1")
    assert seen["conversation"] == [{"role": "human", "author": "", "text": "Say hello", "at": "2023-11-14T22:13:20Z"}]
    assert seen["decision_list"][0]["alternatives"] == [{"what": "Latin", "why_not": ""}]
    assert [(each["at"], each["message"], each["said_before"]) for each in seen["decision_list"]] == [
        (None, None, None),
        ("2023-11-14T22:13:20.001000Z", None, 1),
        ("2023-11-14T22:13:20.001000Z", 1, None),
    ]
    assert nobody.done("GET", f"{project}/sessions/{started['id']}")["decisions"] == seen["decision_list"]
    changes = nobody.done("GET", f"{project}/landings/1/changes?limit=1")
    assert [(item["path"], item["op"]) for item in changes["items"]] == [("docs/hello.txt", "added")]
    rest = nobody.done("GET", f"{project}/landings/1/changes", params={"limit": 1, "cursor": changes["next"]})
    assert ([item["path"] for item in rest["items"]], rest["next"]) == (["run.sh"], None)
    assert nobody.done("GET", f"{project}/sessions/{started['id']}")["position"] == 1
    assert nobody.done("GET", f"{project}/sessions/{started['id']}/outcome")["state"] == "landed"
    changed = rita.done(
        "POST",
        f"{project}/landings",
        201,
        json={
            "goal": "Say less",
            "changes": [{"path": "docs/hello.txt", "base64": "aGkK"}, {"path": "run.sh", "delete": True}],
        },
    )
    assert changed["position"] == 2
    assert nobody.get(f"{project}/files/docs/hello.txt").content == b"hi\n"
    assert nobody.get(f"{project}/files/docs/hello.txt?at=1").content == b"hello\n"
    nobody.refused("GET", f"{project}/files/run.sh", 404, "not_found")
    clash = rita.refused(
        "POST",
        f"{project}/landings",
        409,
        "conflict",
        json={"goal": "Too late", "base_position": 1, "changes": [{"path": "docs/hello.txt", "text": "HELLO\n"}]},
    )
    assert [(item["path"], item["theirs_position"]) for item in clash["clashes"]] == [("docs/hello.txt", 2)]
    assert [row["position"] for row in nobody.done("GET", f"{project}/landings")["items"]] == [2, 1]
    fork = rita.done("POST", f"{project}/forks", 201, json={"owner": organization, "handle": "other"})
    assert (fork["forked_from"], fork["fork_position"]) == (f"{organization}/tool", 2)
    assert rita.done("DELETE", f"/projects/{organization}/other")["forks"] == 0
