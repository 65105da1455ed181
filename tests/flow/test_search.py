"""Search through its queries and pages, with a real store and database."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import pages_story
from html_check import Document as Page
from html_check import dangers
from mic.core.errors import InvalidInput
from mic.core.redaction import Parts, Redaction
from mic.core.stand_in import without_words
from mic.core.tombstone import Reason
from mic.ledger.project import Project
from micelio.accounts.actions import create_user
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.projects.actions import create_project, update_project
from micelio.projects.deletion import delete_project, restore_project
from micelio.projects.ledgers import open_ledger
from micelio.search import indexer, touched
from micelio.search.asked import parse_asked
from micelio.search.models import Document, Indexed, Touched
from micelio.search.queries import find, find_all
from micelio.sessions import projector

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    indexer.follow(told.project.id)
    return told


@pytest.fixture
def stranger(db: None) -> Actor:
    return actor_of(create_user(OPERATOR, "stranger"), "web")


def _paths(actor: Actor, text: str) -> list[bytes]:
    return [row.path for row in find(actor, "code", parse_asked(text)).rows]  # type: ignore[union-attr]


def _titles(actor: Actor, kind: str, text: str) -> list[str]:
    rows = find(actor, kind, parse_asked(text)).rows
    return ["".join(part.text for part in row.title) for row in rows]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ("FIFTEEN_MINUTES", [b"src/auth/tokens.py"]),
        ("fifteen_minutes", [b"src/auth/tokens.py"]),
        ("keys.current", [b"src/auth/tokens.py"]),
        ("hs256", []),  # only in files of before
        ('"two are published"', [b"docs/keys.md"]),
        ('"published two"', []),
        ("published signs", [b"docs/keys.md"]),
        ("pyproject.toml", [b"pyproject.toml"]),
        ("KeySet lang:python", [b"src/auth/tokens.py", b"src/auth/keys.py"]),
        ("KeySet lang:py path:tokens", [b"src/auth/tokens.py"]),
        ("KeySet lang:rust", []),
        ("KeySet repo:acme/api", [b"src/auth/tokens.py", b"src/auth/keys.py"]),
        ("KeySet repo:acme", [b"src/auth/tokens.py", b"src/auth/keys.py"]),
        ("KeySet repo:other/api", []),
        (r"/def test_\w+_revokes/", [b"tests/test_tokens.py"]),
        (r"/^KEYS? lives/", []),
        (r"/^class KeySet: \.\.\.$/", [b"src/auth/keys.py"]),
        ("ke", []),
        ("Latin-1", [b"data/caf\xe9.txt"]),
        ("agent:claude-code KeySet", []),
    ],
)
def test_code_is_found(story: pages_story.Story, text: str, paths: list[bytes]) -> None:
    """Words that all are there, phrases, expressions and filters, whatever their case."""
    assert sorted(_paths(ANONYMOUS, text)) == sorted(paths)


def test_lines_that_are_shown(story: pages_story.Story) -> None:
    """With their numbers, and what was looked for marked."""
    (row,) = find(ANONYMOUS, "code", parse_asked("fifteen_minutes")).rows
    assert [(line.number, [part.text for part in line.parts if part.found]) for line in row.lines] == [  # type: ignore[union-attr]
        (7, ["FIFTEEN_MINUTES"]),
        (17, ["FIFTEEN_MINUTES"]),
    ]
    assert not row.more  # type: ignore[union-attr]


def test_sessions_and_decisions_are_found(story: pages_story.Story) -> None:
    """By goal, by what was decided, why, and the roads not taken; by who and by which agent."""
    goal = "Keep sign-in stateless: tokens instead of server sessions"
    assert _titles(ANONYMOUS, "sessions", "sign-in stateless") == [goal]
    assert _titles(ANONYMOUS, "sessions", "stateless agent:claude") == [goal]
    assert _titles(ANONYMOUS, "sessions", "stateless author:maintainer") == [goal]
    assert _titles(ANONYMOUS, "sessions", f"stateless author:{story.actor.handle}") == [goal]
    assert _titles(ANONYMOUS, "sessions", "stateless author:nobody") == []
    assert _titles(ANONYMOUS, "sessions", "why:stateless") == []
    eddsa = "Sign with EdDSA, verify from a published key set"
    assert _titles(ANONYMOUS, "decisions", "eddsa") == [eddsa]
    assert _titles(ANONYMOUS, "decisions", 'why:"sessions in redis"') == [eddsa]


KEYS, TWENTY = "Say how keys rotate", "Say how long a key lives"
STATELESS = "Keep sign-in stateless: tokens instead of server sessions"


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("repo:acme/api path:docs/keys.md", [TWENTY, KEYS]),
        ("repo:acme/api path:SRC/AUTH", [STATELESS, "First light"]),
        ("repo:acme/api path:src/auth agent:claude", [STATELESS]),
        ("stateless path:tokens", [STATELESS]),
        ("stateless path:keys.md", []),
        ("long path:docs/", [TWENTY]),
        ("repo:acme/api path:%", ["First light"]),
        ("repo:acme/api path:d%s", []),
        ("repo:acme/api path:docs/keys.md author:nobody", []),
        ("stateless path:src lang:python", []),  # a session is in no language
        ("path:src", []),  # says too little, as it does of files
    ],
)
def test_sessions_are_found_by_the_paths_that_they_touched(
    story: pages_story.Story, text: str, titles: list[str]
) -> None:
    """By a part of a path, beside everything else; whatever became of the file since."""
    assert _titles(ANONYMOUS, "sessions", text) == titles


def test_decisions_are_found_by_the_paths_of_their_session(story: pages_story.Story, stranger: Actor) -> None:
    """And neither when the project is private, by those who may not read it."""
    eddsa = "Sign with EdDSA, verify from a published key set"
    assert _titles(ANONYMOUS, "decisions", "eddsa path:src/auth") == [eddsa]
    assert _titles(ANONYMOUS, "decisions", "why:eddsa path:docs/keys.md") == []
    update_project(story.actor, "acme", "api", visibility="private")
    indexer.follow(story.project.id)
    for actor, titles in ((ANONYMOUS, []), (stranger, []), (story.actor, [TWENTY, KEYS])):
        assert _titles(actor, "sessions", "repo:acme/api path:docs/keys.md") == titles


def test_a_forge_from_before_takes_in_what_landed(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Landings that nobody noted the paths of are behind; followed in steps, many paths in several rows."""
    Touched.objects.all().delete()
    Indexed.objects.update(paths_position=0)
    assert _titles(ANONYMOUS, "sessions", "repo:acme/api path:docs/keys.md") == []
    assert indexer.behind() == [story.project.id]
    monkeypatch.setattr(touched, "CHARACTERS", 1)
    monkeypatch.setattr(touched, "PART", 20)
    indexer.follow(story.project.id)
    assert indexer.behind() == []
    assert _titles(ANONYMOUS, "sessions", "repo:acme/api path:docs/keys.md") == [TWENTY, KEYS]
    parts = list(Touched.objects.filter(position=1).order_by("part").values_list("part", "names"))
    assert [part for part, _ in parts] == list(range(len(parts)))
    assert len(parts) > 3
    assert len([name for _, names in parts for name in names.split("\n")]) == 12


def test_projects_and_people_are_found(story: pages_story.Story, stranger: Actor) -> None:
    """Projects and organizations by anybody, people by those who have an account."""

    def handles(actor: Actor, text: str) -> list[str]:
        return [row.handle for row in find(actor, "people", parse_asked(text)).rows]  # type: ignore[union-attr]

    assert [row.handle for row in find(ANONYMOUS, "projects", parse_asked("acme/api")).rows] == ["api"]  # type: ignore[union-attr]
    assert handles(ANONYMOUS, "acme") == ["acme"]
    assert handles(ANONYMOUS, story.actor.handle) == []
    assert handles(stranger, story.actor.handle) == [story.actor.handle]


def test_nothing_private_is_found(story: pages_story.Story, stranger: Actor) -> None:
    """Neither a result nor a count nor a name, for anybody who may not read; members find it."""
    update_project(story.actor, "acme", "api", visibility="private")
    for shelf_follows in (False, True):
        if shelf_follows:
            indexer.follow(story.project.id)
            assert not Document.objects.filter(open=True).exists()
        for actor in (ANONYMOUS, stranger):
            for text in ("FIFTEEN_MINUTES", "stateless", "api", "acme", "eddsa", "repo:acme/api", "/FIFTEEN_MIN.*/"):
                found = find_all(actor, parse_asked(text))
                assert {kind: (list(page.rows), page.after, page.cut) for kind, page in found.items()} == {
                    kind: ([], "", False) for kind in ("projects", "people", "code", "sessions", "decisions")
                }, text
        assert _paths(story.actor, "FIFTEEN_MINUTES") == [b"src/auth/tokens.py"]
    update_project(story.actor, "acme", "api", visibility="public")
    indexer.follow(story.project.id)
    assert _paths(ANONYMOUS, "FIFTEEN_MINUTES") == [b"src/auth/tokens.py"]


def test_a_stranger_is_answered_from_the_public_shelf_alone(story: pages_story.Story, stranger: Actor) -> None:
    """So that no private text makes the answer take longer; a member's question goes to both."""
    mark = "NOT open AND grams" if connection.vendor == "postgresql" else "FROM search_closed"
    create_project(story.actor, "acme", "closed", "Closed", "", "private")
    for actor, asked in ((ANONYMOUS, False), (stranger, False), (story.actor, True)):
        with CaptureQueriesContext(connection) as queries:
            find_all(actor, parse_asked("FIFTEEN_MINUTES"))
        assert any(mark in query["sql"] for query in queries) is asked


def test_a_deleted_project_is_not_found(story: pages_story.Story) -> None:
    """From the moment on that it is deleted, and again when it is restored."""
    delete_project(story.actor, "acme", "api")
    assert _paths(story.actor, "FIFTEEN_MINUTES") == []
    indexer.follow(story.project.id)
    restore_project(story.actor, "acme", "api")
    assert _paths(story.actor, "FIFTEEN_MINUTES") == [b"src/auth/tokens.py"]


def _everything() -> list[tuple[Any, ...]]:
    names = "kind", "path", "position", "number", "language", "text", "open"
    return sorted((row[0], bytes(row[1]), *row[2:]) for row in Document.objects.values_list(*names))


def test_rows_are_the_same_however_they_came(story: pages_story.Story) -> None:
    """Followed landing by landing, again, after a run that broke off, or made anew."""
    before = _everything()
    assert len([row for row in before if row[0] == 1]) == 15
    indexer.follow(story.project.id)
    assert _everything() == before
    assert indexer.rebuild() == []
    assert _everything() == before
    assert indexer.behind() == []


def test_a_run_that_breaks_off_is_taken_up(story: pages_story.Story, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that it wrote for a head that was passed by are those of the head."""
    before = _everything()
    Document.objects.all().delete()
    indexer.Indexed.objects.all().delete()
    monkeypatch.setattr(indexer, "FILES", 2)
    written = indexer._write
    calls = iter(range(100))

    def breaks(*args: Any) -> None:
        if next(calls) == 4:
            raise OSError("killed")
        written(*args)

    monkeypatch.setattr(indexer, "_write", breaks)
    with pytest.raises(OSError, match="killed"):
        indexer.follow(story.project.id)
    assert indexer.behind() == [story.project.id]
    indexer.follow(story.project.id)
    assert _everything() == before


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 10_000, "A search has at most 500 characters, and this one has 10,000."),
        ("/(abc{1000}){1000}/", "cannot be searched for"),
        ("/abc(/", "cannot be searched for"),
        (r"/(abc)\1/", "cannot be searched for"),
        ("/.*/", "matches too much"),
        ("/a|bcd/", "matches too much"),
        ("/abc/ /def/", "one expression"),
        (" ".join("abcdefghijklmn"), "at most 12 words"),
    ],
)
def test_what_is_too_much_has_a_clear_answer(text: str, said: str) -> None:
    """A sentence and a way out."""
    with pytest.raises(InvalidInput) as refused:
        parse_asked(text)
    assert said in refused.value.message
    assert refused.value.hint


def test_an_expression_that_would_explode_elsewhere_is_quick(story: pages_story.Story) -> None:
    """RE2 takes linear time whatever it is asked."""
    assert _paths(ANONYMOUS, "/(k|ke|key)*(e*)*Sett/") == []


def test_queries_are_few_and_constant(story: pages_story.Story) -> None:
    """However much is found."""
    for text in ("KeySet", "zzzz"):
        with CaptureQueriesContext(connection) as queries:
            find_all(story.actor, parse_asked(text))
        assert len(queries) <= 10, "\n".join(query["sql"] for query in queries)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="these are the blocks of SQLite's index")
def test_erased_contents_leave_nothing_in_the_index(story: pages_story.Story) -> None:
    """Neither the row nor its pieces, in whatever block of the table."""
    row = Document.objects.get(kind=1, path=b"src/auth/tokens.py")
    Document.objects.filter(id=row.id).update(text="☃☄★☆")
    assert "E29883E29884E29885" in _blocks()
    assert indexer.forget(story.project.id, [bytes(row.content or b"")]) == 1
    assert _paths(ANONYMOUS, "☃☄★") == []
    assert "E29884" not in _blocks()


def _blocks() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT group_concat(hex(block)) FROM search_open_data")
        return str(cursor.fetchone()[0])


def test_a_content_that_was_erased_a_moment_ago_is_not_shown(
    story: pages_story.Story, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though its row is still there."""
    row = Document.objects.get(kind=1, path=b"src/auth/tokens.py")
    monkeypatch.setattr(
        Project, "tombstones", lambda self, hashes: {one: "gone" for one in hashes if one == row.content}
    )
    assert _paths(ANONYMOUS, "KeySet") == [b"src/auth/keys.py"]


def test_the_page_and_its_twins(story: pages_story.Story) -> None:
    """The same results as HTML, JSON and Markdown."""
    page = Page(Client().get("/-/search?q=KeySet").content.decode())
    assert [link.attributes["href"] for link in page.all("a") if link.text == "13"] == [
        "/acme/api/-/file/head/src/auth/tokens.py?view=source#L13"
    ]
    assert {mark.text for mark in page.all("mark")} == {"KeySet"}
    data = Client().get("/-/search?q=KeySet&format=json").json()
    assert [row["path"] for row in data["results"]["code"]] == ["src/auth/tokens.py", "src/auth/keys.py"]
    assert "    4: class KeySet: ..." in Client().get("/-/search?q=KeySet&format=md").content.decode()


def test_pages_of_results_are_whole(story: pages_story.Story) -> None:
    """Each result stands on one page, whatever a page has room for."""
    path, seen = "/-/search?q=repo:acme/api&type=code&format=json", []
    after = ""
    while True:
        data = Client().get(f"{path}&after={after}").json()
        seen += [row["path"] for row in data["results"]["code"]]
        after = data["next_after"]
        if not after:
            break
    assert len(seen) == len(set(seen)) == 15


HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(1)> javascript:alert(1) ‮'


@pytest.mark.parametrize("kind", ["", "code", "sessions", "decisions", "projects", "people"])
def test_no_text_of_anybody_becomes_a_part_of_the_page(story: pages_story.Story, kind: str) -> None:
    """Neither what is asked for nor what is found."""
    Document.objects.update(text=HOSTILE + "\n" + HOSTILE, name=HOSTILE, author=HOSTILE, agent=HOSTILE)
    for asked in ("script", HOSTILE[:40], "alert"):
        source = (
            Client()
            .get("/-/search", {"q": asked, "type": kind, "repo": "acme/api" if kind else HOSTILE[:-1]})
            .content.decode()
        )
        assert dangers(source, frozenset({"meta", "link", "form", "svg"})) == []
        assert "‮" not in source


@pytest.mark.parametrize(
    ("query", "asked", "said"),
    [
        ("?q=" + "x" * 10_000, "x" * 10_000, "A search has at most 500 characters, and this one has 10,000."),
        ("?q=/(a{1000}){1000}bcd/", "/(a{1000}){1000}bcd/", "<code>/(a{1000}){1000}bcd/</code>"),
        ("?q=/a(/&repo=acme/api", "/a(/", "<code>/a(/</code>"),
        ("?q=a&type=nothing", "a", "There is no kind of result called <code>nothing</code>."),
    ],
)
def test_a_page_for_what_is_too_much(story: pages_story.Story, query: str, asked: str, said: str) -> None:
    """400 with a sentence, and what was asked stands in the box to be mended; for programs the error alone."""
    answer = Client().get("/-/search" + query)
    assert answer.status_code == 400
    source = answer.content.decode()
    assert said in source
    assert [box.attributes["value"] for box in Page(source).all("input") if box.attributes["name"] == "q"] == [asked]
    assert "Nothing was found" not in source
    assert Client().get(f"/-/search{query}&format=json").json()["error"]["code"] == "invalid_input"


def test_erased_words_of_a_session_are_not_found(story: pages_story.Story) -> None:
    """Neither its goal nor its decisions, from the moment on that they are gone; its files stay."""
    ledger = open_ledger(story.project.id)
    wanted = Redaction(bytes(31) + b"\x01", Reason.SECRET, Parts.WORDS, 1, "maintainer")
    session = ledger.landing(3).session.id
    assert len(_titles(ANONYMOUS, "sessions", "stateless")) == 1
    ledger.redact(wanted, [session], without_words, with_forks=False)
    projector.derive_again(story.project.id, [session])
    assert _titles(ANONYMOUS, "sessions", "stateless") == []
    assert _titles(ANONYMOUS, "decisions", "eddsa") == []
    assert _paths(ANONYMOUS, "FIFTEEN_MINUTES") == [b"src/auth/tokens.py"]
    assert not Document.objects.exclude(kind=1).filter(text__contains="EdDSA").exists()


def test_finding_something_private_is_recorded_as_reading_it(story: pages_story.Story) -> None:
    """Once a day, as opening the project is; a search that finds nothing there is no reading."""
    update_project(story.actor, "acme", "api", visibility="private")
    reads = AuditEvent.objects.filter(action="project.read", project_id=story.project.id)
    before = reads.count()
    find_all(story.actor, parse_asked("nothingofthekind"))
    assert reads.count() == before
    find(story.actor, "code", parse_asked("FIFTEEN_MINUTES"))
    find_all(story.actor, parse_asked("FIFTEEN_MINUTES"))
    assert reads.count() == before + 1
