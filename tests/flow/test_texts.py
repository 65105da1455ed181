"""The docs, the changelog and the blog: every page there, every link leads somewhere, what is broken is named."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

import click
import pytest
from django.test import Client

from html_check import Document, dangers
from micelio import config
from micelio.texts import folders
from micelio.texts.blog import blog
from micelio.texts.changelog import read_changelog
from micelio.texts.handbook import handbook

pytestmark = pytest.mark.django_db
ROOT = Path(__file__).parents[2]
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A folder of posts of whoever runs the forge."""
    before = config.current()
    config.install(replace(before, blog_dir=tmp_path))
    yield tmp_path
    config.install(before)


def _page(address: str) -> str:
    answer = Client().get(address)
    assert answer.status_code == 200, (address, answer.content[:300])
    return answer.content.decode()


def test_every_page_of_the_docs_is_there_and_every_link_in_them_leads_somewhere() -> None:
    """All files of docs/, the same set that lies in the repository; links to pages, headings, pictures."""
    files = {path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")}
    assert {sheet.path for sheet in handbook().sheets()} == files
    places: dict[str, set[str]] = {}
    links: list[tuple[str, str]] = []
    for sheet in handbook().sheets():
        page = Document(_page(sheet.address))
        places[sheet.address] = {element.attributes["id"] for element in page.elements if "id" in element.attributes}
        links += [(sheet.address, a.attributes.get("href", "-")) for a in page.all("a")]
        links += [(sheet.address, img.attributes.get("src", "-")) for img in page.all("img")]
        assert len(page.all("h1")) == 1
    asked: set[str] = set()
    broken = []
    for source, link in links:
        parts = urlsplit(link)
        if parts.scheme or parts.netloc or parts.path.startswith("/-/"):
            continue
        address = parts.path or source
        if address not in places and address not in asked:
            asked.add(address)
            if Client().get(address).status_code != 200:
                broken.append((source, link))
        if parts.fragment and address in places and unquote(parts.fragment) not in places[address]:
            broken.append((source, link))
    assert broken == []


def test_a_page_of_the_docs_has_its_contents_its_neighbours_and_coloured_code() -> None:
    """And says where it is itself."""
    html = _page("/docs/users/sessions")
    page = Document(html)
    current = [a.attributes["href"] for a in page.all("a") if a.attributes.get("aria-current") == "page"]
    assert current == ["/docs/users/sessions"]
    neighbours = {a.attributes.get("rel"): a.attributes["href"] for a in page.all("a") if "rel" in a.attributes}
    assert (neighbours["prev"], neighbours["next"]) == ("/docs/users/organizations", "/docs/users/refs")
    assert '<link rel="canonical" href="http://' in html
    assert '<b class="' in _page("/docs/agents")
    assert dangers(html.partition("<article>")[2].partition("<aside>")[0]) == []


def test_the_twin_of_a_page_is_its_source() -> None:
    """By its name with .md, by ?format=md, and inside the JSON."""
    source = (ROOT / "docs/users/sessions.md").read_text("utf-8")
    for address in ("/docs/users/sessions.md", "/docs/users/sessions?format=md"):
        answer = Client().get(address)
        assert answer["Content-Type"] == "text/markdown; charset=utf-8"
        assert answer.content.decode() == source
    assert Client().get("/docs/users/sessions?format=json").json()["markdown"] == source
    assert Client().get("/docs/agents/index.md").content == (ROOT / "docs/agents/index.md").read_bytes()
    assert Client().get("/docs/assets/session.png")["Content-Type"] == "image/png"


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("/docs/users/session", "/docs/users/sessions"),
        ("/docs/nothing-like-it", "/docs"),
        ("/docs/users/nothing.md", "/docs"),
        ("/docs/../pyproject.toml", "/docs"),
        ("/docs/%2e%2e/mkdocs.yml", "/docs"),
        ("/docs/assets/../../secret.png", "/docs"),
        ("/blog/nothing", "/blog"),
        ("/blog/pictures/nothing.png", "/blog"),
        ("/blog/pictures/..%2f..%2fx.png", "start"),
    ],
)
def test_a_page_that_is_not_there_says_where_to_look(address: str, says: str) -> None:
    """A 404 in words, whatever the address; nothing outside of the folders is opened."""
    answer = Client().get(address)
    assert answer.status_code == 404
    assert says in answer.content.decode()


def test_the_changelog_has_every_fragment_once() -> None:
    """As the repository has them, by kind."""
    fragments = {path.name for path in (ROOT / "changelog.d").glob("*.*.md")}
    data = Client().get("/changelog?format=json").json()["releases"]
    names = [f"{each['name'].partition('-')[2]}.{each['kind']}.md" for each in data[0]["changes"]]
    assert sorted(names) == sorted(fragments)
    page = Document(_page("/changelog"))
    assert len([li for li in page.all("li") if "id" in li.attributes]) == len(fragments)
    assert dangers(page.source.partition("<h1>")[2].partition("</main>")[0]) == []
    entries = list(ElementTree.fromstring(_page("/changelog.atom")).iter(f"{ATOM}entry"))
    assert len({entry.findtext(f"{ATOM}id") for entry in entries}) == len(entries) == 30


def test_a_gathered_changelog_is_read_by_its_headings(tmp_path: Path) -> None:
    """Earlier versions come from CHANGELOG.md, each with its date."""
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d/README.md").write_text("not one")
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 0.2.0 - 2026-10-01\n\n### Added\n\n- Stars\n\n## 0.1.0 (2026-09-01)\n\nThe first.\n"
    )
    found = read_changelog(tmp_path)
    assert [(each.version, each.at.date().isoformat(), each.text) for each in found] == [
        ("0.2.0", "2026-10-01", "### Added\n\n- Stars"),
        ("0.1.0", "2026-09-01", "The first."),
    ]


def test_the_blog_is_of_this_version_and_of_the_host(own: Path) -> None:
    """Newest first; pictures beside the posts; what is added is there with the next request."""
    assert _page("/blog").count("<li>") == 1
    (own / "2027-01-02-new-year.md").write_text(
        "---\ntitle: New <year>\ndate: 2027-01-02\nauthor: Ada\n---\n# Hi\n\n![x](a.png)\n"
    )
    (own / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    (own / "a.svg").write_text("<svg onload=alert(1)>")
    page = _page("/blog")
    assert "New &lt;year&gt;" in page
    assert page.index("/blog/new-year") < page.index("/blog/a-forge-that-keeps-the-why")
    assert 'src="/blog/pictures/a.png"' in _page("/blog/new-year")
    assert Client().get("/blog/pictures/a.png")["Content-Type"] == "image/png"
    assert Client().get("/blog/pictures/a.svg").status_code == 404
    first = next(ElementTree.fromstring(_page("/blog.atom")).iter(f"{ATOM}entry"))
    assert (first.findtext(f"{ATOM}title"), first.findtext(f"{ATOM}updated")) == ("New <year>", "2027-01-02T00:00:00Z")


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("a.md", "no front matter", "it does not begin with lines `title:` and `date:`"),
        ("a.md", "---\ntitle: A\n---\n", "it says no `date:`"),
        ("a.md", "---\ndate: 2026-01-01\n---\n", "it says no `title:`"),
        ("a.md", "---\ntitle: A\ndate: yesterday\n---\n", "its date `yesterday` is none"),
        ("a.md", "---\ntitle: A\ndate: 2026-01-01\nlayout: x\n---\n", "`layout: x` is none of"),
        ("a.md", "---\ntitle: A\ntitle: B\ndate: 2026-01-01\n---\n", "it says `title:` twice"),
        ("Ü b.md", "---\ntitle: A\ndate: 2026-01-01\n---\n", "its name is to be small letters"),
        ("a.md", b"---\ntitle: \xff\n---\n", "it is not UTF-8"),
        ("a.md", "x" * 600_000, "it is longer than 524,288 bytes"),
        (
            "2020-01-01-a-forge-that-keeps-the-why.md",
            "---\ntitle: A\ndate: 2026-01-01\n---\n",
            "another post is called",
        ),
    ],
)
def test_what_is_no_post_is_named_and_skipped(own: Path, name: str, text: str | bytes, why: str) -> None:
    """The others are there."""
    (own / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    found = blog()
    assert len(found.posts) == 1
    assert len(found.skipped) == 1
    assert found.skipped[0].startswith(f"{own / name} is not shown in the blog: ")
    assert why in found.skipped[0]
    assert _page("/blog").count("<li>") == 1


def test_a_folder_that_cannot_be_read_is_said(own: Path) -> None:
    """503 with who can mend it, not an empty blog. A file stands in its place, which root cannot list either."""
    shutil.rmtree(own)
    own.write_text("no folder")
    answer = Client().get("/blog")
    assert answer.status_code == 503
    assert "MICELIO_BLOG_DIR" in answer.content.decode()


def test_the_one_box_finds_the_docs() -> None:
    """Among everything, and alone, page by page; not when something else is asked for."""
    found = Client().get("/-/search?q=front+matter&format=json").json()["results"]["docs"]
    assert found == [] or all("address" in each for each in found)
    alone = Client().get('/-/search?q="the+device"&type=docs&format=json').json()["results"]["docs"]
    assert any(each["address"].startswith("/docs/agents") for each in alone)
    first = Client().get("/-/search?q=the&type=docs&format=json").json()
    later = Client().get(f"/-/search?q=the&type=docs&after={first['next_after']}&format=json").json()
    assert len(first["results"]["docs"]) == len(later["results"]["docs"]) == 20
    assert not {str(each) for each in first["results"]["docs"]} & {str(each) for each in later["results"]["docs"]}
    assert Client().get("/-/search?q=session+lang:python&format=json").json()["results"]["docs"] == []
    page = _page("/-/search?q=land&type=docs")
    assert 'href="/docs/' in page


def test_the_map_has_the_texts() -> None:
    """So that they are found elsewhere too."""
    body = _page("/sitemap.xml")
    for address in ("/docs", "/docs/users/sessions", "/changelog", "/blog", "/blog/a-forge-that-keeps-the-why"):
        assert f"{address}</loc>" in body


def test_every_command_that_skill_md_names_is_there() -> None:
    """And every command that is there is named; the links lead to pages."""
    from mic.cli.terminal.app import root as main

    text = _page("/skill.md")
    named = [line.split("`")[1] for line in text.splitlines() if line.startswith("- `mic ")]
    named += re.findall(r"^\$ (mic .*)", text, re.MULTILINE) + re.findall(r"`(mic [a-z][^`]*)`", text)
    assert len(named) > 100
    tops = set()
    for command in named:
        found: click.Command = main
        context = click.Context(main)
        for word in re.split(r"\s+", command)[1:]:
            if not isinstance(found, click.Group):
                break
            following = found.get_command(context, word)
            if following is None and word.isupper():  # stands for a name
                break
            assert following is not None, command
            found = following
        tops.add(command.split()[1])
    assert set(main.list_commands(click.Context(main))) <= tops
    for link in re.findall(r"\]\((http[^)#]+)", text):
        path = urlsplit(link).path
        assert Client().get(path).status_code == 200, path
    assert "]( " not in text
    assert re.search(r"\]\((?!http)", text) is None


def test_an_installed_wheel_has_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the wheel is told to bring along is what is read, where it is read."""
    import tomllib

    told = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"][
        "force-include"
    ]
    for source, target in told.items():
        place = tmp_path / Path(target).relative_to("micelio/texts/packaged")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(ROOT / source)
    monkeypatch.setattr(folders, "_PACKAGED", tmp_path)
    assert folders.folder() == tmp_path
    handbook.cache_clear()
    try:
        assert sum(1 for _ in handbook().sheets()) > 80
        assert len(blog().posts) == 1
        assert read_changelog(folders.folder())
    finally:
        handbook.cache_clear()


def test_the_first_page_of_the_docs_does_not_age() -> None:
    """It says what is absent by the list of that, and names no version: this one is not the first."""
    said = (ROOT / "docs/index.md").read_text()
    assert "first version" not in said
    assert re.search(r"\b\d+\.\d+\b", said) is None
    assert "(architecture.md#not-yet)" in said
