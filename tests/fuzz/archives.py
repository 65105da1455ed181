"""Readers of what other forges say: answers of their APIs, headers that lead on, and what is kept of it."""

from __future__ import annotations

import contextlib
import io
import json
import random
from typing import Any

import msgspec
import zstandard

from fuzz.mutate import mutate
from fuzz.parsers import Parser
from fuzz.run import Target, parsing
from mic.core import tarball
from mic.core.blob import compress
from mic.core.errors import MicError
from micelio.archives import given, manifest, records
from micelio.archives.asking import Asking, _seconds, http_time
from micelio.archives.clean import clean
from micelio.archives.fetch import _reader
from micelio.archives.kept import _inflated
from micelio.archives.manifest import Manifest, Part, Pending
from micelio.archives.reader import Step, next_page
from micelio.archives.source import Source, parse_source
from micelio.exports.archive_in import _Inflated
from micelio.exports.form import DescribedLine, Description, parse_description
from micelio.imports.fetch import parse_url
from other_forge_data import gitea, github, gitlab

_SOURCES = {
    "github": (parse_source("https://github.com/acme/tool"), github),
    "gitlab": (parse_source("https://gitlab.com/acme/tool"), gitlab),
    "gitea": (parse_source("https://codeberg.org/acme/tool"), gitea),
}
# Every list that a reader knows, under the names that its steps have.
_LISTS = (
    "repository", "labels", "milestones", "issues", "comments", "pulls", "reviews", "review comments", "notes",
    "merge requests", "discussions", "approvals",
)  # fmt: skip
_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1 << 63, 10**30, -(10**400), 1e308, "", "\x00", "\ud800", "a" * 70_000, [], {}, [[]],
    [None, 1, "x"], {"": {"": {}}}, "2026-13-45T99:99:99Z", "9999-12-31T23:59:59-23:59", "0001-01-01T00:00:00+23:59",
    "https://evil.example/](/uploads/", "https://x/" * 500, "<script>", "12345678901234567890",
)  # fmt: skip


def _description() -> Description:
    head = bytes(48).hex()
    lines = (DescribedLine("", head, 0), DescribedLine("fix", head, 0, 0, head, "ada", "2026-11-01T00:00:00+00:00", 0))
    return Description("micelio-archive", 1, "https://x/a/b", "2026-11-01", "n", "d", "public", lines, left_out=("x",))


def _archive() -> bytes:
    members = {"micelio-archive.json": msgspec.json.encode(_description()), "lines/0000/packs/x": b"data" * 300}
    plain = b"".join(
        tarball.header(name, len(raw), 1) + raw + tarball.padding(len(raw)) for name, raw in members.items()
    )
    return zstandard.ZstdCompressor().compress(plain + tarball.END)


def _read_archive(raw: bytes) -> None:
    inflated = _Inflated(raw[at : at + 100] for at in range(0, len(raw), 100))
    for _, _, content in tarball.members(inflated.read):
        for _ in content:
            pass


def _read_members(raw: bytes) -> None:
    for _, _, content in tarball.members(io.BytesIO(raw).read):
        for _ in content:
            pass


def archive_targets() -> list[Target]:
    """Each reader of an API by itself, and the small ones."""
    step = Step("issues", "https://api.github.com/repos/acme/tool/issues?per_page=100")
    links = [
        b'<https://api.github.com/x?page=2>; rel="next", <https://api.github.com/x?page=9>; rel="last"',
        b"<https://h/a>; title=\"<b>\"; rel=next", b"<<<<>>>>;;;; rel=next,", b"<>; rel=\"next\"",
    ]  # fmt: skip
    whole = Manifest(
        1, "github", "https://github.com/acme/tool", parts=(Part("ab" * 32, 9, 1, 1),), etags={"x": "y"},
        pending=Pending(steps=(step,), done={"issue": 3}),
    )  # fmt: skip
    line = records.line(records.Issue(id="1", number=1, title="t", author=records.Author("1", "ada"), labels=("a",)))
    head = records.line(records.Header(1, "github", "https://github.com/acme/tool", 5))
    return [
        *(Target(f"answers of {name}", _answers(name, source, data(source.url)))
          for name, (source, data) in _SOURCES.items()),
        parsing(Parser("headers of tar files", tarball.parse_header, [tarball.header("lines/0000/packs/x", 5, 1)])),
        parsing(Parser("descriptions of archives", parse_description, [msgspec.json.encode(_description())])),
        parsing(Parser("archives", _read_archive, [_archive()])),
        parsing(Parser("archives, inflated", _read_members, [zstandard.decompress(_archive())])),
        parsing(Parser("Link headers", lambda raw: _linked(step, raw), links)),
        parsing(Parser("rate headers", _timed, [b"120", b"Mon, 02 Nov 2026 12:00:00 GMT"])),
        parsing(Parser("repository addresses", _addressed, [b"https://github.com/a/b", b"https://gitlab.com/a/b/c.git"])),
        parsing(Parser("list of an archive", lambda raw: manifest.decode(raw, "x"), [manifest.encode(whole)])),
        parsing(Parser("records of an archive", lambda raw: clean(list(records.records(raw, "x"))), [line * 2])),
        parsing(Parser("header of an archive", records.header, [head])),
        parsing(
            Parser("part of an archive", lambda raw: list(records.records(_inflated(raw, "x"), "x")), [compress(line)])
        ),
    ]  # fmt: skip


def _answers(name: str, source: Source, lists: dict[str, Any]) -> Any:
    seeds = list(lists.values())

    def attempt(rng: random.Random) -> tuple[bytes, str] | None:
        raw = json.dumps(_changed(rng, rng.choice(seeds))).encode()
        if rng.random() < 0.3:
            raw = mutate(rng, [raw])
        step = Step(rng.choice(_LISTS), source.api + "/x", rng.choice((0, 1, 7)), rng.choice(("", "https://x/1")))
        since = rng.choice(("", "2026-01-02T00:00:00Z", "x"))

        def read(raw: bytes) -> None:
            value = given.parsed(raw)
            reader = _reader(source)
            reader.first(since)
            found = reader.read(step, value)
            assert all(further.url.startswith(source.api) for further in found.steps), "a step to somebody else"
            for record in clean(found.records):
                (again,) = records.records(records.line(record), "x")
                assert again == record, "kept as another record"

        return parsing(Parser(name, read, [raw], changed=False)).attempt(rng)

    return attempt


def _changed(rng: random.Random, value: Any) -> Any:
    """A value with some of what is inside replaced, doubled, or put a thousand levels deep."""
    if rng.random() < 0.06:
        odd = rng.choice(_ODD)
        if rng.random() < 0.1:
            for _ in range(rng.choice((10, 400))):
                odd = [odd] if rng.random() < 0.5 else {"user": odd}
        return odd
    if isinstance(value, dict):
        kept = {name: _changed(rng, inner) for name, inner in value.items() if rng.random() > 0.03}
        if kept and rng.random() < 0.05:
            kept[rng.choice(list(kept))] = rng.choice(list(kept.values()))
        return kept
    if isinstance(value, list):
        return [_changed(rng, inner) for inner in value for _ in range(rng.choice((1, 1, 1, 1, 3)))]
    return value


def _linked(step: Step, raw: bytes) -> None:
    text = raw.decode("latin-1")
    asking = Asking(NotImplemented, _SOURCES["github"][0])
    for headers in ({"link": text}, {"x-next-page": text}, {"x-total-count": text}):
        if found := next_page(step, headers, 100):
            asking.require_own(found)
    asking.require_own(asking.further(step.url, text))


def _timed(raw: bytes) -> None:
    text = raw.decode("latin-1")
    seconds = _seconds(text, 0.0)
    assert seconds is None or seconds == seconds, "no number"
    http_time(text)


def _addressed(raw: bytes) -> None:
    text = raw.decode("utf-8", "replace")
    with contextlib.suppress(MicError):
        assert parse_url(parse_url(text)) == parse_url(text)
    source = parse_source(text, "gitea")
    assert source.api.startswith(("https://", "http://"))
    assert parse_source(source.url, "gitea") == source
