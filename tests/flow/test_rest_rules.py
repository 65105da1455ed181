"""What holds for every route of the REST door: errors, lists, repetition, races, and what it does not take."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from api_client import Api, queries
from browser import Browser
from forge_process import Forge
from rpc_world import World


@pytest.fixture(scope="module")
def rita(forge: Forge, world: World) -> Iterator[Api]:
    with Api(forge.base_url, forge.token("rita")) as api:
        yield api


@pytest.fixture(scope="module")
def stan(forge: Forge) -> Iterator[Api]:
    with Api(forge.base_url, forge.token("stan")) as api:
        yield api


@pytest.fixture(scope="module")
def nobody(forge: Forge) -> Iterator[Api]:
    with Api(forge.base_url) as api:
        yield api


@pytest.fixture(scope="module")
def project(world: World, rita: Api) -> str:
    """The address of a project of this module's own."""
    body = {"owner": world.organization, "handle": "rules", "visibility": "public"}
    rita.done("POST", "/projects", 201, json=body)
    address = f"/projects/{world.organization}/rules"
    for number in range(5):
        change = {"path": f"pages/{number}.txt", "text": "x"}
        rita.done("POST", f"{address}/landings", 201, json={"goal": f"Page {number}", "changes": [change]})
    return address


# ---------------------------------------------------------------- errors
def test_a_problem_says_all_that_is_needed(nobody: Api, forge: Forge) -> None:
    """What, which, what to do, where more is said, and what it is called in the log."""
    answer = nobody.get("/projects/no/thing")
    body = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert body == {
        "type": f"{forge.base_url}/api/docs/errors#not_found",
        "title": "Nothing here",
        "status": 404,
        "detail": "There is no project no/thing, or you may not see it.",
        "code": "not_found",
        "fix": "Check the spelling, or sign in as a member of its organization.",
        "docs": f"{forge.base_url}/api/docs/errors#not_found",
        "request_id": answer.headers["x-request-id"],
    }
    page = httpx.get(body["docs"], trust_env=False)
    assert page.status_code == 200
    assert 'id="not_found"' in page.text


@pytest.mark.parametrize(
    "path", ["/api/v1/me", "/api/v1/nothing", "/api/docs", "/", "/no-such", "/health", "/api/x%0Ay"]
)
def test_every_answer_has_a_request_id(forge: Forge, path: str) -> None:
    """Its own, whatever the visitor calls it."""
    seen = set()
    for _ in range(2):
        answer = httpx.get(f"{forge.base_url}{path}", headers={"X-Request-Id": "mine"}, trust_env=False)
        assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-request-id"])
        seen.add(answer.headers["x-request-id"])
    assert len(seen) == 2


def test_unknown_addresses_and_methods(nobody: Api) -> None:
    """404 and 405 as problems, the latter with what is done there."""
    nobody.refused("GET", "/nothing", 404, "not_found")
    nobody.refused("POST", "/../nothing", 404, "not_found")
    answer = nobody.delete("/orgs")
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET, HEAD, POST"
    nobody.refused("OPTIONS", "/me", 405, "method_not_allowed")


def test_head_is_get_without_a_body(nobody: Api, world: World) -> None:
    """With the same headers."""
    path = f"/projects/{world.organization}/open"
    head, get = nobody.head(path), nobody.get(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["etag"].removeprefix("W/") == get.headers["etag"].removeprefix("W/")


BODIES = {
    "no JSON": (b"{", "The body is not JSON that can be read."),
    "two values": (b"{}{}", "The body is not JSON that can be read."),
    "not UTF-8": (b'{"handle": "\xff"}', "The body is not JSON that can be read."),
    "half a pair": (b'{"handle": "\\ud800"}', "The body is not JSON that can be read."),
    "NaN": (b'{"handle": NaN}', "The body is not JSON that can be read."),
    "NUL": (b'{"handle": "a\\u0000b"}', "The body holds a NUL character."),
    "NUL in a name": (b'{"a\\u0000": 1}', "The body holds a NUL character."),
    "an array": (b"[]", "`body` must be an object."),
    "a text": (b'"x"', "`body` must be an object."),
    "null": (b"null", "`body` must be an object."),
    "nothing": (b"", "`body` is missing."),
    "array for text": (b'{"handle": ["a"]}', "`handle` must be a text."),
    "number for text": (b'{"handle": 1}', "`handle` must be a text."),
    "null for text": (b'{"handle": null}', "`handle` must be a text."),
    "a field missing": (b'{"name": "x"}', "`handle` is missing."),
    "an unknown field": (b'{"handle": "x", "admin": true}', "`admin` is not known here."),
    "deep": (b"[" * 100_000 + b"]" * 100_000, "The body is not JSON that can be read."),
    "rather deep": (b'{"handle": ' + b"[" * 40 + b"]" * 40 + b"}", "The body lies more than 32 levels deep."),
    "a right-to-left handle": ('{"handle": "\u202eacme"}'.encode(), "'\\u202eacme' cannot be a handle."),
    "a look-alike": ('{"handle": "аcme"}'.encode(), "'аcme' cannot be a handle."),
    "a reserved word": (b'{"handle": "api"}', "The handle api is reserved by the forge."),
}


@pytest.mark.parametrize("what", sorted(BODIES))
def test_bodies_that_cannot_be_meant(rita: Api, what: str) -> None:
    """A sentence, the field, and 400; nothing is made."""
    raw, said = BODIES[what]
    problem = rita.refused(
        "POST", "/orgs", 400, "invalid_input", content=raw, headers={"Content-Type": "application/json"}
    )
    assert problem["detail"] == said
    assert problem["fix"]


def test_bodies_that_are_too_large(rita: Api, forge: Forge) -> None:
    """Stated or not, at each of the two bounds: 413, as a problem."""
    for size in (1_100_000, 3 << 20, 10 << 20):
        raw = json.dumps({"handle": "x" * size}).encode()
        kind = {"Content-Type": "application/json"}
        rita.refused("POST", "/orgs", 413, "too_large", content=raw, headers=kind)
        rita.refused("POST", "/orgs", 413, "too_large", content=iter([raw]), headers=kind)
    assert rita.get("/me").status_code == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]
)
def test_bodies_of_another_kind(rita: Api, kind: str) -> None:
    """Not even read."""
    answer = rita.post("/orgs", content=b'{"handle": "kind"}', headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (415, "invalid_input")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("nothing=1", "`nothing` is no parameter of this."),
        ("limit=1&limit=2", "`limit` is there twice."),
        ("limit=0", "`limit` must be greater than or equal to 1."),
        ("limit=101", "`limit` must be less than or equal to 100."),
        ("limit=1.0", "`limit` must be a whole number in digits."),
        ("limit=%D9%A1", "`limit` must be a whole number in digits."),
        ("limit=" + "9" * 5000, "`limit` must be a whole number in digits."),
        ("limit=", "`limit` must be a whole number in digits."),
        ("cursor=x", "The cursor is not one that this forge gave for this list."),
        ("cursor=%00", "The address holds a NUL character."),
        ("cursor=" + "x" * 40_000, "The cursor is not one that this forge gave for this list."),
    ],
)
def test_parameters_that_cannot_be_meant(rita: Api, query: str, said: str) -> None:
    """Refused with a sentence, never taken for another."""
    assert rita.refused("GET", f"/orgs?{query}", 400, "invalid_input")["detail"] == said


def test_paths_that_cannot_be_meant(rita: Api, nobody: Api, project: str, world: World) -> None:
    """400 or 404 for whatever stands in the address."""
    rita.refused("GET", "/orgs/%00", 400, "invalid_input")
    rita.refused("GET", "/orgs/%FF", 404, "not_found")
    rita.refused("GET", "/me/tokens/x", 404, "not_found")
    rita.refused("PATCH", f"/me/browsers/{10**30}", 404, "not_found", json={"name": "x"})
    rita.refused("GET", f"{project}/landings/0", 400, "invalid_input")
    rita.refused("GET", f"{project}/landings/{10**30}", 400, "invalid_input")
    rita.refused("GET", f"{project}/landings/{2**63 - 1}", 404, "not_found")
    rita.refused("GET", f"{project}/sessions/x", 400, "invalid_input")
    rita.refused("GET", f"{project}/tree?at={2**63 - 1}", 404, "not_found")
    for climb in ("../../../etc/passwd", "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%2fetc%2fpasswd"):
        url = nobody.build_request("GET", f"{project}/files/x").url.copy_with(
            raw_path=f"/api/v1{project}/files/{climb}".encode()
        )
        assert nobody.get(url).status_code in (400, 404)


# ---------------------------------------------------------------- who asks
def test_other_ways_to_say_who_one_is(forge: Forge, nobody: Api) -> None:
    """A bearer token or nothing: 401 that says so, in the way that HTTP has for it."""
    for header in ("Basic cml0YTp4", "Bearer", "Token x", "Bearer nonsense", "bearer mict_nonsense"):
        answer = nobody.get("/me", headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated"), header
        assert answer.headers["www-authenticate"] == 'Bearer realm="micelio"'
    nobody.refused("GET", "/me", 401, "unauthenticated")
    nobody.refused("GET", f"/me?access_token={forge.token('rita')}", 400, "invalid_input")


def test_a_browser_reads_with_its_cookie_and_writes_with_its_form_token(forge: Forge) -> None:
    """Another site can make a browser send its cookie, and cannot make it do anything here."""
    forge.token("bree")
    with Browser(forge.base_url) as browser:
        browser.sign_in_once(forge.once("bree"))
        assert browser.get("/api/v1/me").json()["handle"] == "bree"
        handle = f"bree-{uuid.uuid4().hex[:8]}"
        for headers in ({}, {"X-CSRFToken": "x" * 32}):
            answer = browser.post("/api/v1/orgs", json={"handle": handle}, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
        token = browser.hidden("/-/account")["csrfmiddlewaretoken"]
        elsewhere = {"X-CSRFToken": token, "Origin": "https://evil.example"}
        assert browser.post("/api/v1/orgs", json={"handle": handle}, headers=elsewhere).status_code == 403
        answer = browser.post("/api/v1/orgs", json={"handle": handle}, headers={"X-CSRFToken": token})
        assert answer.status_code == 201, answer.text
        # With a token the cookie counts for nothing.
        mixed = browser.get("/api/v1/me", headers={"Authorization": f"Bearer {forge.token('rita')}"})
        assert mixed.json()["handle"] == "rita"


def test_answers_are_not_kept_by_others(rita: Api) -> None:
    """No cache between two people hands one's answer to the other; a new token is kept by nobody."""
    answer = rita.get("/me")
    assert "authorization" in answer.headers["vary"].lower()
    assert answer.headers["cache-control"] == "private, no-cache"
    made = rita.post("/me/tokens", json={"name": "cached", "scopes": ["org:read"]})
    assert made.headers["cache-control"] == "no-store"
    rita.done("DELETE", f"/me/tokens/{made.json()['token']['id']}", 204)


# ---------------------------------------------------------------- lists
def test_all_pages_together_are_the_list(rita: Api, project: str) -> None:
    """Each row once, in order; `Link` leads to the same page as `next`."""
    for path, key in ((f"{project}/landings", "position"), (f"{project}/tree/pages", "path")):
        whole = [row[key] for row in rita.done("GET", f"{path}?limit=100")["items"]]
        found, answer = [], rita.get(f"{path}?limit=2")
        while True:
            found += [row[key] for row in answer.json()["items"]]
            if answer.json()["next"] is None:
                assert "link" not in answer.headers
                break
            address = re.fullmatch(r'<(.+)>; rel="next"', answer.headers["link"])
            assert address is not None
            follow = rita.get(path, params={"limit": 2, "cursor": answer.json()["next"]})
            answer = rita.get(address[1])
            assert follow.json() == answer.json()
        assert found == whole
        assert len(found) >= 5


def test_a_list_of_files_stays_at_its_position(rita: Api, project: str) -> None:
    """What lands between two pages is in neither."""
    first = rita.done("GET", f"{project}/tree/pages?limit=3")
    change = [{"path": "pages/1-between.txt", "text": "x"}, {"path": "pages/9-behind.txt", "text": "x"}]
    rita.done("POST", f"{project}/landings", 201, json={"goal": "Between", "changes": change})
    second = rita.done("GET", f"{project}/tree/pages", params={"limit": 3, "cursor": first["next"]})
    names = [row["path"] for row in first["items"] + second["items"]]
    assert names == [f"pages/{number}.txt" for number in range(5)]


def test_cursors_that_were_made_up(rita: Api, project: str, world: World) -> None:
    """Changed, of another list, of the same list with another filter: refused alike."""
    cursor = rita.done("GET", f"{project}/landings?limit=1")["next"]
    body, _, signature = cursor.rpartition(":")
    other = ("A" if signature[0] != "A" else "B") + signature[1:]
    for path, made in (
        (f"{project}/landings", f"{body}:{other}"),
        (f"{project}/landings", f"{body[:-2]}:{signature}"),
        (f"/projects/{world.organization}/open/landings", cursor),
        (f"{project}/sessions", cursor),
        (f"{project}/sessions?state=active", rita.get(f"{project}/landings?limit=1").json()["next"]),
    ):
        address, _, query = path.partition("?")
        params = dict(pair.split("=") for pair in query.split("&") if pair) | {"cursor": made}
        problem = rita.refused("GET", address, 400, "invalid_input", params=params)
        assert problem["detail"] == "The cursor is not one that this forge gave for this list."


def test_a_long_list_takes_no_more_queries(rita: Api, project: str, world: World) -> None:
    """One row or many."""
    for path in (f"{project}/landings", f"{project}/tree/pages", "/projects", f"{project}/audit", "/me/audit"):
        counts = {queries(rita.get(f"{path}?limit={limit}")) for limit in (1, 2, 100)}
        assert len(counts) == 1, path


def test_a_large_write_takes_no_more_queries(rita: Api, project: str, world: World) -> None:
    """One file or fifty, one network or three hundred, a token for one project or for ten, one decision or twenty."""

    def landing(count: int) -> httpx.Response:
        changes = [{"path": f"wide/{uuid.uuid4()}", "text": f"{number}\n"} for number in range(count)]
        decisions = [{"what": f"Way {number}", "why": "It is short", "alternatives": []} for number in range(count)]
        talk = [{"role": "human", "text": f"Say {number}"} for number in range(count)]
        body = {"goal": "Wide", "changes": changes, "decisions": decisions, "conversation": talk}
        return rita.post(f"{project}/landings", json=body)

    def listed(count: int) -> httpx.Response:
        networks = [{"network": "127.0.0.0/8"}, *({"network": f"10.{n >> 8}.{n & 255}.0/24"} for n in range(count))]
        return rita.put(f"/orgs/{world.organization}/networks", json={"networks": networks})

    def token(count: int) -> httpx.Response:
        names = [f"{world.organization}/{world.project().handle}" for _ in range(count)]
        return rita.post("/me/tokens", json={"name": "wide", "scopes": ["project:read"], "projects": names})

    for write, most in ((landing, 50), (listed, 300), (token, 10)):
        write(1)  # what is remembered is remembered by now
        answers = [write(1), write(most)]
        assert {answer.status_code for answer in answers} <= {200, 201}, answers[-1].text
        assert queries(answers[1]) <= queries(answers[0]), write.__name__
    listed(0)
    rita.put(f"/orgs/{world.organization}/networks", json={"networks": []})


# ---------------------------------------------------------------- races
def test_what_one_has_is_not_sent_again(nobody: Api, world: World) -> None:
    """304 without a body for the ETag, in each form that it may be said."""
    for path in (f"/projects/{world.organization}/open", f"/projects/{world.organization}/open/files/readme.txt"):
        tag = nobody.get(path).headers["etag"]
        strong = tag.removeprefix("W/")
        for said in (strong, f"W/{strong}", f'"x", {tag}', "*" if "files" not in path else tag):
            answer = nobody.get(path, headers={"If-None-Match": said})
            assert (answer.status_code, answer.content) == (304, b""), said
            assert answer.headers["etag"].removeprefix("W/") == strong
        assert nobody.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_of_two_changes_the_second_looks_again(rita: Api, project: str) -> None:
    """412, and nothing is changed; what others land meanwhile stands in nobody's way."""
    tag = rita.get(project).headers["etag"]
    land = {"goal": "Between", "changes": [{"path": f"race-{uuid.uuid4()}", "text": "x"}]}
    rita.done("POST", f"{project}/landings", 201, json=land)
    assert rita.get(project).headers["etag"] != tag
    assert rita.patch(project, json={"name": "First"}, headers={"If-Match": tag}).json()["name"] == "First"
    rita.refused("PATCH", project, 412, "precondition_failed", json={"name": "Second"}, headers={"If-Match": tag})
    rita.refused("PATCH", project, 412, "precondition_failed", json={"name": "x"}, headers={"If-Match": 'W/"x"'})
    rita.refused("DELETE", project, 412, "precondition_failed", headers={"If-Match": tag})
    assert rita.done("GET", project)["name"] == "First"
    assert rita.patch(project, json={"name": "Third"}, headers={"If-Match": "*"}).json()["name"] == "Third"


def test_of_many_changes_at_once_one_is_done(forge: Forge, rita: Api, project: str) -> None:
    """All name the same state; one finds it."""
    tag = rita.get(project).headers["etag"]

    def change(number: int) -> int:
        with Api(forge.base_url, forge.token("rita")) as api:
            return api.patch(project, json={"name": f"Name {number}"}, headers={"If-Match": tag}).status_code

    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(change, range(6))) == [200, 412, 412, 412, 412, 412]


def test_a_patch_leaves_alone_what_it_does_not_say(rita: Api, project: str) -> None:
    """And takes null for no answer."""
    before = rita.done("PATCH", project, json={"description": "Kept"})
    after = rita.done("PATCH", project, json={"name": "Another"})
    assert (after["description"], after["visibility"]) == (before["description"], before["visibility"])
    assert rita.done("PATCH", project, json={})["name"] == "Another"
    rita.refused("PATCH", project, 400, "invalid_input", json={"name": None})


# ---------------------------------------------------------------- safe to repeat
def _token(name: str) -> dict[str, object]:
    return {"name": name, "scopes": ["org:read"], "days": 1}


def test_the_same_key_is_done_once(rita: Api, forge: Forge) -> None:
    """The same answer, the same token in it, and one token; the database knows it only encrypted."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    name = f"once-{uuid.uuid4()}"
    first, second = (rita.post("/me/tokens", json=_token(name), headers=key) for _ in range(2))
    assert first.status_code == second.status_code == 201
    assert first.json() == second.json()
    assert "idempotency-replayed" not in first.headers
    assert second.headers["idempotency-replayed"] == "true"
    for header in ("location", "cache-control", "content-type"):
        assert second.headers[header] == first.headers[header]
    assert [row["name"] for row in rita.done("GET", "/me/tokens")["items"]].count(name) == 1
    value = first.json()["value"]
    with forge.database.opened() as rows:
        kept = rows.execute("SELECT body FROM api_keptanswer WHERE status = 201")
    assert kept
    assert not any(value in row[0] for row in kept)
    rita.done("DELETE", f"/me/tokens/{first.json()['token']['id']}", 204)


def test_the_same_key_for_another_request(rita: Api) -> None:
    """422: whoever sends it meant one of the two."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = rita.done("POST", "/me/tokens", 201, json=_token("one"), headers=key)
    rita.refused("POST", "/me/tokens", 422, "key_reused", json=_token("two"), headers=key)
    rita.refused("POST", "/orgs", 422, "key_reused", json={"handle": "two"}, headers=key)
    rita.done("DELETE", f"/me/tokens/{made['token']['id']}", 204)


def test_a_key_belongs_to_an_account_and_its_token(rita: Api, stan: Api, forge: Forge, world: World) -> None:
    """Somebody else's is another key; a narrow token is not told what the whole account was."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = rita.done("POST", "/me/tokens", 201, json=_token("mine"), headers=key)
    theirs = stan.post("/me/tokens", json=_token("mine"), headers=key)
    assert (theirs.status_code, theirs.json()["token"]["id"] != made["token"]["id"]) == (201, True)
    with Api(forge.base_url, made["value"]) as narrow:
        narrow.refused("POST", "/me/tokens", 403, "permission_denied", json=_token("mine"), headers=key)
    rita.done("DELETE", f"/me/tokens/{made['token']['id']}", 204)


def test_what_was_refused_may_be_sent_again(rita: Api) -> None:
    """Mended, with the same key."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    rita.refused("POST", "/me/tokens", 400, "invalid_input", json={"name": "x", "scopes": []}, headers=key)
    made = rita.done("POST", "/me/tokens", 201, json=_token("mended"), headers=key)
    rita.done("DELETE", f"/me/tokens/{made['token']['id']}", 204)


def test_the_same_key_at_the_same_time(forge: Forge, rita: Api) -> None:
    """One is done; the others are told to wait, or told what it was."""
    key, name = {"Idempotency-Key": str(uuid.uuid4())}, f"at-once-{uuid.uuid4()}"

    def make(_: int) -> httpx.Response:
        with Api(forge.base_url, forge.token("rita")) as api:
            return api.post("/me/tokens", json=_token(name), headers=key)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(make, range(8)))
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.json()["value"] for answer in answers if answer.status_code == 201}) == 1
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} <= {"busy"}
    rows = [row for row in rita.done("GET", "/me/tokens")["items"] if row["name"] == name]
    assert len(rows) == 1
    rita.done("DELETE", f"/me/tokens/{rows[0]['id']}", 204)


def test_a_request_that_was_cut_off(forge: Forge, rita: Api) -> None:
    """Its key stays taken: nobody knows whether it was done, so it is not done again."""
    key = {"Idempotency-Key": str(uuid.uuid4())}
    made = rita.done("POST", "/me/tokens", 201, json=_token("cut"), headers=key)
    rita.done("DELETE", f"/me/tokens/{made['token']['id']}", 204)
    with forge.database.opened() as rows:
        assert (
            rows.change(
                "UPDATE api_keptanswer SET status = 0, body = '' WHERE id = (SELECT max(id) FROM api_keptanswer)"
            )
            == 1
        )
    problem = rita.refused("POST", "/me/tokens", 409, "busy", json=_token("cut"), headers=key)
    assert "new key" in problem["fix"]


@pytest.mark.parametrize("key", ["", "x" * 201, "schlüssel"])
def test_keys_that_are_none(rita: Api, key: str) -> None:
    """Refused before anything is done."""
    raw = {"Idempotency-Key": key.encode()}
    rita.refused("POST", "/orgs", 400, "invalid_input", json={"handle": "never-made"}, headers=raw)
    rita.refused("GET", "/orgs/never-made", 404, "not_found")
