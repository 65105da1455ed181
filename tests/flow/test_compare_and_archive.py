"""Two points compared, archives to take away, landings narrowed down, contributors."""

from __future__ import annotations

import gzip
import hashlib
import io
import re
import subprocess
import tarfile
import zipfile

import pytest
import zstandard
from django.test import Client

import pages_story
from html_check import Document, dangers, without_keys
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.core.session import Author, Op
from mic.ledger.history import HistoryCommit
from micelio.accounts.actor import ANONYMOUS
from micelio.pages import archive
from micelio.pages.archive import ARCHIVE_HEADER, Archive, parse_header, pieces
from micelio.projects.actions import create_project, update_project
from micelio.projects.ledgers import open_ledger
from micelio.sessions import narrowed
from micelio.sessions.models import Landing
from micelio.sessions.narrowed import Wanted, find_landings

pytestmark = pytest.mark.django_db
FRAME = frozenset({"meta", "link", "form", "svg"})


@pytest.fixture
def story(db: None) -> pages_story.Story:
    return pages_story.tell()


def _json(address: str) -> dict:  # type: ignore[type-arg]
    answer = Client().get(address + ("&" if "?" in address else "?") + "format=json")
    assert answer.status_code == 200, answer.content[:500]
    return answer.json()  # type: ignore[no-any-return]


def test_two_points_are_compared(story: pages_story.Story) -> None:
    """What differs, and which landings did it."""
    data = _json("/acme/api/-/compare/@2...@3")
    assert [(change["path"], bool(change["old"]), bool(change["new"])) for change in data["changes"]] == [
        ("src/auth/keys.py", False, True),
        ("src/auth/secret.py", True, False),
        ("src/auth/tokens.py", True, True),
        ("tests/test_tokens.py", False, True),
    ]
    assert [row["position"] for row in data["landings"]] == [3]
    assert (data["from"], data["to"], data["landings_between"]) == (2, 3, 1)
    source = Client().get("/acme/api/-/compare/@2...@3").content.decode()
    assert dangers(without_keys(source), FRAME) == []
    page = Document(source)
    assert page.all("h1")[0].text == "From @2 to @3"
    assert {mark.text for mark in page.all("mark")} > {", for fifteen minutes"}
    assert "noindex" in source


def test_two_points_the_other_way_round(story: pages_story.Story) -> None:
    """What was new is deleted."""
    there, back = (_json(f"/acme/api/-/compare/{points}")["changes"] for points in ("@2...@3", "@3...@2"))
    assert [(change["old"], change["new"]) for change in back] == [(change["new"], change["old"]) for change in there]
    assert _json("/acme/api/-/compare/head...@4")["changes"] == []
    assert "Nothing differs" in Client().get("/acme/api/-/compare/@4...head").content.decode()


def test_a_difference_of_a_hundred_thousand_files(story: pages_story.Story) -> None:
    """Of the first 50,000 by path as of any other; the page and its twins say that what lies behind is left out."""
    project = create_project(story.actor, "acme", "crowd", visibility="public")
    ledger = open_ledger(project.id)
    history = ledger.import_history("a Git repository", bytes(16))
    history.add_content(content_hash(b"x\n"), 2, encode_blob(b"x\n"))
    changes = tuple(
        (b"d%03d/f%03d.txt" % divmod(number, 250), int(Op.ADDED), 0o100644, content_hash(b"x\n"), 2)
        for number in range(100_000)
    )
    commit = HistoryCommit(bytes([1]) * 20, b"", Author("Ada", ""), pages_story.BEGIN, "A crowd", changes)
    ledger.run(history.add_commit(commit))
    ledger.finish_import(history)
    here = "/acme/crowd/-/compare/@0...@1"
    source = Client().get(here).content.decode()
    assert "More files differ than a page compares." in source
    assert "d000/f000.txt" in source
    assert len(gzip.compress(source.encode())) <= 24 * 1024
    data = _json(here)
    assert (data["changes_in_all"], data["left_out"], len(data["changes"])) == (50_000, True, 1000)
    assert "More differ; these are the first ones by path." in Client().get(f"{here}?format=md").content.decode()
    assert _json(f"{here}/changes/50000")["path"] == "d199/f249.txt"
    assert Client().get(f"{here}/changes/50001").status_code == 404
    assert _json("/acme/api/-/compare/@2...@3")["left_out"] is False
    assert "More files differ" not in Client().get("/acme/api/-/compare/@2...@3").content.decode()


def test_one_file_between_two_points(story: pages_story.Story) -> None:
    """On a page of its own, with its neighbours."""
    data = _json("/acme/api/-/compare/@2...@3/changes/3")
    assert (data["path"], data["added"] > 0, data["deleted"] > 0) == ("src/auth/tokens.py", True, True)
    page = Document(Client().get("/acme/api/-/compare/@2...@3/changes/3").content.decode())
    links = {link.attributes.get("href") for link in page.all("a")}
    assert {f"/acme/api/-/compare/@2...@3/changes/{n}" for n in (2, 4)} < links


@pytest.mark.parametrize("points", ["@2", "@2..@3", "@2...@99", "other...head", "...@99999999999999999999"])
def test_points_that_are_none(story: pages_story.Story, points: str) -> None:
    """404, as for a point alone."""
    assert Client().get(f"/acme/api/-/compare/{points}").status_code == 404


def test_the_boxes_lead_to_the_page(story: pages_story.Story) -> None:
    """Without a script."""
    answer = Client().get("/acme/api/-/compare?from=@1&to=")
    assert (answer.status_code, answer["Location"]) == (302, "/acme/api/-/compare/@1...head")


def _archive(name: str) -> tuple[Archive, bytes]:
    answer = Client().get(f"/acme/api/-/archive/{name}")
    assert answer.status_code == 200, answer.content[:300]
    wanted = parse_header(answer[ARCHIVE_HEADER])
    return wanted, b"".join(pieces(open_ledger(wanted.project), wanted))


def test_a_zip_has_the_files(story: pages_story.Story) -> None:
    """With their modes, below one folder; a byte of a name that is no text is written as such."""
    wanted, data = _archive("@2.zip")
    assert wanted.folder == "api-2"
    with zipfile.ZipFile(io.BytesIO(data)) as zipped:
        assert zipped.testzip() is None
        names = {info.filename: info.external_attr >> 16 for info in zipped.infolist()}
        assert zipped.read("api-2/README.md") == pages_story.README
        assert zipped.read("api-2/docs/latest") == b"../README.md"
    assert names["api-2/bin/serve"] == 0o100755
    assert names["api-2/docs/latest"] == 0o120777
    assert "api-2/data/caf%E9.txt" in names
    assert len(names) == 14


def test_a_tar_has_the_files(story: pages_story.Story) -> None:
    """Bytes of names as they are, and readable by others than Python."""
    _, data = _archive("@2.tar.zst")
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    with tarfile.open(fileobj=io.BytesIO(plain), encoding="utf-8", errors="surrogateescape") as tar:
        members = {member.name.encode("utf-8", "surrogateescape"): member for member in tar.getmembers()}
        found = tar.extractfile(members[b"api-2/README.md"])
        assert found is not None
        assert found.read() == pages_story.README
    assert members[b"api-2/bin/serve"].mode == 0o755
    assert members[b"api-2/docs/latest"].linkname == "../README.md"
    assert b"api-2/data/caf\xe9.txt" in members
    listed = subprocess.run(["tar", "-t"], input=plain, capture_output=True, check=True).stdout
    assert listed.count(b"\n") == 14


@pytest.mark.parametrize("kind", ["zip", "tar.zst"])
def test_archives_are_the_same_bytes(story: pages_story.Story, kind: str) -> None:
    """Whenever they are made; and the head's are those of its position."""
    first, again = _archive(f"head.{kind}")[1], _archive(f"@4.{kind}")[1]
    assert hashlib.sha256(first).digest() == hashlib.sha256(again).digest()
    tag = Client().get(f"/acme/api/-/archive/head.{kind}")["ETag"]
    assert Client().get(f"/acme/api/-/archive/@4.{kind}", headers={"If-None-Match": tag}).status_code == 304


def test_archives_are_bounded(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """413 with another way."""
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    answer = Client().get("/acme/api/-/archive/head.zip")
    assert answer.status_code == 413
    assert "git clone" in answer.content.decode()


@pytest.mark.parametrize(("name", "status"), [("head.rar", 400), ("@99.zip", 404), ("head", 400), (".zip", 404)])
def test_archives_that_there_are_not(story: pages_story.Story, name: str, status: int) -> None:
    """Said before anything is sent."""
    assert Client().get(f"/acme/api/-/archive/{name}").status_code == status


@pytest.mark.parametrize("address", ["compare/@1...head", "archive/head.zip", "contributors", "compare"])
def test_nothing_of_a_private_project(story: pages_story.Story, address: str) -> None:
    """As if there were none."""
    update_project(story.actor, "acme", "api", visibility="private")
    assert Client().get(f"/acme/api/-/{address}").status_code == 404


@pytest.mark.parametrize(
    ("query", "positions"),
    [
        ("author=maintainer", [4, 3]),
        ("agent=claude", [3]),
        ("agent=nobody", []),
        ("goal=KEY", [4, 2]),
        ("goal=key&author=maintainer", [4]),
        ("goal=stateless&path=src", [3]),
        ("goal=100%25", []),
        ("path=src/auth/tokens.py", [3, 1]),
        ("path=src", [3, 1]),
        ("path=src&agent=claude", [3]),
        # @1 was written 40 days before 2026-11-03 09:00 UTC, @2 39 days before; the two sessions land now.
        ("since=2026-09-24&until=2026-09-24", [1]),
        ("since=2026-09-25&until=2026-09-25", [2]),
        ("since=2026-09-24&until=2026-09-25", [2, 1]),
        ("since=2026-09-26", [4, 3]),
        ("until=2026-09-25", [2, 1]),
        ("until=2026-09-24&path=docs", [1]),
        ("since=2026-09-25&goal=key&author=maintainer", [4]),
        ("until=2026-09-23", []),
        ("since=2030-01-01", []),
        ("until=2020-01-01", []),
        ("author=%3Cscript%3Ealert(1)%3C/script%3E", []),
    ],
)
def test_landings_are_narrowed_down(story: pages_story.Story, query: str, positions: list[int]) -> None:
    """By who, with what and where."""
    found = [row["position"] for row in _json(f"/acme/api/-/landings?{query}")["landings"]]
    assert found == positions
    assert dangers(Client().get(f"/acme/api/-/landings?{query}").content.decode(), FRAME) == []


def test_a_day_that_is_none(story: pages_story.Story) -> None:
    """400 with an example."""
    assert Client().get("/acme/api/-/landings?since=yesterday").status_code == 400


def test_a_long_line_is_looked_through_in_steps(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page may be empty and have a next one."""
    monkeypatch.setattr(narrowed, "LOOKED_THROUGH", 2)
    wanted = Wanted(agent="claude")
    rows, further = find_landings(ANONYMOUS, story.project, wanted)
    assert ([row.position for row in rows], further) == ([3], 3)
    rows, further = find_landings(ANONYMOUS, story.project, wanted, further)
    assert (rows, further) == ([], None)


def test_contributors(story: pages_story.Story) -> None:
    """Each account once, with how much of it was done with agents."""
    found = _json("/acme/api/-/contributors")["contributors"]
    assert sum(row["landings"] for row in found) == 4
    own = next(row for row in found if row["handle"] == story.actor.handle)
    assert (own["landings"], own["with_agents"], own["last"]) == (2, 1, 4)


def test_the_year_of_a_project(story: pages_story.Story) -> None:
    """What landed here, people and agents apart, as a picture and as a table; what was imported is not in it."""
    assert _json("/acme/api/-/contributors")["year"] == {"people": 1, "agents": 1}
    source = Client().get("/acme/api/-/contributors").content.decode()
    assert "2 landings in the last year, 1 of them with agents." in source
    assert source.count('<svg class="year"') == 1
    assert re.search(r'<tr><th scope="row">[A-Z][a-z]+ 20[0-9]{2}</th><td>1</td><td>1</td></tr>', source)
    assert int(Client().get("/acme/api/-/contributors")["Server-Timing"].rpartition('desc="')[2].rstrip('"')) <= 12
    Landing.objects.filter(project_id=story.project.id).update(owner_id=None)
    assert "<figure" not in Client().get("/acme/api/-/contributors").content.decode()
