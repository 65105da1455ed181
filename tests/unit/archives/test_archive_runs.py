"""Runs: page by page, again and again, paused, stopped, refused, and with a token that is nowhere afterwards."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from mic.core.errors import InvalidInput, NotFound, TooLarge, Unauthenticated, Unavailable
from micelio.archives import asking as asking_room
from micelio.archives.asking import Wait
from micelio.archives.manifest import Pending
from micelio.archives.records import Comment, Issue
from other_forge import GiteaServer, GitHubServer, GitLabServer, OtherForge
from secret_corpus import TRUE

TOKEN = "tok-" + "5" * 30


def _issues(count: int, first: int = 1, **more: Any) -> list[dict[str, Any]]:
    return [
        {"id": 1000 + number, "number": number, "iid": number, "title": f"Issue {number}", "state": "open",
         "user_notes_count": 0, "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-02T00:00:00Z", **more}
        for number in range(first, first + count)
    ]  # fmt: skip


def _only_issues(server: OtherForge, issues: list[dict[str, Any]]) -> None:
    for path, value in server.lists.items():
        if path:
            server.lists[path] = [] if isinstance(value, list) else {}
    server.lists["/issues"] = issues


def _numbers(bench) -> list[int]:
    return [record.number for record in bench.records() if isinstance(record, Issue)]


@pytest.mark.parametrize("provider", ["github", "gitlab", "gitea"])
def test_every_page_is_read(bench, provider: str, request: pytest.FixtureRequest) -> None:
    """By the Link header or by X-Next-Page, and the page's size is what was asked for."""
    server = request.getfixturevalue(provider)
    _only_issues(server, _issues(230))
    bench.fetch(server, provider)
    assert _numbers(bench) == list(range(1, 231))
    size = 50 if provider == "gitea" else 100
    assert [asked.query.get("page", "1") for asked in server.asked if asked.path == "/issues"] == [
        str(page) for page in range(1, 230 // size + 2)
    ]


def test_pages_are_counted_where_nobody_names_the_next(bench) -> None:
    """An instance without a Link header says in X-Total-Count that there is more."""
    server = GiteaServer("acme/tool", links=False)
    try:
        server.lists = {"": {"id": 1}, "/labels": [], "/milestones": [], "/issues": _issues(120),
                        "/issues/comments": [], "/pulls": []}  # fmt: skip
        bench.fetch(server, "gitea")
        assert _numbers(bench) == list(range(1, 121))
    finally:
        server.close()


@pytest.mark.parametrize("provider", ["github", "gitlab", "gitea"])
def test_a_later_run_asks_for_what_changed_since(bench, provider: str, request: pytest.FixtureRequest) -> None:
    """Two minutes before the first answer of the run before, by the other forge's clock; each thing is there once."""
    server = request.getfixturevalue(provider)
    bench.fetch(server, provider)
    before = len(bench.records())
    server.date = "Mon, 02 Nov 2026 12:00:00 GMT"
    server.lists["/issues"][0] |= {"title": "It broke", "updated_at": "2026-11-01T13:00:00Z"}
    server.asked.clear()
    whole = bench.fetch(server, provider)
    since = {(asked.query.get("since") or asked.query.get("updated_after")) for asked in server.asked
             if asked.path == "/issues"}  # fmt: skip
    assert since == {"2026-11-01T11:58:00Z"}
    assert [record.title for record in bench.records() if isinstance(record, Issue)][-1] == "It broke"
    assert len(bench.records()) == before
    assert whole.since == "2026-11-02T11:58:00Z"


def test_what_has_an_etag_is_not_sent_twice(bench, github: GitHubServer) -> None:
    """Labels and milestones cannot be asked for since when; unchanged ones cost a 304."""
    bench.fetch(github, "github")
    github.asked.clear()
    bench.fetch(github, "github")
    conditional = {asked.path for asked in github.asked if "if-none-match" in asked.headers}
    assert conditional == {"/labels", "/milestones"}
    assert [record.name for record in bench.records() if record.id == "21"] == ["bug"]
    github.lists["/labels"][0]["color"] = "000000"
    bench.fetch(github, "github")
    assert [record.color for record in bench.records() if record.id == "21"] == ["000000"]


def test_old_pull_requests_are_not_looked_at_again(bench, github: GitHubServer) -> None:
    """GitHub has no `since` for them: those that changed last come first, and the first old one ends it."""
    github.lists["/pulls"] += [
        {"id": 3000 + number, "number": number, "state": "open", "updated_at": "2026-01-02T00:00:00Z"}
        for number in range(10, 250)
    ]
    for number in range(10, 250):
        github.lists[f"/pulls/{number}/reviews"] = []
    bench.fetch(github, "github")
    github.lists["/pulls"][100]["updated_at"] = "2026-11-01T13:00:00Z"
    github.asked.clear()
    bench.fetch(github, "github")
    assert [asked.query.get("page", "1") for asked in github.asked if asked.path == "/pulls"] == ["1"]
    assert [asked.path for asked in github.asked if "reviews" in asked.path] == ["/pulls/109/reviews"]


def test_a_run_goes_on_at_the_page_where_it_stopped(bench, github: GitHubServer) -> None:
    """What was fetched is not asked for again, and is not part of the archive before the end."""
    _only_issues(github, _issues(500))
    github.script = [None] * 6 + [(502, {})]
    with pytest.raises(Unavailable, match="answers with 502"):
        bench.fetch(github, "github")
    found, _ = bench.kept.load()
    assert found is not None
    assert (found.parts, found.fetched_at, found.pending.done) == ((), 0, {"issue": 300})
    github.asked.clear()
    bench.fetch(github, "github")
    assert _numbers(bench) == list(range(1, 501))
    assert [asked.query.get("page", "1") for asked in github.asked if asked.path == "/issues"] == ["4", "5"]


def test_what_is_made_meanwhile_pushes_nothing_out(bench, gitea: GiteaServer) -> None:
    """Gitea's newest issues come first: one that is opened during a run moves others to later pages."""
    _only_issues(gitea, _issues(120))
    opened = []

    def before(path: str) -> None:
        if path == "/issues" and len(opened) < 2:
            opened.append(path)
            if len(opened) == 2:
                gitea.lists["/issues"].insert(0, _issues(1, 900)[0])

    gitea.before = before
    bench.fetch(gitea, "gitea")
    assert sorted(_numbers(bench)) == list(range(1, 121))
    bench.fetch(gitea, "gitea")  # it was changed after the first run began


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (429, {"Retry-After": "37"}, 37),
        (429, {}, 60),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1793000120"}, 120),
        (429, {"RateLimit-Reset": "1793000045", "RateLimit-Remaining": "0"}, 45),
        (403, {"Retry-After": "5"}, 5),
        (429, {"Retry-After": "99999999"}, 86400),
    ],
)
def test_a_pause_is_kept(bench, github: GitHubServer, status: int, headers: dict[str, str], seconds: int) -> None:
    """Each way of saying when to come back; what was read before stays."""
    github.script = [None, None, (status, headers)]
    with pytest.raises(Wait) as caught:
        bench.fetch(github, "github")
    assert round(caught.value.seconds) == seconds
    github.asked.clear()
    bench.fetch(github, "github")
    assert github.asked[0].path == "/milestones"


def test_the_last_request_for_now_is_noticed(bench, github: GitHubServer) -> None:
    """None is sent in vain when the answer before says that none is left."""
    real = github.page_headers
    github.page_headers = lambda *args: {  # type: ignore[method-assign]
        **real(*args), "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1793000100"
    }  # fmt: skip
    with pytest.raises(Wait) as caught:
        bench.fetch(github, "github")
    assert round(caught.value.seconds) == 100
    assert [asked.path for asked in github.asked] == ["", "/labels"]


def test_a_list_that_is_switched_off_is_a_warning(bench, github: GitHubServer) -> None:
    """410 for issues, and the pull requests are there all the same."""
    github.script = [None, None, None, (410, {})]
    whole = bench.fetch(github, "github")
    assert whole.warnings == ("Not fetched: the issues, page 1: it is switched off.",)
    assert whole.counts["change"] == 1
    lines = list(bench.kept.lines(whole))
    assert json.loads(lines[-1]) == {
        "kind": "warning", "id": "1", "body": "Not fetched: the issues, page 1: it is switched off."
    }  # fmt: skip


def test_a_repository_that_is_not_there(bench, github: GitHubServer) -> None:
    """Says that a private one needs a token, or that the token needs a right."""
    del github.lists[""]
    with pytest.raises(NotFound) as caught:
        bench.fetch(github, "github")
    assert caught.value.hint == "A private one needs a token of that forge."
    with pytest.raises(NotFound) as caught:
        bench.fetch(github, "github", TOKEN)
    assert caught.value.hint == "Does the token have the right to read it?"


@pytest.mark.parametrize("provider", ["github", "gitlab", "gitea"])
def test_a_token_is_sent_and_kept_nowhere(bench, provider: str, request: pytest.FixtureRequest) -> None:
    """Each forge's way of taking it; no object of the store holds it, not even of a run that failed."""
    server = request.getfixturevalue(provider)
    server.token = TOKEN
    with pytest.raises(Unauthenticated) as caught:
        bench.fetch(server, provider, "wrong-token")
    assert "wrong-token" not in f"{caught.value!r} {caught.value.hint}"
    server.script = [None] * 3 + [(500, {})]
    with pytest.raises(Unavailable):
        bench.fetch(server, provider, TOKEN)
    bench.fetch(server, provider, TOKEN)
    for key in bench.all_keys():
        data = bench.store.get(f"projects/{bench.project.hex}/{key}").data
        assert TOKEN.encode() not in data
    assert bench.records()


@pytest.mark.parametrize("where", ["location", "link"])
def test_no_other_host_is_sent_the_token(bench, github: GitHubServer, where: str) -> None:
    """Neither by a redirect nor by the address of a next page."""
    other = GitHubServer("acme/tool")
    try:
        if where == "location":
            github.script = [None, (301, {"Location": f"{other.url}/api/v3/repos/acme/tool/labels"})]
        else:
            github.page_headers = lambda *args: {  # type: ignore[method-assign]
                "Link": f'<{other.url}/api/v3/repos/acme/tool/labels?page=2>; rel="next"'
            }
        with pytest.raises(InvalidInput, match="another host"):
            bench.fetch(github, "github", TOKEN)
        assert other.asked == []
    finally:
        other.close()


def test_a_moved_repository_is_followed_at_home(bench, github: GitHubServer) -> None:
    """GitHub answers for a renamed one with 301 to its number."""
    github.script = [(301, {"Location": f"{github.url}/api/v3/repos/acme/tool"})]
    bench.fetch(github, "github")
    assert len(bench.records()) == 10


def test_a_page_that_names_itself_as_the_next_one(bench, github: GitHubServer) -> None:
    """It would be read for ever."""
    github.page_headers = lambda request, *args: {  # type: ignore[method-assign]
        "Link": f'<{github.url}{request.path}>; rel="next"'
    }
    with pytest.raises(InvalidInput, match="same page"):
        bench.fetch(github, "github")


@pytest.mark.parametrize("answer", [b"<html>", b"[" * 100_000, b'{"message": "x"}', b"\xff", b""])
def test_an_answer_that_is_none(bench, github: GitHubServer, answer: bytes) -> None:
    """HTML, JSON that is too deep or of another kind: an error that names what is wrong, and nothing in the archive."""
    github.lists["/issues"] = answer
    with pytest.raises(InvalidInput):
        bench.fetch(github, "github")


def test_a_page_that_is_too_large(bench, github: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left out and named, and the rest is read."""
    monkeypatch.setattr(asking_room, "MAX_ANSWER", 20_000)
    github.lists["/issues"] = _issues(1, body="x" * 30_000)
    whole = bench.fetch(github, "github")
    assert whole.warnings == (
        "Not fetched: the issues, page 1: it is too large, and what comes behind it is missing too.",
    )
    assert whole.counts["change"] == 1


def test_more_than_an_archive_holds(bench, github: GitHubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Is refused by name of the limit."""
    monkeypatch.setattr("micelio.archives.fetch.MAX_RECORDS", 150)
    _only_issues(github, _issues(300))
    with pytest.raises(TooLarge, match="150 records"):
        bench.fetch(github, "github")


def test_secrets_are_taken_out_before_anything_is_kept(bench, github: GitHubServer) -> None:
    """Of titles, texts, hunks and comments; the mark names the kind, and the record counts."""
    secret = TRUE["github-token"][0](random.Random(6))
    github.lists["/issues"] = _issues(1, title=f"Use {secret}", body=f"My token is {secret}, is it?")
    github.lists["/issues/comments"][0]["body"] = f"No, {secret}!"
    bench.fetch(github, "github")
    issue = next(record for record in bench.records() if isinstance(record, Issue))
    assert (issue.title, issue.redacted) == ("Use [redacted: github-token]", 2)
    comment = next(record for record in bench.records() if isinstance(record, Comment))
    assert (comment.body, comment.redacted) == ("No, [redacted: github-token]!", 1)
    exported = b"".join(bench.kept.lines(bench.kept.load()[0]))
    assert secret.encode() not in exported


def test_one_archive_is_of_one_repository(bench, github: GitHubServer, gitlab: GitLabServer) -> None:
    """Another source is refused once there is something; before, it takes the place of the first."""
    github.script = [None, None, (500, {})]
    with pytest.raises(Unavailable):
        bench.fetch(github, "github")
    bench.fetch(gitlab, "gitlab")
    with pytest.raises(InvalidInput, match="was fetched from"):
        bench.fetch(github, "github")


def test_what_is_seen_of_a_run(bench, github: GitHubServer) -> None:
    """After each page: how many, of what, and which list comes next."""
    seen: list[Pending] = []
    bench.fetch(github, "github", seen=seen.append)
    assert [(item.pages, item.steps[0].list if item.steps else "") for item in seen] == [
        (1, "labels"), (2, "milestones"), (3, "issues"), (4, "comments"), (5, "pulls"), (6, "reviews"),
        (7, "review comments"), (8, ""),
    ]  # fmt: skip
    assert seen[3].done == {"label": 1, "milestone": 1, "issue": 2}
