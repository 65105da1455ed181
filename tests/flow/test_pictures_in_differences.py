"""Pictures before and after in the difference of a landing; what is binary says its sizes; renames are told as such."""

from __future__ import annotations

import io
import time

import pytest
from django.test import Client
from PIL import Image

import pages_story
from html_check import Document, without_keys
from mic.core.blob import encode_blob
from mic.core.ids import content_hash, new_ulid
from mic.core.session import Change, Op, Session
from micelio.sessions.actions import land

pytestmark = pytest.mark.django_db
BIN = (bytes(range(256)), bytes(range(256)) * 9)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script><rect width="9" height="9"/></svg>\n'
HOSTILE = b'docs/"><img src=x onerror=alert(1)>.png'
TEXT = b"".join(b"line %d\n" % n for n in range(40))


def png(color: str, size: tuple[int, int]) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, color).save(file, "PNG")
    return file.getvalue()


FLOW = (png("red", (320, 200)), png("blue", (400, 240)))


class Landing:
    """Lands files as one session after another; None takes one away."""

    def __init__(self, story: pages_story.Story) -> None:
        self.story, self.files, self.number = story, dict[bytes, bytes](), 0

    def land(self, base: int, files: dict[bytes, bytes | None], copied: dict[bytes, bytes] | None = None) -> int:
        self.number += 1
        changes, contents = [], {}
        for path, data in files.items():
            old = self.files.pop(path, None)
            was = (content_hash(old), 0o100644) if old is not None else (b"", 0)
            if data is None:
                changes.append(Change(path, int(Op.DELETED), 0, b"", 0, *was))
                continue
            contents[content_hash(data)] = encode_blob(data)
            op = Op.ADDED if old is None else Op.MODIFIED
            source = (copied or {}).get(path, b"")
            new = (path, int(op), 0o100644, content_hash(data), len(data))
            changes.append(Change(*new, *was, copied_from=source))
            self.files[path] = data
        own = new_ulid(time.time_ns() // 1_000_000, bytes([self.number]) * 10)
        session = Session(id=own, goal=f"Number {self.number}", base_position=base, changes=tuple(changes))
        return land(self.story.actor, self.story.project, session, contents).position


@pytest.fixture
def landed(db: None) -> Landing:
    """Landing 5 brings the files of these tests, and each test goes on from there."""
    made = Landing(pages_story.tell())
    first = {b"docs/flow.png": FLOW[0], b"data.bin": BIN[0], b"a.svg": SVG, b"long.txt": TEXT, HOSTILE: FLOW[0]}
    assert made.land(4, dict(first)) == 5
    return made


def _page(position: int, rest: str = "") -> tuple[Document, str]:
    source = Client().get(f"/acme/api/-/landings/{position}{rest}").content.decode()
    return Document(source), source


def test_a_picture_before_and_after(landed: Landing) -> None:
    """Beside each other, each by its position, with its size in pixels and bytes; the bytes are what was there."""
    assert landed.land(5, {b"docs/flow.png": FLOW[1]}) == 6
    for rest in ("", "/changes/1"):
        page, source = _page(6, rest)
        pictures = [img.attributes for img in page.all("img") if "/-/raw/" in (img.attributes.get("src") or "")]
        assert [(each["src"], each["width"], each["height"], each["alt"]) for each in pictures] == [
            ("/acme/api/-/raw/@5/docs/flow.png", "320", "200", "docs/flow.png: before"),
            ("/acme/api/-/raw/@6/docs/flow.png", "400", "240", "docs/flow.png: after"),
        ]
        captions = [each.text for each in page.all("figcaption")]
        assert captions == [
            f"before · 320 × 200 px · {len(FLOW[0])} bytes",
            f"after · 400 × 240 px · {len(FLOW[1])} bytes",
        ]
        assert "Binary content" not in source
    for position, data in zip((5, 6), FLOW, strict=True):
        answer = Client().get(f"/acme/api/-/raw/@{position}/docs/flow.png")
        assert (answer.content, answer.headers["Content-Type"]) == (data, "image/png")
        assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_new_one_stands_alone_and_an_svg_above_its_lines(landed: Landing) -> None:
    """No word beside what has nothing beside it. Names and contents stay text."""
    page, source = _page(5)
    captions = [each.text for each in page.all("figcaption")]
    assert f"320 × 200 px · {len(FLOW[0])} bytes" in captions
    assert f"{len(SVG)} bytes" in captions
    assert "alert(1)" in source
    assert "<script" not in without_keys(source)
    assert [img.attributes for img in page.all("img") if "onerror" in img.attributes] == []
    assert "Binary content: 256 bytes." in source


def test_what_is_binary_says_both_sizes(landed: Landing) -> None:
    """And a picture that became something else is shown alone."""
    landed.land(5, {b"data.bin": BIN[1], b"docs/flow.png": BIN[0]})
    page, source = _page(6)
    assert "Binary content: 256 bytes before, 2.2 KiB after." in source
    assert [each.text for each in page.all("figcaption")] == [f"320 × 200 px · {len(FLOW[0])} bytes"]


def test_renames(landed: Landing) -> None:
    """As they were, with a changed line, and copied: each says from where, and only what differs is counted."""
    changed = TEXT.replace(b"line 7\n", b"line seven\n")
    files = {b"docs/flow.png": None, b"docs/flows/new.png": FLOW[0], b"long.txt": None, b"longer.txt": changed}
    landed.land(5, {**files, b"b.bin": BIN[0]}, {b"longer.txt": b"long.txt", b"b.bin": b"data.bin"})
    _, source = _page(6)
    for words in (
        "renamed from docs/flow.png", "renamed from long.txt", "copied from data.bin", "The content is the same.",
        "It is docs/flows/new.png now.", "It is longer.txt now.", "line seven",
    ):  # fmt: skip
        assert words in source, words
    assert "line 39" not in source
    assert '<span class="plus">+1</span>' in source
    assert '<span class="minus">−1</span>' in source
    assert "renamed from long.txt" in _page(6, "/changes/5")[1]
    changes = Client().get("/acme/api/-/landings/6?format=json").json()["changes"]
    assert [
        (each["path"], (each["source"] or {}).get("path"), (each["source"] or {}).get("renamed")) for each in changes
    ] == [
        ("b.bin", "data.bin", False),
        ("docs/flow.png", None, None),
        ("docs/flows/new.png", "docs/flow.png", True),
        ("long.txt", None, None),
        ("longer.txt", "long.txt", True),
    ]
    text = Client().get("/acme/api/-/landings/6?format=md").content.decode()
    assert "- docs/flows/new.png (renamed from docs/flow.png)" in text
    assert "- longer.txt (+1 −1, renamed from long.txt)" in text


def test_comparing_two_points(landed: Landing) -> None:
    """The same between any two landings; what moved with its content is found there too."""
    landed.land(5, {b"docs/flow.png": FLOW[1], b"a.svg": None, b"b.svg": SVG})
    source = Client().get("/acme/api/-/compare/@5...@6").content.decode()
    assert "/acme/api/-/raw/@5/docs/flow.png" in source
    assert "/acme/api/-/raw/@6/docs/flow.png" in source
    assert "renamed from a.svg" in source


def test_in_the_readers_language(landed: Landing) -> None:
    """Words and numbers."""
    landed.land(5, {b"docs/flow.png": FLOW[1], b"data.bin": None, b"other.bin": BIN[0]})
    german = {"Accept-Language": "de", "Accept": "text/html"}
    source = Client().get("/acme/api/-/landings/6", headers=german).content.decode()
    assert "vorher · 320 × 200 px" in source
    assert "umbenannt, vorher data.bin" in source
