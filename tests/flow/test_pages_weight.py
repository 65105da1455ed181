"""No content makes a page heavy, slow in queries or broken: a crawl of a project where all is too much."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable
from urllib.parse import urljoin, urlsplit

import pytest
from django.http import HttpResponse
from django.test import Client

import nasty_story
from html_check import Document, malformed
from micelio.pages.stylesheet import stylesheet
from micelio.search import indexer
from signed_in import sign_in

pytestmark = [pytest.mark.django_db, pytest.mark.timeout(240)]

# HTML and stylesheet of a page, compressed, in bytes: the lightest forge on record needs 30 KiB.
PAGE_BUDGET = 30 * 1024
# All of a difference on one page.
WHOLE_BUDGET = 400 * 1024
# SQL statements of a page, the same however many rows it shows.
QUERY_BUDGET = 12
# Of links that differ in one step only (five thousand files, say) this many are followed, evenly chosen.
MOST_ALIKE = 4

STYLE = len(gzip.compress(stylesheet()[1], 6))


def _crawled(page: Document, address: str) -> set[str]:
    """Pages that a page links to, without its machine twins, raw bytes and the way out."""
    found = set()
    for link in page.all("a"):
        whole = urljoin(address, link.attributes.get("href", "")).partition("#")[0]
        parts = urlsplit(whole)
        if (
            not parts.netloc
            and "/-/raw/" not in whole
            and "/-/archive/" not in whole
            and "/-/card/" not in whole
            and "format=" not in parts.query
            and "lines=all" not in parts.query
            and not whole.startswith("/-/")
        ):
            found.add(whole)
    return found


def _some(addresses: Iterable[str]) -> list[str]:
    """A few of each kind of address."""
    kinds = defaultdict(list)
    for address in sorted(addresses):
        path, _, query = address.partition("?")
        kinds[path.rpartition("/")[0] + "?" + query.partition("=")[0]].append(address)
    return [
        kind[(len(kind) - 1) * n // MOST_ALIKE] for kind in kinds.values() for n in range(min(MOST_ALIKE, len(kind)))
    ]


def _queries(answer: HttpResponse) -> int:
    return int(answer.headers["Server-Timing"].rpartition('desc="')[2].rstrip('"'))


def _visit(client: Client, address: str) -> Document:
    scope = {"asgi.scope": {"raw_path": address.partition("?")[0].encode()}}
    answer = client.get(address, **scope)
    assert answer.status_code == 200, (address, answer.content[:2000])
    if _queries(answer) > QUERY_BUDGET:
        # The first read of a private project on a day is recorded, which costs five more; and that no finding waits
        # is remembered.
        answer = client.get(address, **scope)
    source = answer.content.decode()
    weight = len(gzip.compress(answer.content, 6)) + STYLE
    queries = _queries(answer)
    assert weight <= (WHOLE_BUDGET if "lines=all" in address else PAGE_BUDGET), (address, weight)
    assert queries <= QUERY_BUDGET, (address, queries)
    assert malformed(source) == [], address
    page = Document(source)
    assert len(page.all("h1")) == 1, address
    ids = {element.attributes["id"] for element in page.elements if "id" in element.attributes}
    inside = {a.attributes["href"][1:] for a in page.all("a") if a.attributes.get("href", "").startswith("#")}
    assert inside <= ids, (address, inside - ids)
    return page


def test_no_content_makes_a_page_heavy(db: None) -> None:
    """Every page of the nasty project, and what they link to, is whole and within its budgets."""
    story = nasty_story.tell()
    indexer.follow(story.project.id)
    client = Client()
    sign_in(client, story.user)
    root = "/heavy/nasty"
    starts = [
        "/",
        "/heavy",
        root,
        f"{root}/-/landings",
        f"{root}/-/sessions",
        f"{root}/-/tree/head",
        f"{root}/-/tree/head/wide",
        f"{root}/-/tree/@1/crowd/07",
        f"{root}/-/tree/head/%FF%FE%20odd",
        *(f"{root}/-/landings/{n}" for n in (1, 2, 3, 4, 5, story.rich)),
        f"{root}/-/landings/2/changes/1",
        f"{root}/-/landings?agent=nobody&path=lines.py",
        f"{root}/-/compare/@1...head",
        f"{root}/-/compare/@0...@2",
        f"{root}/-/compare/@2...@3/changes/1",
        f"{root}/-/contributors",
        f"{root}/-/badges",
        "/-/search?q=value_",
        "/-/search?q=value_&type=code",
        "/-/search?q=repo:heavy/nasty&type=decisions",
        "/-/search?q=repo:heavy/nasty&type=sessions",
        *(f"{root}/-/landings/{story.rich}?{part}" for part in ("decisions=8", "conversation=6", "changes=2")),
        f"{root}/-/file/head/lines.py?from=14990",
        f"{root}/-/file/@2/README.md?view=source",
        *(
            f"{root}/-/file/@2/{name}"
            for name in (
                "README.md",
                "lines.py",
                "small.py",
                "min.js",
                "min2.js",
                "narrow.txt",
                "%FF%FE%20odd/%E9%20name",
            )
        ),
        *(f"{root}/-/file/@2/docs/{name}" for name in ("fenced.md", "one-line.md")),
        f"{root}/-/file/@2/{'/'.join(['deep' * 8] * 60)}/file.txt",
    ]
    seen, links = set(starts), set()
    for address in starts:
        links |= set(_some(_crawled(_visit(client, address), address)))
    for address in sorted(links - seen):
        _visit(client, address)
    assert len(links - seen) > 100


def test_all_of_a_difference_is_bounded_too(db: None) -> None:
    """Whatever landed: what is asked for at once has its own budget, and says where it goes on."""
    story = nasty_story.tell()
    client = Client()
    sign_in(client, story.user)
    for landing in (1, 2, 3):
        _visit(client, f"/heavy/nasty/-/landings/{landing}?lines=all")


def _walk(client: Client, address: str) -> list[Document]:
    """A page and all that follow it."""
    pages = [_visit(client, address)]
    while following := [a for a in pages[-1].all("a") if a.attributes.get("rel") == "next"]:
        (link,) = following
        address = urljoin(address, link.attributes["href"])
        pages.append(_visit(client, address))
    return pages


def _ids(pages: list[Document], letter: str, tag: str) -> list[int]:
    names = [e.attributes["id"] for page in pages for e in page.all(tag) if "id" in e.attributes]
    return [int(name[1:]) for name in names if name[0] == letter and name[1:].isdigit()]


def test_pages_reach_everything_once(db: None) -> None:
    """Page by page, each decision, message, file, name, landing and line is met once, in order."""
    story = nasty_story.tell()
    client = Client()
    root = "/heavy/nasty"
    rich = f"{root}/-/landings/{story.rich}"
    assert _ids(_walk(client, f"{rich}?decisions=1"), "d", "article") == list(range(1, 61))
    assert _ids(_walk(client, f"{rich}?conversation=1"), "m", "section") == list(range(1, 401))
    assert _ids(_walk(client, f"{root}/-/file/head/lines.py?from=1"), "L", "span") == list(range(1, 30_001))
    whole = _walk(client, f"{root}/-/tree/head/wide")
    names = [a.attributes["href"] for page in whole for a in page.all("a") if "/head/wide/" in a.attributes["href"]]
    assert len(names) == len(set(names)) == 3000
    files = [
        a.attributes["href"].rpartition("/")[2]
        for page in _walk(client, f"{root}/-/landings/4?changes=1")
        for a in page.all("a")
        if "/changes/" in a.attributes.get("href", "") or "/crowd/" in a.attributes.get("href", "")
    ]
    assert len(set(files)) == 5000
    rows = [a.attributes["href"] for page in _walk(client, f"{root}/-/landings") for a in page.all("a")]
    landed = [row.rpartition("/")[2] for row in rows if row.startswith(f"{root}/-/landings/")]
    assert list(dict.fromkeys(landed)) == [str(n) for n in range(story.rich, 0, -1)]
