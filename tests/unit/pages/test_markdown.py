import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from html_check import CORPUS, Document, dangers
from micelio.pages.addresses import HEAD, Ref, Site
from micelio.pages.markdown import Place, plain, render_document, render_message

PLACE = Place(Site("acme", "api"), HEAD, b"docs")


@pytest.mark.parametrize("hostile", CORPUS)
def test_nothing_in_a_text_runs(hostile: str) -> None:
    """No text, on any way through here, leaves something that runs, loads from elsewhere or restyles the page."""
    for html in (render_document(hostile, PLACE), render_message(hostile), plain(hostile)):
        assert dangers(html) == []


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from([*CORPUS, "> ", "* ", "\n\n", "# ", "`", "<div>", "</div>", "[a](", ")"]), max_size=8))
def test_nothing_runs_when_nested(parts: list[str]) -> None:
    """Nor does any combination of them."""
    text = "".join(parts)
    assert dangers(render_document(text, PLACE)) == []
    assert dangers(render_message(text)) == []


@pytest.mark.parametrize(
    ("link", "address"),
    [
        ("keys.md", "/acme/api/-/file/head/docs/keys.md"),
        ("./a%20b.md#part", "/acme/api/-/file/head/docs/a%20b.md#text-part"),
        ("../src/x.py#L10", "/acme/api/-/file/head/src/x.py#L10"),
        ("/LICENSE", "/acme/api/-/file/head/LICENSE"),
        ("more/", "/acme/api/-/tree/head/docs/more"),
        ("..", "/acme/api"),
        ("#start", "#text-start"),
        ("https://example.org/x?y=1", "https://example.org/x?y=1"),
        ("mailto:a@example.org", "mailto:a@example.org"),
        ("../../out", None),
        ("/../out", None),
        ("//evil.example/x", None),
        ("ftp://example.org", None),
    ],
)
def test_links(link: str, address: str | None) -> None:
    """Relative links lead to files of the project at the same point; none leads out of the tree."""
    (anchor,) = Document(render_document(f"[x]({link})", PLACE)).all("a")
    assert anchor.attributes.get("href") == address
    assert anchor.attributes["rel"] == "nofollow ugc noopener"


def test_links_keep_the_point() -> None:
    """A README of an older tree links to files of that tree."""
    html = render_document("[x](y.md)", Place(Site("acme", "api"), Ref(7), b""))
    assert 'href="/acme/api/-/file/@7/y.md"' in html


def test_pictures_come_from_the_project_or_not_at_all() -> None:
    """A relative picture is served raw; one from elsewhere keeps its words only."""
    assert 'src="/acme/api/-/raw/head/docs/mark.png"' in render_document("![the mark](mark.png)", PLACE)
    (away,) = Document(render_document("![the mark](https://example.org/mark.png)", PLACE)).all("img")
    assert away.attributes == {"alt": "the mark"}


def test_headings_fit_the_page() -> None:
    """Headings start under the page's own, skip no level, and have ids that cannot clash with the page's."""
    html = render_document("# main\n\n### Deep\n\n## main\n\n<h1 align=center>raw</h1>\n", PLACE)
    found = [(h.tag, h.attributes.get("id")) for h in Document(html).all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert found == [("h3", "text-main"), ("h4", "text-deep"), ("h4", "text-main-1"), ("h3", None)]


def test_raw_html_is_text_in_a_message() -> None:
    """A conversation may talk about HTML without becoming it."""
    assert "&lt;b&gt;" in render_message("use <b> here")


def test_bidi_characters_are_visible() -> None:
    """Also when they are written as entities or hidden in code."""
    for text in ("a\u202eb", "a&#x202e;b", "`a\u202eb`", "```\na\u202eb\n```"):
        assert "[U+202E]" in render_document(text, PLACE)
        assert "\u202e" not in render_document(text, PLACE)


def test_tables_and_code() -> None:
    """What READMEs are made of comes out as what it is; long code can be scrolled by keyboard."""
    html = render_document("| a | b |\n|---|---|\n| 1 | 2 |\n\n```python\nx = 1\n```\n", PLACE)
    assert "<td>1</td>" in html
    assert '<pre tabindex="0"><code>x = <b class="m">1</b>\n</code></pre>' in html
    assert '<pre tabindex="0"><code>x = 1\n</code></pre>' in render_document("```nobodys\nx = 1\n```\n", PLACE)
