"""What no page was made for: each thing has a page that works and says what was left out."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from html_check import ACTIVE, Document
from mic.core.blob import MAX_WHOLE
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Change, Decision, Message, Op, Session
from mic.core.tree import BLOB, CHUNKED, Entry
from mic.ledger.frame import Frame
from micelio.accounts.actions import create_user
from micelio.accounts.actor import actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.accounts.removal import remove
from micelio.organizations.actions import create_organization
from micelio.organizations.models import Membership, Organization
from micelio.pages.addresses import Ref, Site
from micelio.pages.changes import MOST_LISTED, ChangesPage
from micelio.pages.path_change import PathChange
from micelio.pages.weight import Scale
from micelio.projects.actions import create_project
from micelio.sessions.actions import land, upload

pytestmark = pytest.mark.django_db
NAMES = (
    "документы/план.txt",
    "عربي/ملف.md",
    "עברית.txt",
    "日本語/ファイル.py",
    "한국어.txt",
    "हिन्दी.txt",
    "ไทย.txt",
    "e\u0301 combining.txt",
    "🌱/🌿.txt",
    "turned\u202egnp.exe",
    "line\nbreak.txt",
    "<img src=x onerror=alert(1)>.txt",
    "&amp;\"'.txt",
)
LONG = b"/".join([b"deep" * 60] * 17)
NO_TEXT = b"\xff\xfe/\xe9t\xe9.txt"
PATHS = (*(name.encode() for name in NAMES), LONG, NO_TEXT)
README = (
    "# Bad\n\n![away](https://evil.example/a.png) <img src='//evil.example/b.png'>\n"
    "<form action=https://evil.example><input name=password><button>Go</button></form>\n\n"
)
NESTED = "".join("  " * n + "- x\n" for n in range(1000))
FILES: dict[bytes, bytes] = {
    **dict.fromkeys(PATHS, b"text\n"),
    b"README.md": (README + ("word " * 20 + "\n\n") * 100_000).encode(),
    b"nested.md": (README + NESTED + "> " * 1000 + "x\n\n" + "[" * 5000 + "\n").encode(),
    b"line.txt": b"x" * 5_000_000 + b"\n",
    b"evil.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'><script>alert(2)</script></svg>",
}


@pytest.fixture
def project(db: None) -> str:
    """The address of a project of one landing that adds all of it."""
    user = create_user(OPERATOR, "badauthor", name="Gone Author", email="gone@example.org")
    actor = actor_of(user, "web")
    create_organization(actor, "bad", "Bad", "")
    made = create_project(actor, "bad", "input", "", "", "public")
    changes, frames = [], {}
    for path, data in sorted(FILES.items()):
        name, kind = content_hash(data), CHUNKED if len(data) > MAX_WHOLE else BLOB
        frames[name] = [
            Frame(name, len(data), at, len(data[at : at + MAX_WHOLE]), False, data[at : at + MAX_WHOLE])
            for at in range(0, len(data), MAX_WHOLE)
        ]
        changes.append(Change(path, int(Op.ADDED), 0o100644, name, len(data), kind=kind))
    packs, _, _ = upload(actor, made, [frame for each in frames.values() for frame in each])
    session = Session(
        id=new_ulid(time.time_ns() // 1_000_000, bytes(10)),
        goal="Add what is bad",
        conversation=(Message("human", "\u202eadA", README),),
        decisions=(Decision(README[:200], README),),
        changes=tuple(changes),
    )
    land(actor, made, session, {}, packs)
    return "/bad/input"


def _ask(address: str) -> Any:
    # The undecoded request line, as the server hands it over.
    return Client().get(address, **{"asgi.scope": {"raw_path": address.partition("?")[0].encode()}})  # type: ignore[arg-type]


def _get(address: str, status: int = 200) -> str:
    begin = time.thread_time()
    answer = _ask(address)
    took = time.thread_time() - begin
    data = b"".join(answer) if answer.streaming else answer.content
    assert answer.status_code == status, (address, data[:300])
    assert took < 3, f"{address} took {took:.1f} s"
    return data.decode("utf-8", "replace")


def _main(source: str) -> str:
    return source.partition("<main")[2].partition("</main>")[0]


def test_everything_bad_has_a_page_that_works_and_says_what_is_left_out(project: str) -> None:
    """File names, README, nesting, lines, SVG, numbers, questions, and an author who is gone, one after the other."""
    # File names in every script, turned around, with line ends and markup, 4 KB long, and no UTF-8.
    for path in PATHS:
        at = quote(path)
        for kind in ("file", "blame", "history"):
            page = _get(f"{project}/-/{kind}/head/{at}")
            assert "<img src=x" not in page
            assert "\u202e" not in page
        assert _get(f"{project}/-/raw/head/{at}") == "text\n"
        twin = _ask(f"{project}/-/file/head/{at}?format=json").json()
        assert ("path_bytes" in twin) == (path == NO_TEXT)
    assert "turned[U+202E]gnp.exe" in _get(project)
    # A README of 10 MB, lists 1,000 deep, pictures from elsewhere, forms.
    home = _get(project)
    assert "This is the beginning." in home
    assert home.count("word word") > 10
    for address in (project, f"{project}/-/file/head/README.md", f"{project}/-/file/head/nested.md"):
        page = Document(_main(_get(address)))
        assert not [one for one in page.elements if "evil.example" in str(one.attributes) and one.tag != "a"]
        assert not [one for one in page.all(*(ACTIVE - {"svg", "form"}))]
        assert not [form for form in page.all("form") if "evil" in form.attributes.get("action", "")]
    # One line of 5 MB.
    assert "4,999,000 characters more" in _get(f"{project}/-/file/head/line.txt")
    assert "<h1>" in _get(f"{project}/-/blame/head/line.txt", 413)
    # An SVG with a script: shown as a picture, and its bytes run nowhere.
    assert "alert(2)" not in _get(f"{project}/-/file/head/evil.svg").partition("<pre")[0]
    raw = Client().get(f"{project}/-/raw/head/evil.svg")
    assert "sandbox" in raw["Content-Security-Policy"] or "attachment" in raw["Content-Disposition"]
    # Numbers beyond everything.
    for address in ("/-/landings?before=1000000000", "/-/landings/1?conversation=1000000000"):
        _get(f"{project}{address}")
    for address in (
        "/-/landings/1000000000", "/-/landings/1?changes=1000000000", "/-/landings/1/changes/1000000000",
        "/-/tree/@1000000000", "/-/compare/@1...@1000000000", "/-/compare/@0...head?changes=1000000000",
    ):  # fmt: skip
        assert "<h1>" in _get(f"{project}{address}", 404), address
    assert "no position" in _get(f"{project}/-/landings?before={'9' * 30}", 400)
    # Questions that nobody types.
    assert "at most 500 characters" in _get(f"/-/search?q={'a' * 10_000}", 400)
    for question in ("/((a{1,200}){1,200}){1,200}abc/", "/(abc/"):
        assert "<h1>" in _get(f"/-/search?q={quote(question)}", 400)
    assert "<h1>" in _get(f"/-/search?q={quote('/(x+x+)+yyy/ repo:bad/input')}")
    # An author who is gone.
    root = create_user(OPERATOR, "badroot", is_admin=True)
    author = User.objects.get(handle="badauthor")
    Membership.objects.create(organization=Organization.objects.get(handle="bad"), user=root, role="owner")
    remove(actor_of(root, "web"), author.id)
    for address in (
        "",
        "/-/landings",
        "/-/landings/1",
        "/-/blame/head/nested.md",
        "/-/contributors",
        "/-/landings.atom",
    ):
        page = _get(f"{project}{address}")
        assert 'href="/@badauthor"' not in page, address
    assert "Gone Author" in _get(f"{project}/-/landings/1")


def test_a_difference_of_a_hundred_thousand_files_is_a_page() -> None:
    """What is opened, what is named, and how many are left."""
    data = {bytes([n]) * 32: b"%d\n" % n for n in range(2)}
    old, new = ((key, len(text)) for key, text in data.items())
    changes = [
        PathChange(
            b"many/%06d.txt" % n,
            Entry(b"many/%06d.txt" % n, 0o100644, BLOB, old[1], old[0]),
            Entry(b"many/%06d.txt" % n, 0o100644, BLOB, new[1], new[0]),
            n + 1,
        )
        for n in range(100_000)
    ]
    begin = time.thread_time()
    page = ChangesPage(Site("a", "b"), lambda entry: data[entry.hash], (), Ref(1), "/a/b/-/landings/1", Scale())
    shown = page.show(changes, 1)
    assert time.thread_time() - begin < 2
    assert shown.total == 100_000
    assert 0 < len(shown.files) + len(shown.rest) <= MOST_LISTED + 50
    assert 1 < shown.next < 1000
    assert (shown.added, shown.deleted) == (None, None)
    assert page.show(changes, 99_990).next == 0
