"""Names, bios, goals, claims, agents and models made of markup: on each page that shows them they are words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from html import escape
from itertools import islice
from typing import Any

import pytest
from django.test import Client
from markdown_it import MarkdownIt

from html_check import CORPUS, Document, dangers, without_data, without_keys
from mic.core.blob import encode_blob
from mic.core.errors import InvalidInput
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Alternative, Change, Decision, Message, Op, Session, Usage
from micelio.accounts.actions import create_user
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.handles import parse_handle
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.accounts.profiles import BIO_LENGTH, update_profile
from micelio.discovery.jobs import stand_projects
from micelio.organizations.actions import create_organization, update_organization
from micelio.owners.rules import parse_owners
from micelio.projects.actions import create_project, update_project
from micelio.projects.branch_names import parse_branch
from micelio.projects.branches import create_branch
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import on_branch
from micelio.projects.stars import star_project
from micelio.projects.topics import parse_topics
from micelio.sessions.actions import land, start_session
from signed_in import sign_in

pytestmark = pytest.mark.django_db
# Of the page's own frame, in which nothing leads elsewhere.
FRAME = frozenset({"meta", "link", "form", "svg"})
SCRIPT = "</script><script>alert(1)</script>"
# What is one line: the rest are the same texts with line ends.
LINES = [" ".join(text.split()) for text in (*CORPUS, SCRIPT)]
ALL = "\n\n".join((*CORPUS, SCRIPT))


def _packed(length: int) -> Iterator[str]:
    """The texts, as many in one as fit."""
    held = ""
    for text in LINES:
        if held and len(held) + len(text) + 1 > length:
            yield held
            held = ""
        held = f"{held} {text}".strip()
    yield held


def _land(actor: Actor, project: ProjectView, base: int, files: dict[bytes, bytes], **words: Any) -> None:
    changes = tuple(
        Change(path, int(Op.ADDED), 0o100644, content_hash(data), len(data)) for path, data in sorted(files.items())
    )
    own = new_ulid(time.time_ns() // 1_000_000, bytes(9) + bytes([base]))
    session = Session(id=own, base_position=base, changes=changes, **words)
    land(actor, project, session, {content_hash(data): encode_blob(data) for data in files.values()})


@pytest.fixture
def told(db: None) -> Actor:
    """`evil/open` with one landing on main and one on a branch, one session under way, and projects of such names."""
    user = create_user(OPERATOR, "eve", name=next(_packed(100)), email="eve@example.org")
    actor = actor_of(user, "web")
    create_organization(actor, "evil", SCRIPT, " ".join(LINES)[:2000])
    for number, words in enumerate(_packed(200)):
        create_project(actor, "evil", f"p{number}", words, words, "public")
        star_project(actor, "evil", f"p{number}")
    project = create_project(actor, "evil", "open", SCRIPT, " ".join(LINES)[:2000], "public")
    alternative = tuple(Alternative(text, text) for text in CORPUS[:3])
    files = {text.replace("/", "|").encode(): text.encode() for text in CORPUS}
    patterns = [f"{'?'.join(name.decode().split())} @eve\n".encode() for name in files]
    files |= {b"a.txt": ALL.encode(), b".micelio/OWNERS": b"".join(p for p in patterns if not parse_owners(p).problems)}
    _land(
        actor, project, 0, files,
        goal=ALL,
        agent=SCRIPT,
        claims=tuple(CORPUS),
        conversation=tuple(Message("agent", SCRIPT, text, 0) for text in (*CORPUS, SCRIPT)),
        decisions=tuple(Decision(text, text, alternative, text, text) for text in (*CORPUS, SCRIPT)),
        usage=tuple(Usage(text, 1, 2, 0, text) for text in LINES[:20]),
    )  # fmt: skip
    create_branch(actor, project, "side")
    _land(actor, on_branch(project, "side"), 1, {b"b.txt": b"b\n"}, goal=SCRIPT, agent=LINES[2])
    start_session(actor, project, SCRIPT, 1, agent=LINES[2])
    stand_projects.func()
    return actor


def _reader(actor: Actor) -> Client:
    client = Client()
    sign_in(client, User.objects.get(id=actor.user_id))
    return client


def _harmless(client: Client, address: str) -> str:
    """The page, which nothing of what it shows has made another."""
    answer = client.get(address, **{"asgi.scope": {"raw_path": address.partition("?")[0].encode()}})
    assert answer.status_code == 200, address
    source = answer.content.decode()
    shown = without_keys(without_data(source))
    assert dangers(shown, FRAME) == [], address
    assert "<script" not in shown.lower(), address
    page = Document(source)
    for element in page.all(*FRAME):
        assert "http-equiv" not in element.attributes, address
        assert "evil.example" not in element.attributes.get("href", "") + element.attributes.get("action", ""), address
    assert len([e for e in page.elements if e.attributes.get("id") == "main"]) == 1, address
    return source


HERE = "/evil/open/-"
PAGES = (
    "/", "/evil", "/evil?after=p0", "/-/explore", "/-/explore?order=recent", "/@eve", "/evil/open", "/evil/open@side",
    f"{HERE}/blame/head/a.txt", f"{HERE}/history/head/a.txt", f"{HERE}/history/head/.micelio",
    f"{HERE}/owners/head/a.txt", f"{HERE}/owners/head/%3Cscript%3Ealert(1)%3C|script%3E",
    f"{HERE}/branches", f"{HERE}/landings",
    f"{HERE}/landings/1", f"{HERE}/landings/1?decisions=1", f"{HERE}/landings/1?conversation=1",
    f"{HERE}/landings/1?claims=1", f"{HERE}/landings/1?changes=1", f"{HERE}/landings/1/changes/3?view=split",
    f"{HERE}/sessions", f"{HERE}/contributors", f"{HERE}/forks", "/evil/open@side/-/landings/2",
    "/-/search?q=alert&type=projects", "/-/search?q=script&type=people",
)  # fmt: skip
MEMBERS_PAGES = (
    "/", "/evil", "/@eve", "/-/explore", "/evil/open",
    "/evil/-/settings", "/evil/-/members", "/evil/-/audit", "/evil/-/deleted", f"{HERE}/settings", f"{HERE}/audit",
    f"{HERE}/members", f"{HERE}/secrets", "/-/account/profile", "/-/account/audit", "/-/account/stars",
    "/-/new/project?owner=evil", "/-/import",
)  # fmt: skip


# As CommonMark says, with HTML let through, and struck words.
READER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
# What a text of ours has no need of; it has links to our own documents alone, and strong names in a conversation.
MARKUP = {
    "html_block",
    "html_inline",
    "image",
    "em_open",
    "s_open",
    "code_inline",
    "blockquote_open",
    "hr",
}


def test_the_markdown_of_each_page_has_no_markup_of_theirs(told: Actor) -> None:
    """Whoever draws the twin of a page draws words: no HTML, link, picture or emphasis that somebody wrote."""
    both = Client(), _reader(told)
    further = (
        f"{HERE}/file/head/a.txt", f"{HERE}/compare/@0...@1", f"{HERE}/compare/main...side", f"{HERE}/tags",
        "/-/search?q=script", "/-/search?q=alert", "/-/search?q=%3Cb%3E*x*[a](b)",
    )  # fmt: skip
    for client, address in [(client, address) for client in both for address in (*PAGES, *further)]:
        answer = client.get(
            f"{address}{'&' if '?' in address else '?'}format=md",
            **{"asgi.scope": {"raw_path": address.partition("?")[0].encode()}},
        )
        assert (answer.status_code, answer["Content-Type"]) == (200, "text/markdown; charset=utf-8"), address
        tokens = READER.parse(answer.content.decode())
        inner = [child for token in tokens for child in token.children or ()]
        kinds = {token.type for token in (*tokens, *inner)}
        assert not kinds & MARKUP, (address, kinds & MARKUP)
        links = [str(child.attrGet("href")) for child in inner if child.type == "link_open"]
        assert [link for link in links if not link.startswith(("/docs/", "/blog/", "/changelog"))] == [], address


def test_what_people_and_agents_write_is_words_on_each_page(told: Actor) -> None:
    """For a visitor and for who wrote it; each page that names somebody or something shows the text itself."""
    visitor, own = Client(), _reader(told)
    shown = {address: _harmless(visitor, address) for address in PAGES}
    for address in MEMBERS_PAGES:
        _harmless(own, address)
    for address in ("/evil", f"{HERE}/landings/1", f"{HERE}/landings", f"{HERE}/branches", f"{HERE}/blame/head/a.txt"):
        assert escape(SCRIPT) in shown[address], address
    assert escape(LINES[0]) in shown["/@eve"]
    for number, words in enumerate(_packed(200)):
        assert escape(words) in shown["/evil"]
        if number % 4 == 0:
            assert escape(words) in _harmless(visitor, f"/evil/p{number}")


def test_a_bio_and_the_name_of_an_organization(told: Actor) -> None:
    """One after the other, as many in one as there is room for."""
    visitor, own = Client(), _reader(told)
    for words in _packed(BIO_LENGTH):
        update_profile(told, bio=words)
        update_organization(told, "evil", name=words, description="")
        assert escape(words) in _harmless(visitor, "/@eve")
        assert escape(words) in _harmless(visitor, "/evil")
        assert escape(words[:30]) in _harmless(own, "/")
        assert escape(words) in _harmless(own, "/-/account/profile")


def test_what_stands_in_addresses_is_never_markup(told: Actor) -> None:
    """Topics, branches and handles have an alphabet that no markup is written in."""
    for text in (*CORPUS, SCRIPT):
        for refuse in (parse_branch, parse_handle, lambda name: parse_topics([name])):
            with pytest.raises(InvalidInput):
                refuse(text)
    with pytest.raises(InvalidInput):
        update_project(told, "evil", "open", topics=[*islice(LINES, 3)])
