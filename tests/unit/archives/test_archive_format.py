"""The form of an archive, as docs/formats.md shows it; what is refused; which address is which forge's."""

from __future__ import annotations

import re
from pathlib import Path
from uuid import uuid4

import pytest

from mic.core.blob import compress
from mic.core.errors import Corrupt, InvalidInput, PreconditionFailed, TooLarge
from mic.store import MemoryStore
from micelio.archives import manifest as manifests
from micelio.archives import records
from micelio.archives.asking import checked_token
from micelio.archives.clean import clean
from micelio.archives.kept import MAX_INFLATED, KeptArchive
from micelio.archives.manifest import Manifest, Part, Pending
from micelio.archives.reader import Step
from micelio.archives.records import Author, Comment, Header, Issue, Label, ReviewComment
from micelio.archives.source import Provider, parse_source

DOCUMENT = (Path(__file__).parents[3] / "docs" / "formats.md").read_text()
LINES = re.search(r"^```jsonl archive\n(.*?)^```$", DOCUMENT, re.M | re.S)[1].encode().splitlines(keepends=True)
HEAD = re.search(r"^```json archive-head\n(.*?)\n^```$", DOCUMENT, re.M | re.S)[1].encode()
RECORDS = [
    Label(id="21", name="bug", color="d73a4a"),
    Issue(
        id="101", url="https://github.com/acme/tool/issues/1", redacted=1, author=Author("11", "ada"),
        body="My token is [redacted: github-token]", created_at=1_767_312_000_000, updated_at=1_767_312_000_000,
        number=1, title="It breaks", state="open", labels=("bug",),
    ),
    ReviewComment(
        id="501", author=Author("12", "bob"), body="Why?", created_at=1_767_312_000_000, number=2, review="401",
        path="src/a.py", side="new", line=7, commit="b" * 40,
    ),
]  # fmt: skip
MANIFEST = Manifest(
    1, "github", "https://github.com/acme/tool", 1_793_491_200_000, "2026-10-31T23:58:00Z",
    (Part("a" * 64, 210, 3, 1),), counts={"issue": 1},
)  # fmt: skip


def test_the_lines_of_the_document() -> None:
    """Are what the writer makes, and what the reader takes."""
    assert records.header(LINES[0]) == Header(1, "github", "https://github.com/acme/tool", 1_793_491_200_000)
    assert list(records.records(b"".join(LINES[1:]), "x")) == RECORDS
    assert [records.line(record) for record in RECORDS] == LINES[1:]
    assert records.line(records.header(LINES[0])) == LINES[0]


def test_the_head_of_the_document() -> None:
    """Is what the writer makes, and what the reader takes."""
    assert manifests.decode(HEAD, "head") == MANIFEST
    assert manifests.encode(MANIFEST) == HEAD


def test_unknown_fields_are_ignored() -> None:
    """A later writer may say more."""
    assert list(records.records(b'{"kind":"label","id":"1","later":[1]}\n', "x")) == [Label(id="1")]


@pytest.mark.parametrize(
    "line",
    [b'{"kind":"label"}', b'{"kind":"pony","id":"1"}', b"[]", b"{", b'{"kind":"issue","id":"1","number":"x"}', b"\xff",
     b"[" * 50_000],
)  # fmt: skip
def test_a_line_that_is_no_record(line: bytes) -> None:
    """Is damage, named with its place."""
    with pytest.raises(Corrupt, match="parts/x: line 2"):
        list(records.records(b'{"kind":"label","id":"1"}\n' + line, "parts/x"))


def test_a_line_that_is_too_long() -> None:
    """Is damage before it is parsed."""
    with pytest.raises(Corrupt, match="line 1 has"):
        list(records.records(b'{"kind":"label","id":"' + b"1" * records.MAX_LINE + b'"}', "x"))


@pytest.mark.parametrize(
    "head", [b"", b"[]", b'{"version":2,"provider":"","source":""}', b'{"version":1}', b"{" * 9999]
)
def test_a_head_that_is_none(head: bytes) -> None:
    """Is damage, named."""
    with pytest.raises(Corrupt, match="archive/head"):
        manifests.decode(head, "archive/head")


def test_a_later_version_is_not_guessed_at() -> None:
    """Of the header neither."""
    with pytest.raises(Corrupt, match="version 2"):
        records.header(LINES[0].replace(b'"version":1', b'"version":2'))


def test_a_head_with_too_many_steps() -> None:
    """Could not be swapped."""
    steps = (Step("issues", "https://x/"),) * (manifests.MAX_STEPS + 1)
    with pytest.raises(TooLarge):
        manifests.encode(Manifest(1, "github", "x", pending=Pending(steps=steps)))


def test_a_damaged_part_is_named() -> None:
    """Other bytes than its name says, and a frame that would inflate to more than a part holds."""
    store, project = MemoryStore(), uuid4()
    kept = KeptArchive(project, store)
    part = kept.add(RECORDS)
    key = f"projects/{project.hex}/archive/parts/{part.name}.jsonl.zst"
    whole = Manifest(1, "github", "x", parts=(part,))
    assert list(kept.records(whole)) == RECORDS
    store.put(key, b"other")
    with pytest.raises(Corrupt, match=part.name):
        list(kept.records(whole))
    from hashlib import sha256

    large = compress(bytes(MAX_INFLATED + 1))
    name = sha256(large).hexdigest()
    store.put(f"projects/{project.hex}/archive/parts/{name}.jsonl.zst", large)
    with pytest.raises(Corrupt, match="at most"):
        list(kept.records(Manifest(1, "github", "x", parts=(Part(name, 1, 1, 1),))))


def test_a_list_that_somebody_else_has_swapped() -> None:
    """Is not overwritten."""
    kept = KeptArchive(uuid4(), MemoryStore())
    tag = kept.save(MANIFEST, "")
    assert kept.save(MANIFEST, "") == tag  # the answer to the first was lost
    kept.save(Manifest(1, "gitlab", "y"), tag)
    with pytest.raises(PreconditionFailed):
        kept.save(MANIFEST, tag)


def test_a_text_that_is_too_long_is_cut() -> None:
    """And says so."""
    found = clean([Comment(id="1", body="x" * (records.MAX_TEXT + 1))])
    assert [(len(item.body), item.cut) for item in found] == [(1 << 20, True)]


@pytest.mark.parametrize(
    ("url", "provider", "kind", "page", "api"),
    [
        ("https://github.com/acme/tool.git", "", Provider.GITHUB, "https://github.com/acme/tool",
         "https://api.github.com/repos/acme/tool"),
        ("https://git.corp.example/acme/tool/", "github", Provider.GITHUB, "https://git.corp.example/acme/tool",
         "https://git.corp.example/api/v3/repos/acme/tool"),
        ("https://gitlab.com/a/b/c", "", Provider.GITLAB, "https://gitlab.com/a/b/c",
         "https://gitlab.com/api/v4/projects/a%2Fb%2Fc"),
        ("https://codeberg.org/a/b", "", Provider.GITEA, "https://codeberg.org/a/b",
         "https://codeberg.org/api/v1/repos/a/b"),
        (" https://git.example:3000/a/b ", "Forgejo", Provider.GITEA, "https://git.example:3000/a/b",
         "https://git.example:3000/api/v1/repos/a/b"),
    ],
)  # fmt: skip
def test_an_address_and_its_api(url: str, provider: str, kind: Provider, page: str, api: str) -> None:
    """Of each kind of forge, as its documentation has it."""
    found = parse_source(url, provider)
    assert (found.provider, found.url, found.api) == (kind, page, api)


@pytest.mark.parametrize(
    ("url", "provider", "words"),
    [
        ("https://git.example/a/b", "", "not known what kind"),
        ("https://git.example/a/b", "svn", "no kind of forge"),
        ("https://github.com/a", "", "not the address"),
        ("https://github.com/a/b/c", "", "no repository of GitHub"),
        ("git@github.com:a/b", "", "not the address"),
        ("https://u:secret@github.com/a/b", "", "a name or a password"),
        ("https://github.com/a/..", "", "names no repository"),
        ("https://github.com/a/b?x=1", "", "not the address"),
        ("https://github.com:99999/a/b", "", "not the address"),
        ("https://github.com/" + "a" * 600, "", "not the address"),
        ("", "", "not the address"),
    ],
)
def test_an_address_that_is_none(url: str, provider: str, words: str) -> None:
    """Is refused in a sentence, which does not repeat a password."""
    with pytest.raises(InvalidInput, match=words) as caught:
        parse_source(url, provider)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize("token", ["a b", "a\r\nX-Other: 1", "é", "x" * 501])
def test_a_token_that_is_none(token: str) -> None:
    """Never ends up in a header, nor in the error."""
    with pytest.raises(InvalidInput) as caught:
        checked_token(token)
    assert token not in f"{caught.value.message} {caught.value.hint}"
