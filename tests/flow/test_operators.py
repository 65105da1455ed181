"""The administrators' pages and `micelio admin`, on a running forge."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from browser import Browser
from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, World

# Every page that an administrator has, with a part that it must show.
PAGES = {
    "/-/admin": "Administration",
    "/-/admin/accounts": "amy",
    "/-/admin/accounts/amy": "administrator",
    "/-/admin/organizations": "Organizations",
    "/-/admin/projects": "at the head",
    "/-/admin/abuse": "Blocks",
    "/-/admin/erasure": "Nothing was erased yet",
    "/-/admin/jobs": "waiting",
    "/-/admin/storage": "What the doctor says",
    "/-/admin/settings": "MICELIO_BASE_URL",
    "/-/admin/legal": "Put it in force",
    "/-/legal": "They alone are responsible for it",
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forge]:
    """A forge of this module's own, behind a proxy that is this test; amy runs it."""
    made = Forge(tmp_path_factory.mktemp("operated") / "data", MICELIO_TRUSTED_PROXIES="127.0.0.0/8")
    yield made
    made.end()


@pytest.fixture(scope="module")
def world(place: Forge) -> Iterator[World]:
    made = World(place)
    yield made
    made.close()


@pytest.fixture
def amy(place: Forge) -> Iterator[Browser]:
    with _from(place, "198.51.100.1") as browser:
        browser.sign_in_once(place.once("amy", "--create", "--admin"))
        yield browser


def _from(place: Forge, address: str) -> Browser:
    browser = Browser(place.base_url)
    browser.headers["X-Forwarded-For"] = address
    return browser


def _acts(place: Forge) -> list[tuple[str, str, str]]:
    lines = place.run("audit", "export").splitlines()
    return [(event["actor"], event["action"], event["object"]) for event in map(json.loads, lines)]


@pytest.mark.parametrize("path", sorted(PAGES))
def test_each_page_shows_and_has_its_twin(world: World, amy: Browser, path: str) -> None:
    """Within 30 KiB compressed and twelve queries; one h1; the same as JSON."""
    answer = amy.get(path)
    assert answer.status_code == 200
    assert PAGES[path] in answer.text
    assert len(re.findall("<h1", answer.text)) == 1
    assert answer.num_bytes_downloaded < 25_000
    queries = re.findall(r"(\d+) quer(?:y|ies)", answer.text)
    assert queries
    assert int(queries[0]) <= 12
    assert amy.get(f"{path}?format=json").headers["content-type"] == "application/json"


def test_the_last_administrator_stays_one(place: Forge, amy: Browser) -> None:
    """bob is made one and sees the pages; of the first account and amy both may go, and then bob may not."""
    place.token("bob")
    assert amy.submit("/-/admin/accounts/bob", act="promote").status_code == 302
    with _from(place, "198.51.100.2") as bob:
        bob.sign_in_once(place.once("bob"))
        assert bob.get("/-/admin").status_code == 200
        for handle in ("amy", "admin"):
            assert bob.submit(f"/-/admin/accounts/{handle}", act="demote").status_code == 302
        assert amy.get("/-/admin").status_code == 403
        answer = bob.submit("/-/admin/accounts/bob", act="demote")
        assert answer.status_code == 400
        assert "bob is the last administrator. Make another one first." in answer.text
        place.run("admin", "users", "make-admin", "amy")
        gone = bob.submit("/-/admin/accounts/bob", act="demote")
        assert (gone.status_code, gone.headers["location"]) == (302, "/")
        assert bob.get("/-/admin").status_code == 403
    assert ("amy", "account.admin", "bob") in _acts(place)


def test_a_blocked_address_gets_nothing_through_any_door(place: Forge, world: World, amy: Browser) -> None:
    """Pages and gRPC say why and until when; the rest of the world goes on; lifted, it may again. All audited."""
    with _from(place, "203.0.113.77") as visitor, _caller(place, "203.0.113.77") as caller:
        assert visitor.get("/").status_code == 200
        done = amy.submit("/-/admin/abuse", act="block", target="203.0.113.0/24", reason="Crawls raw files", hours="2")
        assert done.status_code == 302
        answer = visitor.get("/")
        assert answer.status_code == 403
        assert re.search(
            r"Your address is blocked until \d{4}-\d\d-\d\d \d\d:\d\d UTC: Crawls raw files\.", answer.text
        )
        assert 7100 <= int(answer.headers["retry-after"]) <= 7200
        assert visitor.get("/?format=json").json()["error"]["code"] == "blocked"
        assert visitor.get("/api/v1/nothing").status_code in (403, 404)
        refused = caller.refused("ProjectService.ListProjects", pb.ListProjectsRequest())
        assert (refused.status.name, refused.code) == ("PERMISSION_DENIED", "blocked")
        with _from(place, "203.0.114.1") as neighbour:
            assert neighbour.get("/").status_code == 200
        row = amy.get("/-/admin/abuse?format=json").json()["blocks"][0]
        assert (row["network"], row["made_by"], row["everybody"]) == ("203.0.113.0/24", "amy", True)
        assert amy.submit("/-/admin/abuse", act="lift", block=row["id"]).status_code == 302
        assert visitor.get("/").status_code == 200
        caller("ProjectService.ListProjects", pb.ListProjectsRequest())
        again = amy.submit("/-/admin/abuse", act="lift", block=row["id"])
        assert again.status_code == 404
    acts = _acts(place)
    assert ("amy", "block.create", "203.0.113.0/24") in acts
    assert ("amy", "block.lift", "203.0.113.0/24") in acts


def _caller(place: Forge, address: str, token: str = "") -> Caller:
    return Caller(place.grpc_address, token, **{"x-forwarded-for": address})


def test_a_blocked_account_gets_nothing_wherever_it_comes_from(place: Forge, world: World, amy: Browser) -> None:
    """Its browser and its token; nobody else at its address."""
    token = place.token("mallory")
    with _from(place, "198.51.100.9") as mallory, _caller(place, "198.51.100.10", token) as caller:
        mallory.sign_in_once(place.once("mallory"))
        assert amy.submit("/-/admin/accounts/mallory", act="block", reason="Loops", hours="0").status_code == 302
        assert "Your account is blocked: Loops." in mallory.get("/").text
        assert caller.refused("AuthService.GetCurrentUser", pb.GetCurrentUserRequest()).code == "blocked"
        with _from(place, "198.51.100.9") as other:
            assert other.get("/").status_code == 200
        assert place.run("admin", "unblock", "mallory") == "mallory\tlifted"
    with pytest.raises(AssertionError, match="is not blocked"):
        place.run("admin", "unblock", "mallory")


REFUSED = [
    ({"target": "198.51.100.1", "reason": "x"}, "You are in 198.51.100.1/32 yourself."),
    ({"target": "0.0.0.0/0", "reason": "x"}, "too much of the world"),
    ({"target": "1.2.3", "reason": "x"}, "is no address and no network"),
    ({"target": "amy", "reason": "x"}, "amy is an administrator."),
    ({"target": "nobody-here", "reason": "x"}, "There is no account"),
    ({"target": "203.0.113.5", "reason": ""}, "A block needs a reason"),
    ({"target": "203.0.113.5", "reason": "x", "hours": "many"}, "is no whole number"),
    ({"target": "203.0.113.5", "reason": "x", "hours": "99999"}, "A block cannot last 99999 hours"),
    ({"target": "a\x00b/:", "reason": "\u202ex"}, "A block needs a reason"),
    ({"target": "x" * 10_000, "reason": "x"}, "There is no account"),
]


@pytest.mark.parametrize(("fields", "words"), REFUSED)
def test_a_block_that_cannot_be_meant_is_refused_in_words(amy: Browser, fields: dict[str, str], words: str) -> None:
    """And what was typed stands in the form again."""
    answer = amy.submit("/-/admin/abuse", act="block", **fields)
    assert answer.status_code in (400, 404)
    assert words in answer.text


@pytest.mark.parametrize("form", [{}, {"act": "explode"}, {"act": ["block", "lift"]}, {"act": "lift", "block": "1"}])
def test_a_form_that_no_page_has_is_refused(amy: Browser, form: dict[str, str | list[str]]) -> None:
    """Whatever is sent, never a failure."""
    answer = amy.post("/-/admin/abuse", data=amy.hidden("/-/admin/abuse") | form)
    assert answer.status_code in (400, 404)


def test_the_legal_page_is_changed_by_administrators_and_keeps_its_history(place: Forge, amy: Browser) -> None:
    """Markdown through the one renderer; an older tab changes nothing; each change is in the audit log."""
    with _from(place, "198.51.100.20") as visitor:
        assert '<a href="/-/legal">Legal</a>' in visitor.get("/").text
        stale = amy.hidden("/-/admin/legal")
        text = "# Imprint\n\nRun by *Amy*.\n\n<script>alert(1)</script>\n"
        assert amy.submit("/-/admin/legal", act="change", text=text).status_code == 302
        shown = visitor.get("/-/legal").text
        assert "Run by <em>Amy</em>." in shown
        assert "<script" not in shown
        late = amy.post("/-/admin/legal", data=stale | {"act": "change", "text": "Other"})
        assert late.status_code == 400
        assert "Somebody else has changed the page meanwhile." in late.text
        for bad in ("", "a\x00b", "x" * 50_001):
            assert amy.submit("/-/admin/legal", act="change", text=bad).status_code == 400
        assert visitor.get("/-/legal?format=md").text == text
    assert ("amy", "legal.change", "the legal page") in _acts(place)


def test_the_shell_has_what_the_pages_have(place: Forge, world: World, amy: Browser) -> None:
    """Lists as columns and as JSON; blocks are in force in the running forge within seconds."""
    users = [json.loads(line) for line in place.run("admin", "users", "list", "--json").splitlines()]
    assert {"amy", "rita", "max"} <= {user["handle"] for user in users}
    assert place.run("admin", "users", "show", "max").split("\t") == ["max", "-", "-", "user"]
    assert f"{world.organization}\t" in place.run("admin", "orgs", "list")
    found = place.run("admin", "projects", "list", "--find", f"{world.organization}/open")
    assert found == f"{world.organization}/open\tpublic\t1 landings\t6 bytes"
    done = place.run("admin", "block", "2001:db8:5::9", "--reason", "Guesses", "--hours", "1")
    assert done.startswith("2001:db8:5::/64\tuntil ")
    assert "2001:db8:5::/64" in place.run("admin", "blocks")
    assert place.run("admin", "jobs", "list", "--state", "running") == ""
    assert str(place.data_dir) in place.run("admin", "storage")
    assert place.run("admin", "unblock", "2001:db8:5::") == "2001:db8:5::/64\tlifted"


def test_an_account_is_suspended_and_opened_again(place: Forge, amy: Browser) -> None:
    """By the page and at the shell; without a reason it is not."""
    place.token("sue")
    page = "/-/admin/accounts/sue"
    assert amy.submit(page, act="suspend", reason=" ").status_code == 400
    assert amy.submit(page, act="suspend", reason="Spam").status_code == 302
    assert "Suspended: Spam" in amy.get(page).text
    assert place.run("admin", "users", "unsuspend", "sue").split("\t")[-1] == "user"
    assert place.run("admin", "users", "suspend", "sue", "--reason", "Again").split("\t")[-1] == "user, suspended"
    assert amy.submit(page, act="unsuspend").status_code == 302
    assert amy.get(f"{page}?format=json").json()["is_active"] is True


def test_what_an_organization_may_have_is_said_by_the_page_and_at_the_shell(
    place: Forge, world: World, amy: Browser
) -> None:
    page = f"/-/admin/organizations/{world.organization}"
    assert amy.submit(page, act="limit", public_projects="7", stored_mb="100").status_code == 302
    found = amy.get(f"{page}?format=json").json()
    assert (found["limits"]["public_projects"], found["limits"]["stored_bytes"]) == (7, 100 << 20)
    assert amy.submit(page, act="limit", public_projects="-1").status_code == 400
    assert amy.get("/-/admin/organizations/none-here").status_code == 404
    lines = place.run("admin", "limits", world.organization, "--private", "3").splitlines()
    assert lines[:2] == ["public projects\t1\tof 7", "private projects\t1\tof 3"]


def test_who_came_by_a_link_a_moment_ago_need_not_confirm(place: Forge, world: World) -> None:
    """A link is a sign-in like any other, also of an administrator with a password."""
    with _from(place, "198.51.100.30") as first, _from(place, "198.51.100.31") as second:
        first.sign_in_once(place.once("petra", "--create", "--admin"))
        assert first.submit("/-/account/password", password="an even quieter long phrase").status_code == 302
        second.sign_in_once(place.once("petra"))
        answer = second.submit("/-/admin/abuse", act="block", target="203.0.113.99", reason="x", hours="1")
        assert answer.status_code == 302
        assert answer.headers["location"] == "/-/admin/abuse"
        assert "203.0.113.99" in second.get("/-/admin/abuse").text


def test_the_doctor_examines_the_store_on_asking(amy: Browser) -> None:
    """A directory is sound."""
    assert "Examine the store now" in amy.get("/-/admin/storage").text
    assert amy.submit("/-/admin/storage", act="examine").status_code == 302
    assert "The store keeps every promise that landing needs." in amy.get("/-/admin/storage").text


def _rest(place: Forge, token: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {token}", "X-Forwarded-For": "198.51.100.40"}
    return httpx.Client(base_url=f"{place.base_url}/api/v1/admin", headers=headers, timeout=60)


def test_rest_has_what_the_pages_have(place: Forge, world: World, amy: Browser) -> None:
    """Lists page by page, usage, limits, blocks, jobs, the store and letters, for an administrator's sign-in."""
    with _rest(place, place.token("amy")) as rest:
        assert rest.get("overview").json()["accounts"] >= 4
        first = rest.get("accounts", params={"limit": 1}).json()
        second = rest.get("accounts", params={"limit": 1, "cursor": first["next"]}).json()
        assert first["items"][0]["handle"] < second["items"][0]["handle"]
        assert [row["handle"] for row in rest.get("accounts", params={"find": "max"}).json()["items"]] == ["max"]
        assert rest.get("accounts/amy").json()["is_admin"] is True
        assert rest.get("accounts/nobody-here").status_code == 404
        listed = rest.get("organizations", params={"find": world.organization}).json()["items"]
        assert [(row["handle"], row["members"]) for row in listed] == [(world.organization, 2)]
        wanted = {"public_projects": 9, "private_projects": 0, "stored_bytes": None}
        assert rest.put(f"organizations/{world.organization}/limits", json=wanted).json()["limits"] == {
            "public_projects": 9,
            "private_projects": 0,
            "stored_bytes": 0,
        }
        assert rest.put(f"organizations/{world.organization}/limits", json={**wanted, "x": 1}).status_code == 400
        made = rest.post("blocks", json={"target": "203.0.113.77", "reason": "Loops", "hours": 1})
        assert (made.status_code, made.json()["network"], made.json()["made_by"]) == (201, "203.0.113.77/32", "amy")
        assert made.json()["id"] in [row["id"] for row in rest.get("blocks").json()["items"]]
        assert rest.delete(f"blocks/{made.json()['id']}").status_code == 204
        assert rest.delete(f"blocks/{made.json()['id']}").status_code == 404
        assert rest.post("blocks", json={"target": "198.51.100.40", "reason": "Me"}).status_code == 400
        assert rest.get("jobs", params={"state": "running"}).status_code == 200
        assert rest.post(f"jobs/{uuid4()}/retry").status_code == 404
        assert rest.post("storage/examine").json()["verdict"] == "sound"
        assert rest.get("storage").json()["disk_total"] > 0
        assert rest.get("letters").json() == {"items": []}
        told = rest.get("settings").json()["settings"]
        assert (told["MICELIO_BASE_URL"], told["MICELIO_TRUSTED_PROXIES"]) == (place.base_url, "127.0.0.0/8")
        assert (told["STORAGE_BACKEND"], told["SMTP_HOST"], told["MICELIO_SIGN_UP"]) == ("local", "", "open")
        assert rest.post(f"letters/{uuid4()}/send").status_code == 400  # no mail server
        assert rest.delete(f"letters/{uuid4()}").status_code == 404
    acts = _acts(place)
    assert ("amy", "block.create", "203.0.113.77/32") in acts
    assert ("amy", "organization.limit", world.organization) in acts


def test_what_each_project_takes_is_measured(place: Forge, world: World, amy: Browser) -> None:
    """Asked for by REST, carried out in the background; the page, REST and the shell then say the same."""
    with _rest(place, place.token("amy")) as rest:
        assert rest.post(f"organizations/{world.organization}/measure").status_code == 202
        asked = {"find": f"{world.organization}/"}
        deadline = time.monotonic() + 30
        found: list[dict[str, Any]] = []
        while not found or None in [row["measured_at"] for row in found]:
            assert time.monotonic() < deadline, "nobody measured"
            found = rest.get("projects", params=asked).json()["items"]
    assert [(row["handle"], row["landings"]) for row in found] == [("closed", 1), ("open", 1)]
    page, twin = (amy.get(f"/-/admin/projects?find={world.organization}/{end}") for end in ("", "&format=json"))
    folders = (place.data_dir / "store" / "projects").iterdir()
    sizes = [[file.stat().st_size for file in folder.rglob("*") if file.is_file()] for folder in folders]
    for row, shown in zip(found, twin.json()["projects"], strict=True):
        assert (row["stored_bytes"], row["stored_objects"]) in [(sum(one), len(one)) for one in sizes]
        assert (shown["stored_bytes"], shown["stored_objects"]) == (row["stored_bytes"], row["stored_objects"])
        assert f"in {row['stored_objects']} objects" in page.text
    assert " objects" in place.run("admin", "projects", "list", "--find", f"{world.organization}/open")


def test_tokens_do_not_say_who_runs_the_forge(place: Forge, world: World, amy: Browser) -> None:
    """A sign-in of mic does the daily work and makes no administrators; tokens with scopes see none of it."""
    with _rest(place, place.token("amy")) as rest:
        for method in ("PUT", "DELETE"):
            answer = rest.request(method, "accounts/amy/administrator")
            assert (answer.status_code, answer.json()["code"]) == (403, "confirmation_needed")
    assert amy.get("/-/admin").status_code == 200
    with _caller(place, "198.51.100.41", place.token("amy")) as caller:
        scopes = ["project:read", "org:admin"]
        made = caller("AccountService.CreateToken", pb.CreateTokenRequest(name="nightly", scopes=scopes))
    with _rest(place, made.value) as limited:
        for path in (
            "overview",
            "accounts",
            "projects",
            "organizations",
            "blocks",
            "jobs",
            "storage",
            "settings",
            "letters",
        ):
            answer = limited.get(path)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied"), path
