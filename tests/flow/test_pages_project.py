"""Pages of a project through Django, with a real store and database."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from django.core.management import call_command
from django.test import Client

import pages_story
from html_check import Document, dangers, without_data, without_keys
from mic.ledger.blame import Blamed, Bounds, blame
from mic.ledger.blame_cache import BlameCache
from mic.ledger.path_history import view_of
from mic.ledger.project import Project
from micelio.accounts.actor import actor_of
from micelio.organizations.models import Organization
from micelio.pages.keys import script_address
from micelio.pages.stylesheet import stylesheet, stylesheet_address
from micelio.projects.actions import create_project, update_project
from micelio.projects.deletion import delete_project
from micelio.sessions import projector
from signed_in import sign_in

pytestmark = pytest.mark.django_db

# HTML and stylesheet of a page, compressed, in bytes: the lightest forge on record needs 30 KiB.
PAGE_BUDGET = 30 * 1024
# SQL statements of a page that was looked at before, the same however many rows it shows.
QUERY_BUDGET = 12
FRAME = frozenset({"meta", "link", "form", "svg"})


class Browser:
    """A client that asks as the edge does: with the raw request line beside the decoded path."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def get(self, address: str, **headers: str) -> Any:
        raw = address.partition("?")[0].encode()
        return self.client.get(address, headers=headers, **{"asgi.scope": {"raw_path": raw}})

    def page(self, address: str) -> Document:
        answer = self.get(address)
        assert answer.status_code == 200, answer.content.decode()[:2000]
        return Document(answer.content.decode())

    def twin(self, address: str) -> dict[str, Any]:
        answer = self.get(address + ("&" if "?" in address else "?") + "format=json")
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "application/json"
        return json.loads(answer.content)


@pytest.fixture
def story(db: None) -> Iterator[pages_story.Story]:
    """The story, told anew in the test's own transaction; contents stay in the run's own store."""
    return pages_story.tell()


@pytest.fixture
def visitor(story: pages_story.Story) -> Browser:
    return Browser(Client())


@pytest.fixture
def member(story: pages_story.Story) -> Browser:
    client = Client()
    sign_in(client, story.user)
    return Browser(client)


PAGES = (
    "/",
    "/acme",
    "/acme/api",
    "/acme/api/-/tree/head/data",
    "/acme/api/-/tree/@1",
    "/acme/api/-/tree/@2/docs",
    "/acme/api/-/file/head/src/auth/tokens.py",
    "/acme/api/-/file/@1/src/auth/tokens.py",
    "/acme/api/-/file/head/docs/keys.md",
    "/acme/api/-/file/head/docs/mark.png",
    "/acme/api/-/file/head/docs/latest",
    "/acme/api/-/file/head/data/seed.bin",
    "/acme/api/-/file/head/data/empty",
    "/acme/api/-/file/head/data/caf%E9.txt",
    "/acme/api/-/file/head/data/two%0Alines.txt",
    "/acme/api/-/file/head/data/100%25.txt",
    "/acme/api/-/file/head/data/%3Cscript%3Ealert(1)%3C/script%3E.txt",
    "/acme/api/-/history/head/src/auth/tokens.py",
    "/acme/api/-/history/head/src",
    "/acme/api/-/blame/head/src/auth/tokens.py",
    "/acme/api/-/blame/@1/src/auth/tokens.py",
    "/acme/api/-/blame/head/data/empty",
    "/acme/api/-/blame/head/data/caf%E9.txt",
    "/acme/api/-/history/@2/data/caf%E9.txt",
    "/acme/api/-/history/head/src/auth/secret.py",
    "/acme/api/-/landings",
    "/acme/api/-/landings/1",
    "/acme/api/-/landings/2",
    "/acme/api/-/landings/3",
    "/acme/api/-/landings/4",
    "/acme/api/-/landings/3?decisions=2",
    "/acme/api/-/landings/3?conversation=2",
    "/acme/api/-/landings/3?changes=2",
    "/acme/api/-/landings/3/changes/3",
    "/acme/api/-/landings/3?view=split&space=ignore",
    "/acme/api/-/landings/3/changes/3?view=split",
    "/acme/api/-/compare/@1...@3?view=split",
    "/acme/api/-/landings/3?view=split&lines=all",
    "/acme/api/-/landings/3/changes/3?lines=all",
    "/acme/api/-/compare/@1...@3?lines=all",
    "/acme/api/-/landings/1/changes/5",
    "/acme/api/-/file/head/README.md?view=source",
    "/acme/api/-/landings?author=ada&path=src",
    "/acme/api/-/compare/@1...@3",
    "/acme/api/-/compare/@1...head/changes/2",
    "/acme/api/-/branches",
    "/acme/api/-/forks",
    "/acme/api/-/tags",
    "/acme/api/-/contributors",
    "/acme/api/-/badges",
    "/-/search",
    "/-/design",
    "/@maintainer",
    "/-/search?q=token",
    "/acme/api/-/sessions",
)

# Pages with the keys of differences.
DIFFERENCES = re.compile(r".*/-/(landings|sessions|compare)/.")


@pytest.mark.parametrize("address", PAGES)
def test_every_page_is_whole_light_and_harmless(member: Browser, address: str) -> None:
    """One h1, no skipped heading, landmarks, labels, no script, no address that is not ours, within the budgets."""
    member.get(address)  # the first reading of something in a day is written down
    answer = member.get(address)
    source = answer.content.decode()
    assert answer.status_code == 200
    page = Document(source)
    assert len(page.all("h1")) == 1
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    first = levels.index(1)
    assert all(after - before <= 1 for before, after in zip(levels[first:], levels[first + 1 :], strict=False))
    assert {"header", "main", "footer"} <= {element.tag for element in page.elements}
    shown = without_keys(source) if DIFFERENCES.match(address) else source
    assert dangers(without_data(shown), FRAME) == []
    assert {link.attributes["rel"] for link in page.all("link")} <= {"icon", "stylesheet", "canonical", "alternate"}
    ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
    assert len(ids) == len(set(ids))
    own = {f"#{name}" for name in ids}
    assert {a.attributes["href"] for a in page.all("a") if a.attributes.get("href", "").startswith("#")} <= own
    assert all(image.attributes.get("alt") for image in page.all("img"))
    assert all(time.attributes["datetime"] for time in page.all("time"))
    assert len(gzip.compress(answer.content)) + len(gzip.compress(stylesheet()[1])) <= PAGE_BUDGET
    assert "Server-Timing" in answer.headers
    counted = int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"'))
    assert 0 < counted <= QUERY_BUDGET
    # The parts say where the whole went: within 5 %, and what is rounded.
    spent = dict(re.findall(r"(\w+);dur=([0-9.]+)", answer.headers["Server-Timing"]))
    total = float(spent.pop("total"))
    assert set(spent) == {"app", "store", "render", "db"}
    assert abs(sum(map(float, spent.values())) - total) <= 0.05 * total + 0.05


@pytest.mark.parametrize("address", PAGES)
def test_every_page_has_its_twins(member: Browser, address: str) -> None:
    """The same address as JSON and Markdown, by `?format=` and by Accept, without anybody's e-mail address."""
    data = member.twin(address)
    by_accept = member.get(address, accept="application/json")
    assert json.loads(by_accept.content) == data
    assert "example.org" not in json.dumps(data)
    assert "Accept" in by_accept.headers["Vary"]
    written = member.get(address + ("&" if "?" in address else "?") + "format=md")
    assert written.status_code == 200
    assert written.headers["Content-Type"] == "text/markdown; charset=utf-8"
    assert written.content.startswith(b"# ")
    assert b"example.org" not in written.content
    assert member.get(address, accept="text/markdown").content == written.content


def test_queries_do_not_grow_with_rows(visitor: Browser) -> None:
    """A page of landings costs the same whether it shows three or four."""

    def cost(address: str) -> str:
        return visitor.get(address).headers["Server-Timing"].rpartition("desc=")[2]

    assert cost("/acme/api/-/landings") == cost("/acme/api/-/landings?before=4")


def test_the_project_page(visitor: Browser) -> None:
    """Files with what touched them last, the README, the numbers, how to clone."""
    page = visitor.page("/acme/api")
    rows = [row.text.split("\n")[0].strip() for row in page.all("tr")]
    names = [row.attributes["href"] for row in page.all("a") if "/-/tree/" in row.attributes["href"]]
    assert names[:2] == ["/acme/api/-/tree/head/bin", "/acme/api/-/tree/head/data"]
    assert any("README.md" in row and "Say how keys rotate" in row for row in rows)
    text = page.all("main")[0].text
    for words in (
        "Keep sign-in stateless",
        "15 files",
        "4 landings",
        "2 recorded",
        "mic clone acme/api",
        "no state of its own",
    ):
        assert words in text
    data = visitor.twin("/acme/api")
    assert data["counts"] == {"files": 15, "bytes": data["counts"]["bytes"], "landings": 4, "decisions": 2}
    assert [(row["path"], row["type"], row["last"]["position"]) for row in data["files"]] == [
        ("bin", "directory", 2),
        ("data", "directory", 2),
        ("docs", "directory", 4),
        ("src", "directory", 3),
        ("tests", "directory", 3),
        ("README.md", "file", 2),
        ("pyproject.toml", "file", 1),
    ]


def test_the_session_page(visitor: Browser) -> None:
    """Goal, why with the roads not taken, conversation, changes with their why beside the line."""
    page = visitor.page("/acme/api/-/landings/3")
    assert page.all("h1")[0].text == "Keep sign-in stateless: tokens instead of server sessions"
    text = page.all("main")[0].text
    for words in (
        "Landed as @3",
        "Ada Maintainer",
        "with claude-code",
        "took 38 min",
        "in 4 files",
        "HS256 with a shared secret",
        "every front end could then mint",
        "Only for refresh.",
    ):
        assert words in text
    assert [article.attributes["id"] for article in page.all("article")] == ["d1", "d2"]
    assert [road.text for road in page.all("s")] == [
        "HS256 with a shared secret",
        "Sessions in Redis",
        "24-hour tokens",
    ]
    assert [a.text for a in page.all("a") if a.attributes["href"] in ("#f1", "#f2", "#f3", "#f4")] == [
        "src/auth/keys.py",
        "src/auth/secret.py",
        "src/auth/tokens.py",
        "tests/test_tokens.py",
    ]
    assert [fold.text for fold in page.all("summary")] == ["1 deleted line"]
    tagged = {e.attributes["id"]: e.text for e in page.all("i") if (e.attributes.get("id") or "").startswith("f")}
    assert tagged["f3L7"].strip() == "7 +"
    assert "7 +FIFTEEN_MINUTES = timedelta(minutes=15) D2\n" in text
    assert [mark.text for mark in page.all("mark")] == [
        ", for fifteen minutes",
        *[m.text for m in page.all("mark")][1:],
    ]


def test_parts_of_a_session(visitor: Browser) -> None:
    """A part says that it is one, leads back to the whole, and shows nothing else; numbers are the session's."""
    page = visitor.page("/acme/api/-/landings/3?conversation=2")
    assert [s.attributes["id"] for s in page.all("section") if s.attributes.get("class", "").startswith("said")] == [
        "m2",
        "m3",
        "m4",
    ]
    assert "messages 2–4 of 4" in page.all("main")[0].text
    assert "/acme/api/-/landings/3" in [a.attributes["href"] for a in page.all("a")]
    assert page.all("article") == []
    page = visitor.page("/acme/api/-/landings/3?decisions=2")
    assert [article.attributes["id"] for article in page.all("article")] == ["d2"]
    assert "decisions 2–2 of 2" in page.all("main")[0].text


def test_one_change_alone(visitor: Browser) -> None:
    """The difference of one file, whatever its name is made of, between its neighbours; marks lead to the session."""
    page = visitor.page("/acme/api/-/landings/3/changes/3")
    assert page.all("h1")[0].text == "src/auth/tokens.py"
    links = {a.text: a.attributes["href"] for a in page.all("a")}
    assert links["D2"] == "/acme/api/-/landings/3?decisions=2"
    assert links["← src/auth/secret.py"] == "/acme/api/-/landings/3/changes/2"
    assert links["tests/test_tokens.py →"] == "/acme/api/-/landings/3/changes/4"
    data = visitor.twin("/acme/api/-/landings/3/changes/3")
    assert (data["path"], data["added"], data["deleted"], data["position"]) == ("src/auth/tokens.py", 13, 8, 3)
    assert visitor.twin("/acme/api/-/landings/1/changes/5")["path_bytes"] == "ZGF0YS9jYWbpLnR4dA=="
    landed = visitor.twin("/acme/api/-/landings/3")["session"]
    answer = visitor.get(f"/acme/api/-/sessions/{landed}/changes/3?from=2")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/acme/api/-/landings/3/changes/3?from=2")


def test_a_document_and_its_source(visitor: Browser) -> None:
    """Markdown is read as a document; its source has the line numbers."""
    page = visitor.page("/acme/api/-/file/head/README.md")
    assert "?view=source" in [a.attributes["href"] for a in page.all("a")]
    assert not [e for e in page.all("span") if e.attributes.get("id") == "L1"]
    source = visitor.page("/acme/api/-/file/head/README.md?view=source&from=5")
    assert [e.attributes["id"] for e in source.all("span") if "id" in e.attributes][:2] == ["L5", "L6"]


def test_a_landing_from_git_does_not_pretend(visitor: Browser) -> None:
    """Commit id, the rest of the message as text, one line on the missing why, no empty sections."""
    page = visitor.page("/acme/api/-/landings/2")
    text = page.all("main")[0].text
    assert "Git a1a1a1a1a1" in text
    assert "The keys change every month. Read this before you touch sign-in." in text
    assert "was not recorded" in text
    assert [heading.text for heading in page.all("h2")] == ["Changes", "Keys", "Related sessions"]
    assert "The file became executable." in text
    assert "Binary content: 2.0 KiB before, 3.0 KiB after." in text


def test_sessions_by_id(story: pages_story.Story, visitor: Browser, member: Browser) -> None:
    """A landed session is found at its position; an open one only by members; nonsense is an error, not a crash."""
    name = member.twin("/acme/api/-/sessions")["sessions"][0]["session"]
    assert "Let an operator revoke" in member.page(f"/acme/api/-/sessions/{name}").all("h1")[0].text
    assert visitor.get(f"/acme/api/-/sessions/{name}").status_code == 404
    assert visitor.twin("/acme/api/-/sessions")["sessions"] == []
    landed = visitor.twin("/acme/api/-/landings/3")["session"]
    answer = visitor.get(f"/acme/api/-/sessions/{landed}?format=md")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/acme/api/-/landings/3?format=md")
    assert visitor.get("/acme/api/-/sessions/nonsense").status_code == 400
    assert visitor.get("/acme/api/-/sessions/00000000000000000000000000").status_code == 404


def test_the_session_as_markdown(visitor: Browser) -> None:
    """An agent reads the why without HTML."""
    answer = visitor.get("/acme/api/-/landings/3", accept="text/markdown")
    assert answer.headers["Content-Type"] == "text/markdown; charset=utf-8"
    text = answer.content.decode()
    assert text.startswith("# Keep sign-in stateless: tokens instead of server sessions\n")
    assert "### D1. Sign with EdDSA" in text
    assert "- not: Sessions in Redis (one more thing to run; “keep it stateless”)" in text
    assert "- src/auth/tokens.py (+13 −8)" in text


@pytest.mark.parametrize(
    ("path", "kind", "disposition"),
    [
        ("README.md", "text/plain; charset=utf-8", "inline"),
        ("docs/mark.png", "image/png", "inline"),
        ("data/seed.bin", "application/octet-stream", "attachment"),
        ("data/caf%E9.txt", "text/plain; charset=utf-8", "inline"),
        ("docs/latest", "text/plain; charset=utf-8", "inline"),
        ("data/%3Cscript%3Ealert(1)%3C/script%3E.txt", "text/plain; charset=utf-8", "inline"),
    ],
)
def test_raw_files_are_harmless(visitor: Browser, path: str, kind: str, disposition: str) -> None:
    """Bytes as stored, sandboxed, never sniffed, never HTML; a link is its target's text and is not followed."""
    answer = visitor.get(f"/acme/api/-/raw/head/{path}")
    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Content-Disposition"].startswith(disposition)
    assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    expected = {**pages_story.FIRST, **{k: v for k, v in pages_story.SECOND.items() if v}}
    assert answer.content == expected[unquote_to_bytes(path)][1]
    again = visitor.get(f"/acme/api/-/raw/head/{path}", if_none_match=answer.headers["ETag"])
    assert again.status_code == 304


def test_files_and_directories_find_each_other(visitor: Browser) -> None:
    """A file asked for as a directory, and the other way round, leads to the right page; a symlink is not followed."""
    assert visitor.get("/acme/api/-/file/head/docs").headers["Location"] == "/acme/api/-/tree/head/docs"
    assert visitor.get("/acme/api/-/tree/@2/README.md").headers["Location"] == "/acme/api/-/file/@2/README.md"
    assert visitor.get("/acme/api/-/tree/head/docs/latest/x").status_code == 404
    page = visitor.page("/acme/api/-/file/head/docs/latest")
    assert "A symbolic link" in page.all("main")[0].text
    assert "../README.md" in page.all("main")[0].text
    assert "public face" not in page.all("main")[0].text


def test_old_points_show_old_contents(visitor: Browser) -> None:
    """A point is what it was: no later file, and no word about later landings."""
    page = visitor.page("/acme/api/-/file/@1/src/auth/tokens.py")
    assert "hs256" in page.all("pre")[0].text
    assert "as of @1" in page.all("main")[0].text
    assert visitor.get("/acme/api/-/file/@3/src/auth/secret.py").status_code == 404
    assert all(row["last"] is None for row in visitor.twin("/acme/api/-/tree/@1")["files"])


def test_paths_that_are_not_utf8_have_their_bytes_in_the_twin(visitor: Browser) -> None:
    """JSON shows replacement characters and adds the exact bytes."""
    data = visitor.twin("/acme/api/-/file/head/data/caf%E9.txt")
    assert (data["path"], data["path_bytes"]) == ("data/caf\ufffd.txt", "ZGF0YS9jYWbpLnR4dA==")


def test_landings_are_paged(visitor: Browser) -> None:
    """Newest first, before a position when it is given."""
    assert [row["position"] for row in visitor.twin("/acme/api/-/landings")["landings"]] == [4, 3, 2, 1]
    assert [row["position"] for row in visitor.twin("/acme/api/-/landings?before=3")["landings"]] == [2, 1]
    assert "First light" in visitor.page("/acme/api/-/landings").all("main")[0].text


@pytest.mark.parametrize("address", ["/acme/vault", "/acme/nothing", "/nobody/api"])
def test_hidden_and_absent_are_the_same(visitor: Browser, address: str) -> None:
    """Who may not see a project cannot tell it from one that is not there, on any of its pages."""
    for below in ("", "/-/landings", "/-/landings/1", "/-/tree/head", "/-/file/head/x", "/-/raw/head/x", "/-/sessions"):
        answer = visitor.get(address + below)
        assert answer.status_code == 404
        error = json.loads(visitor.get(f"{address}{below}?format=json").content)["error"]
        assert error["code"] == "not_found"
        assert error["message"] == f"There is no project {address[1:]}, or you may not see it."


def test_a_member_sees_the_private_project(member: Browser, visitor: Browser) -> None:
    """An empty project says what to do next; it is in the lists of members only."""
    assert "Nothing has landed here yet." in member.page("/acme/vault").all("main")[0].text
    assert "acme/vault" in [row["project"] for row in member.twin("/")["projects"]]
    assert [row["project"] for row in visitor.twin("/")["projects"]] == ["acme/api"]
    assert member.twin("/acme")["members"] == [{"handle": "maintainer", "name": "Ada Maintainer", "role": "owner"}]
    assert visitor.twin("/acme")["members"] == []


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/nobody", 404),
        ("/acme/api/-/tree/main", 404),
        ("/acme/api/-/tree/@99", 404),
        ("/acme/api/-/tree/head/none", 404),
        ("/acme/api/-/file/head/..%2F..%2Fetc%2Fpasswd", 404),
        ("/acme/api/-/file/head/a%00b", 404),
        ("/acme/api/-/landings/0", 404),
        ("/acme/api/-/landings/5", 404),
        ("/acme/api/-/landings/99999999999999999999999999", 404),
        ("/acme/api/-/landings?before=x", 400),
        ("/acme/api/-/landings?before=99999999999999999999", 400),
        ("/acme/api/-/tree/head?after=%C3%A9", 400),
        ("/acme/api?format=xml", 400),
        ("/acme/api/-/landings/3/changes/0", 404),
        ("/acme/api/-/landings/3/changes/5", 404),
        ("/acme/api/-/landings/3/changes/3?from=30", 404),
        ("/acme/api/-/landings/3/changes/3?from=x", 400),
        ("/acme/api/-/landings/3?changes=5", 404),
        ("/acme/api/-/file/head/README.md?from=99", 404),
        ("/acme/api/-/file/head/bin/serve?from=3", 404),
        ("/acme/api/-/sessions?after=x", 400),
        ("/-/look-000000000000.css", 404),
        ("/acme/api/-/nothing", 404),
    ],
)
def test_wrong_addresses_are_errors_with_a_page(visitor: Browser, address: str, status: int) -> None:
    """Each has its status and a page with a sentence, never a failure of ours."""
    answer = visitor.get(address)
    assert answer.status_code == status
    assert len(Document(answer.content.decode()).all("h1")) == 1


def test_only_reading(member: Browser) -> None:
    """Pages answer GET and HEAD."""
    assert member.client.post("/acme/api").status_code == 405
    assert member.client.head("/acme/api").status_code == 200


def test_the_stylesheet_may_be_kept_for_ever(visitor: Browser) -> None:
    """Its address changes with its content, so a copy is never stale."""
    answer = visitor.get(stylesheet_address())
    assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert answer.headers["Content-Type"] == "text/css; charset=utf-8"
    assert b"url(" not in answer.content
    assert b"@import" not in answer.content


def test_the_one_script_is_small(visitor: Browser) -> None:
    """As it is sent without being packed: 25 KiB at most."""
    assert 0 < len(visitor.get(script_address()).content) <= 25 * 1024


def test_a_failure_of_ours_needs_no_database(db: None) -> None:
    """The page of a 500 is drawn without a request and without a query."""
    from django.db import connection
    from django.template.loader import get_template

    def refuse(*_: object) -> None:
        raise AssertionError("a query")

    with connection.execute_wrapper(refuse):
        for status in (400, 403, 404, 500):
            source = get_template(f"{status}.html").render()
            assert len(Document(source).all("h1")) == 1


def test_migrations_are_whole(db: None) -> None:
    """Pages have no models of their own."""
    call_command("makemigrations", "pages", check=True, dry_run=True, verbosity=0)


def test_a_fork_says_where_it_comes_from(story: pages_story.Story, visitor: Browser, member: Browser) -> None:
    """The origin by name for whoever may see it, the fork point for everybody, the number of forks one may see."""
    actor = actor_of(story.user, "web")
    public = create_project(actor, "acme", "api-fork", visibility="public", fork_from="acme/api")
    private = create_project(actor, "acme", "own-fork", fork_from="acme/api")
    for fork in (public, private):
        projector.catch_up(fork.id)  # before that, a page asks once more for the newest landing
    page = visitor.page("/acme/api-fork")
    assert "from acme/api @4" in " ".join(page.all("aside")[0].text.split())
    links = {a.text: a.attributes["href"] for a in page.all("a")}
    assert (links["acme/api"], links["@4"]) == ("/acme/api", "/acme/api-fork/-/landings/4")
    assert visitor.twin("/acme/api-fork")["fork"] == {"from": "acme/api", "position": 4}
    assert (visitor.twin("/acme/api")["forks"], member.twin("/acme/api")["forks"]) == (1, 2)
    assert visitor.twin("/acme/api")["fork"] is None
    for address in ("/acme/api", "/acme/api-fork", "/acme/own-fork"):
        member.get(address)  # the first reading of a private project in a day is written down
        answer = member.get(address)
        assert len(gzip.compress(answer.content)) + len(gzip.compress(stylesheet()[1])) <= PAGE_BUDGET
        assert int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"')) <= QUERY_BUDGET, address
    update_project(actor, "acme", "api", visibility="private")
    assert visitor.twin("/acme/api-fork")["fork"] == {"from": None, "position": 4}
    assert "acme/api @4" not in " ".join(visitor.page("/acme/api-fork").all("aside")[0].text.split())
    delete_project(actor, "acme", "api")
    assert visitor.get("/acme/api").status_code == member.get("/acme/api/-/landings").status_code == 404
    assert member.twin("/acme/own-fork")["fork"] == {"from": None, "position": 4}


def test_blame_says_how_far_it_looked(member: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """What stood there already at the landing where the search ended is not said to have come with it."""
    address = "/acme/api/-/blame/head/src/auth/tokens.py"
    words = "nobody looked further back"
    assert words not in member.get(address).content.decode()
    found = []

    def shortly(project: Project, path: bytes, at: int) -> Blamed:
        found.append(project.run(blame(view_of(project.line), BlameCache(), path, at, Bounds(versions=0))))
        return found[-1]

    monkeypatch.setattr(Project, "blame", shortly)
    assert words in member.get(address).content.decode()
    assert [hunk["settled"] for hunk in member.get(f"{address}?format=json").json()["hunks"]] == [False]


def test_the_living_page_is_found_by_its_name(visitor: Browser, story: pages_story.Story) -> None:
    """`/design` leads there, unless an organization had that name before it was reserved."""
    answer = visitor.get("/design")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/-/design")
    Organization.objects.filter(handle=story.project.owner).update(handle="design")
    assert "Small services that say why." in visitor.get("/design").content.decode()


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        ("/acme/tally.git", "/acme/tally"),
        ("/acme/tally/", "/acme/tally"),
        ("/acme/tally.git/?after=a%26b", "/acme/tally?after=a%26b"),
        ("/acme/", "/acme"),
        ("/no-such/thing.git", "/no-such/thing"),
        ("/a%5Cb/%0D%0Ax.git", "/a%5Cb/%0D%0Ax"),
    ],
)
def test_addresses_that_people_copy(client: Client, asked: str, meant: str) -> None:
    """What Git clones from, and what ends in a slash, lead to the page, whether there is one or not."""
    answer = client.get(asked)
    assert answer.status_code == 301
    assert answer.headers["location"] == meant
