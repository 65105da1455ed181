"""Pages of people and of organizations: what they say of themselves, and never more than the reader may see."""

from __future__ import annotations

import re
import struct
import zlib
from datetime import UTC, date, datetime, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image

import pages_story
from html_check import Document, malformed
from mic.core.errors import InvalidInput, MicError, TooLarge
from micelio.accounts.actions import create_user
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.links import parse_link, parse_links
from micelio.accounts.models import Picture, Profile, User
from micelio.accounts.pictures import make_picture
from micelio.accounts.policy import OPERATOR
from micelio.accounts.profiles import set_picture, update_profile
from micelio.accounts.removal import remove
from micelio.organizations.models import Membership
from micelio.organizations.profiles import organizations_of, show_memberships, update_organization_profile
from micelio.pages.activity import activity
from micelio.pages.mycelium import figure_of, whole_svg
from micelio.projects.project_view import ProjectView
from micelio.sessions.doings import Doings, Week
from micelio.sessions.models import Landing
from signed_in import sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def story(db: None) -> pages_story.Story:
    told = pages_story.tell()
    _land(told.private, told.user, 12, "The recipe that nobody may know")
    return told


def _land(project: ProjectView, user: User, count: int, goal: str, agent: str = "") -> None:
    at = datetime.now(UTC)
    last = Landing.objects.filter(project_id=project.id).count()
    for number in range(last + 1, last + count + 1):
        Landing.objects.create(
            project_id=project.id, position=number, session_id=number.to_bytes(16), goal=f"{goal} {number}",
            author_name="Ada", author_email="", owner_id=user.id, agent=agent, landed_at=at - timedelta(minutes=number),
            authored_at=at, files=1, decisions=0, messages=0,
        )  # fmt: skip


def _page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, (address, answer.content[:500])
    source = answer.content.decode()
    assert malformed(source) == []
    return source


def _stranger(handle: str = "sam") -> tuple[Client, Actor]:
    user = create_user(OPERATOR, handle)
    client = Client()
    sign_in(client, user)
    return client, actor_of(user, "web")


def test_a_profile_shows_what_was_said_and_what_landed(story: pages_story.Story) -> None:
    """Name, bio, links with their icons, a year in a picture and in words, the newest landings with their projects."""
    links = ["github.com/ada", "https://fosstodon.org/@ada"]
    update_profile(story.actor, bio="  Tea before\ntokens. ", website="ada.example.org", links=links)
    source = _page(Client(), "/@maintainer")
    page = Document(source)
    assert "Tea before tokens." in source
    assert {"https://ada.example.org", *("https://github.com/ada", "https://fosstodon.org/@ada")} <= {
        a.attributes.get("href") for a in page.all("a")
    }
    assert all("nofollow" in a.attributes["rel"] for a in page.all("a") if "me " in a.attributes.get("rel", ""))
    assert "2 landings in the last year, 1 of them with agents." in source
    assert "Say how long a key lives" in source
    assert 'href="/acme/api"' in source


# How the drawing of each kind of site begins.
_CODE, _POSTS, _VIDEO, _CHAT, _WORK, _WEB = (
    "m8 7-5 5",
    "M4 5h16v11",
    "M4 6h16v12",
    "M3 5h12v8",
    "M4 8h16v11",
    "M12 3a9 9",
)
SITES = {
    "github.com/ada": _CODE, "gitlab.com/ada": _CODE, "codeberg.org/ada": _CODE, "pypi.org/user/ada": _CODE,
    "bsky.app/profile/ada": _POSTS, "x.com/ada": _POSTS, "fosstodon.org/@ada": _POSTS, "own.example.org/@ada": _POSTS,
    "youtube.com/@ada": _VIDEO, "www.twitch.tv/ada": _VIDEO,
    "matrix.to/#/@ada:example.org": _CHAT, "t.me/ada": _CHAT,
    "linkedin.com/in/ada": _WORK, "orcid.org/0000-0002-1825-0097": _WORK,
    "blog.example.org": _WEB, "notgithub.com/ada": _WEB,
}  # fmt: skip


@pytest.mark.parametrize("first", range(0, len(SITES), 6))
def test_each_link_has_the_icon_of_its_site(story: pages_story.Story, first: int) -> None:
    """Beside the words, as a drawing that nobody needs; a site that is not known is drawn as the web."""
    links = list(SITES)[first : first + 6]
    update_profile(story.actor, bio="", website="", links=links)
    source = _page(Client(), "/@maintainer")
    listed = source[source.index('<ul class="links" aria-label="Elsewhere">') :].partition("</ul>")[0]
    drawn = [path.attributes["d"] for path in Document(listed).all("path")]
    begin = [SITES[link] for link in links]
    assert [path[: len(expected)] for path, expected in zip(drawn, begin, strict=True)] == begin
    assert all(icon.attributes["aria-hidden"] == "true" for icon in Document(listed).all("svg"))


def test_what_is_private_is_in_no_part_of_a_page(story: pages_story.Story) -> None:
    """Graph, feed, projects, and the twins: nothing of a private project for who may not read it, all for a member."""
    for client in (Client(), _stranger()[0]):
        for address in ("/@maintainer", "/@maintainer?format=json", "/acme", "/acme?format=json"):
            said = client.get(address).content.decode()
            assert "recipe" not in said, address
            assert "vault" not in said, address
        assert "2 landings in the last year" in client.get("/@maintainer").content.decode()
        assert client.get("/@maintainer?format=json").json()["year"] == {"people": 1, "agents": 1}
    member = Client()
    sign_in(member, story.user)
    assert "14 landings in the last year" in _page(member, "/@maintainer")
    assert "recipe" in _page(member, "/acme")


def test_reading_of_private_landings_is_recorded(story: pages_story.Story) -> None:
    """A member who sees landings of a private project on somebody's page has read it, as the audit log says."""
    from micelio.audit.models import AuditEvent

    doings = Doings(story.actor, person=story.user.id)
    assert [project.handle for project, _ in doings.projects(5)] == ["vault", "api"]
    assert AuditEvent.objects.filter(action="project.read", object_name="acme/vault").count() == 1


def test_somebody_of_whom_there_is_nothing_to_see_is_as_nobody(story: pages_story.Story) -> None:
    """An account that said nothing and landed nothing in public is answered as a handle that nobody has."""
    create_user(OPERATOR, "quiet")
    answers = [Client().get(f"/@{handle}") for handle in ("quiet", "nobody-at-all")]
    assert [answer.status_code for answer in answers] == [404, 404]
    words = [answer.content.decode().replace("nobody-at-all", "quiet") for answer in answers]
    cost = re.compile(r"page made in .*?queries")
    assert cost.sub("", words[0]) == cost.sub("", words[1])
    assert len({answer.headers["Server-Timing"].rpartition("desc=")[2] for answer in answers}) == 1
    _, stranger = _stranger("loud")
    update_profile(stranger, bio="Here.")
    assert Client().get("/@loud").status_code == 200


def test_a_closed_account_keeps_its_landings_and_loses_its_words(story: pages_story.Story) -> None:
    """Of a closed account the public landings are shown, and nothing that it said of itself."""
    update_profile(story.actor, bio="Buy my pills")
    User.objects.filter(id=story.user.id).update(is_active=False)
    source = _page(Client(), "/@maintainer")
    assert "this account is closed" in source
    assert "pills" not in source


def test_an_earlier_handle_leads_on(story: pages_story.Story) -> None:
    """Who has another handle by now is found by the earlier one."""
    from micelio.accounts.names import rename_account

    rename_account(story.actor, "ada")
    answer = Client().get("/@maintainer")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/@ada")


def test_memberships_are_shown_when_their_owner_says_so(story: pages_story.Story) -> None:
    """A stranger sees a membership, and counts a member, only of those who let it be seen; members see all."""
    _, stranger = _stranger()
    other = create_user(OPERATOR, "mia")
    Membership.objects.create(organization_id=story.project.owner_id, user=other, role="member")
    assert organizations_of(ANONYMOUS, story.user.id) == []
    show_memberships(story.actor, ["acme", "not-mine"])
    for actor in (ANONYMOUS, stranger):
        (seen,) = organizations_of(actor, story.user.id)
        assert (seen.handle, seen.members) == ("acme", 1)
        assert organizations_of(actor, other.id) == []
    (seen,) = organizations_of(story.actor, other.id)
    assert seen.members == 2
    show_memberships(story.actor, [])
    assert organizations_of(ANONYMOUS, story.user.id) == []


def test_the_feed_has_twenty_and_older_ones_behind_a_link(story: pages_story.Story) -> None:
    """Twenty at a time, each landing once, in the order of their time."""
    _land(story.project, story.user, 41, "More")
    seen, address = [], "/@maintainer?format=json"
    while address:
        data = Client().get(address).json()
        seen += [(row["project"], row["position"]) for row in data["latest"]]
        assert len(data["latest"]) <= 20
        address = f"/@maintainer?format=json&before={data['next_before']}" if data["next_before"] else ""
    assert len(seen) == len(set(seen)) == 43
    assert "Older landings" in _page(Client(), "/@maintainer")
    assert Client().get("/@maintainer?before=9999999999999999999999-1").status_code == 400
    assert Client().get("/@maintainer?before=x").status_code == 400


def test_a_busy_year_is_a_small_picture() -> None:
    """53 weeks, all of them full: at most 6 KiB, and the same in words and in a table."""
    monday = date(2026, 11, 23)
    weeks = [Week(monday - timedelta(weeks=52 - n), 1000 + n, 2000 - n) for n in range(53)]
    made = activity(weeks)
    assert len(made.svg.encode()) <= 6 * 1024
    # 1000 + ... + 1052 and 1948 + ... + 2000.
    assert made.words == (
        "159,000 landings in the last year, 104,622 of them with agents. 53 weeks with some, 53 in a row at most."
    )
    assert sum(month.people for month in made.months) == made.people == sum(1000 + n for n in range(53))
    assert not activity([Week(week.start) for week in weeks])


@pytest.mark.parametrize(
    ("typed", "url", "kind", "label"),
    [
        ("github.com/ada", "https://github.com/ada", "code", "github.com/ada"),
        ("https://www.linkedin.com/in/ada/", "https://www.linkedin.com/in/ada/", "work", "linkedin.com/in/ada"),
        ("https://social.example.org/@ada", "https://social.example.org/@ada", "posts", "social.example.org/@ada"),
        ("http://EXAMPLE.org:8080/a%20b", "http://example.org:8080/a%20b", "web", "example.org:8080/a%20b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/", "web", "xn--bcher-kva.example"),
        ("notgithub.com", "https://notgithub.com", "web", "notgithub.com"),
    ],
)  # fmt: skip
def test_links_are_read_and_known(typed: str, url: str, kind: str, label: str) -> None:
    """An address in its one spelling, what kind of site it is, and how it is read."""
    found = parse_link(typed)
    assert (found.url, found.kind, found.label) == (url, kind, label)


@pytest.mark.parametrize(
    "typed",
    [
        "javascript:alert(1)", "data:text/html,x", "ftp://example.org", "https://", "localhost", "https://localhost/",
        "https://user:pass@example.org", "https://example.org/\x00", "https://exa mple.org", "https://[::1]/",
        "x" * 201,
        "https://example.org\\@evil.org", "https://1.2.3.4/", "https://example.org:99999/", "//example.org",
        "https://-x.org", "mailto:ada@example.org", "https://ex\u202eample.org/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_is_refused(typed: str) -> None:
    """Scripts, other schemes, secrets, addresses of machines, and what is too long."""
    with pytest.raises(InvalidInput):
        parse_link(typed)


def test_six_links_at_most() -> None:
    """A seventh is refused; the same one twice counts once."""
    assert len(parse_links(["example.org"] * 9)) == 1
    with pytest.raises(InvalidInput):
        parse_links([f"example.org/{n}" for n in range(7)])


def test_a_bio_has_160_characters(story: pages_story.Story) -> None:
    """One more is refused, in the form's own page, which keeps what was typed."""
    update_profile(story.actor, bio="ü" * 160)
    client = Client()
    sign_in(client, story.user)
    answer = client.post("/-/account/profile", {"act": "update", "bio": "ü" * 161, "links": "github.com/kept"})
    assert answer.status_code == 400
    assert "github.com/kept" in answer.content.decode()
    assert Profile.objects.get(holder=story.user.id).bio == "ü" * 160


def _photo(width: int = 900, height: int = 600, kind: str = "JPEG") -> bytes:
    picture = Image.new("RGB", (width, height), (90, 60, 180))
    exif = Image.Exif()
    exif[0x010F] = "SecretCamera"
    written = BytesIO()
    picture.save(written, kind, exif=exif)
    return written.getvalue()


def test_a_picture_is_made_anew(story: pages_story.Story) -> None:
    """A photo becomes a square WebP without what the camera wrote, at an address that is kept for good."""
    client = Client()
    sign_in(client, story.user)
    upload = SimpleUploadedFile("me.jpg", _photo())
    assert client.post("/-/account/profile", {"act": "picture", "picture": upload}).status_code == 302
    (address,) = set(re.findall(r"/-/pictures/[0-9a-f]{32}\.webp", _page(Client(), "/@maintainer")))
    answer = Client().get(address)
    assert answer.headers["Content-Type"] == "image/webp"
    assert "immutable" in answer.headers["Cache-Control"]
    assert b"SecretCamera" not in answer.content
    assert Image.open(BytesIO(answer.content)).size == (256, 256)
    assert client.post("/-/account/profile", {"act": "drawn"}).status_code == 302
    assert Client().get(address).status_code == 404
    assert "/-/pictures/" not in _page(Client(), "/@maintainer")


def _bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"GIF89a" + bytes(100), InvalidInput),
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", InvalidInput),
        (_bomb(60_000, 60_000), TooLarge),
        (_bomb(4_001, 4_001), TooLarge),
        (_bomb(3_000, 3_000), InvalidInput),
        (_photo()[:500], InvalidInput),
        (bytes(1024 * 1024 + 1), TooLarge),
    ],
    ids=["gif", "svg", "bomb", "large", "short", "cut", "heavy"],
)
def test_what_is_no_small_picture_is_refused(data: bytes, kind: type[MicError]) -> None:
    """Other formats, bombs (before a pixel is read), what breaks off, what is too heavy."""
    with pytest.raises(kind):
        make_picture(data)


def test_an_organization_has_a_page_like_a_person(story: pages_story.Story) -> None:
    """Its links and picture, its year, its newest landings; its admins change them, and nobody else."""
    update_organization_profile(story.actor, "acme", website="acme.example.org", links=["codeberg.org/acme"])
    source = _page(Client(), "/acme")
    assert "https://codeberg.org/acme" in source
    assert "Say how long a key lives" in source
    assert 'href="/@maintainer"' in source
    _, stranger = _stranger()
    with pytest.raises(MicError):
        update_organization_profile(stranger, "acme", website="evil.example.org")


def test_a_picture_of_a_name_is_the_same_for_ever() -> None:
    """Drawn from the name alone, whether somebody has it or not; another name has another."""
    assert figure_of("ada") == figure_of("ADA") != figure_of("bob")
    assert whole_svg("ada").encode().count(b"<script") == 0
    answer = Client().get("/-/pictures/of/nobody-at-all.svg")
    assert answer.status_code == 200
    assert len(answer.content) < 1500
    assert Client().get("/-/pictures/of/%3Cscript%3E.svg").status_code == 400


def test_what_somebody_said_goes_with_the_account(story: pages_story.Story) -> None:
    """Removing an account removes its profile and its picture."""
    admin = create_user(OPERATOR, "root1", is_admin=True)
    update_profile(story.actor, bio="Here")
    set_picture(story.actor, _photo(64, 64, "PNG"))
    Membership.objects.filter(user=story.user).delete()
    remove(actor_of(admin, "web"), story.user.id)
    assert not Profile.objects.exists()
    assert not Picture.objects.exists()


def test_queries_do_not_grow(story: pages_story.Story) -> None:
    """A page of somebody busy asks as often as one of somebody quiet, and at most twelve times."""
    counts = []
    for _ in range(2):
        for address in ("/@maintainer", "/acme"):
            answer = Client().get(address)
            counts.append(int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"')))
        _land(story.project, story.user, 30, "More")
    assert counts[:2] == counts[2:]
    assert max(counts) <= 12
