"""What the home of a project says of its latest sessions."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

import pages_story
from html_check import Document
from micelio.accounts.actions import create_user
from micelio.accounts.actor import actor_of
from micelio.accounts.policy import OPERATOR
from micelio.organizations.actions import create_organization
from micelio.organizations.models import Membership
from micelio.projects.actions import create_project
from micelio.projects.models import Confinement
from micelio.search import indexer
from micelio.sessions.models import Landing
from micelio.sessions.narrowed import latest_sessions
from signed_in import sign_in

pytestmark = pytest.mark.django_db


def test_the_latest_sessions_of_a_project(db: None) -> None:
    """Beside the files: goal, who, with what, when, what was decided. Commits of a history are not among them."""
    story, client = pages_story.tell(), Client()
    source = client.get("/acme/api").content.decode()
    late = Document(source[source.index('<ol class="list late">') : source.index("</aside>")])
    assert [row.text.split("AM") for row in late.all("li")] == [
        ["Say how long a key lives", "Ada Maintainerjust now"],
        [
            "Keep sign-in stateless: tokens instead of server sessions",
            "Ada Maintainerwith claude-codejust now2 decisions",
        ],
    ]
    assert "/acme/api/-/landings/3#d1" in [a.attributes["href"] for a in late.all("a")]
    twin = client.get("/acme/api?format=json").json()
    assert [row["position"] for row in twin["latest_sessions"]] == [4, 3]

    def latest(head: int, limit: int) -> list[int]:
        return [row.position for row in latest_sessions(story.actor, story.project, head, limit)[0]]

    # One that came as a commit with its decisions is one; without a goal there is nothing to say.
    Landing.objects.filter(project_id=story.project.id, position=1).update(decisions=1)
    Landing.objects.filter(project_id=story.project.id, position=4).update(goal="")
    assert (latest(4, 4), latest(4, 1)) == ([3, 1], [3])
    # Nobody looks further back than a page should take.
    assert (latest(202, 4), latest(203, 4)) == ([3], [])


def test_the_number_of_decisions_leads_to_them(db: None) -> None:
    """All of the project's, found without a word to look for."""
    indexer.follow(pages_story.tell().project.id)
    page = Document(Client().get("/acme/api").content.decode())
    (link,) = [a for a in page.all("a") if a.text == "2 recorded"]
    found = Client().get(link.attributes["href"] + "&format=json").json()["results"]["decisions"]
    assert [row["text"].partition("\n")[0] for row in found] == [
        "Fifteen minutes, then refresh once",
        "Sign with EdDSA, verify from a published key set",
    ]


def test_a_project_of_commits_has_none(db: None) -> None:
    """Nothing stands there where nobody said why."""
    story = pages_story.tell()
    Landing.objects.filter(project_id=story.project.id, position__gt=2).update(
        git_commit=bytes(20), decisions=0, messages=0
    )
    assert "Latest sessions" not in Client().get("/acme/api").content.decode()


def test_a_private_fork_asks_as_much_however_deep_it_is(db: None) -> None:
    """Each private project on the way has its say, in the same few queries for all of them."""
    user = create_user(OPERATOR, "fred")
    actor, client = actor_of(user, "web"), Client()
    sign_in(client, user)
    create_organization(actor, "org0")
    create_project(actor, "org0", "deep", visibility="private")
    counts = []
    for depth in range(1, 6):
        create_organization(actor, f"org{depth}")
        create_project(actor, f"org{depth}", "deep", fork_from=f"org{depth - 1}/deep")
        address = f"/org{depth}/deep"
        assert client.get(address).status_code == 200
        with CaptureQueriesContext(connection) as asked:
            page = client.get(address).content.decode()
        assert f"org{depth - 1}/deep" in page
        counts.append(len(asked))
    assert Confinement.objects.filter(project__owner__handle="org5").count() == 5
    assert len(set(counts)) == 1, counts
    assert max(counts) <= 12, "\n".join(query["sql"] for query in asked)
    Membership.objects.filter(organization__handle="org1").delete()
    assert client.get("/org5/deep").status_code == 404


def test_what_came_without_a_goal_says_so_and_can_be_followed(db: None) -> None:
    """In the list of files, in lists of projects and above the files: never a link without a word."""
    story = pages_story.tell()
    Landing.objects.filter(project_id=story.project.id, position=4).update(goal="", git_commit=bytes(20))
    for address in (
        "/acme/api",
        "/acme/api/-/tree/head/docs",
        "/acme/api/-/file/head/docs/keys.md",
        "/acme/api/-/landings",
    ):
        page = Document(Client().get(address).content.decode())
        assert "(no goal was given)" in [a.text for a in page.all("a")], address
        assert all(a.text or a.attributes.get("aria-label") for a in page.all("a")), address
    for address in ("/", "/acme"):
        assert '<span class="serif">(no goal was given)</span>' in Client().get(address).content.decode(), address


def test_what_stands_between_backticks_is_code(db: None) -> None:
    """In goals, as agents write them, and it is text all the same."""
    story = pages_story.tell()
    goal = "Let `src/auth` say <b>no</b>, and `<script>` too; one ` is one"
    pages_story.land_files(story.actor, story.project, goal, 4, {b"a.txt": (0o100644, b"x\n")})
    said = "Let <code>src/auth</code> say &lt;b&gt;no&lt;/b&gt;, and <code>&lt;script&gt;</code> too; one ` is one"
    for address in ("/acme/api", "/acme/api/-/landings", "/acme/api/-/landings/5", "/acme/api/-/blame/head/a.txt", "/"):
        assert said in Client().get(address).content.decode(), address
    problem = Client().get("/acme/api/-/import/archive").content.decode()
    assert "<code>mic import archive" in problem
