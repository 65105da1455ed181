"""Parsers that need no server: formats of the store, texts of people and programs."""

from __future__ import annotations

import base64
import io
import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.test import RequestFactory

from mic.core import attribution, token
from mic.core.agent_settings import parse_agent_settings, refused
from mic.core.beacon import decode_beacon, parse_key
from mic.core.blob import decode_blob
from mic.core.chunklist import decode_list, decode_page
from mic.core.commit_point import decode_commit_point
from mic.core.delta import decode_delta, decode_group
from mic.core.epoch import decode_epoch
from mic.core.head import decode_head
from mic.core.ids import parse_ulid
from mic.core.indexrun import parse_run_name
from mic.core.intent import decode_intent
from mic.core.leavings import decode_leavings
from mic.core.origin import decode_origin
from mic.core.pack import decode_toc
from mic.core.paths import parse_path
from mic.core.patterns import Patterns, translate
from mic.core.redaction import decode_redaction
from mic.core.scanning import redact, scan
from mic.core.segment import decode_segment
from mic.core.session import decode_session
from mic.core.stand_in import Person, commit_without
from mic.core.tombstone import decode_displaced, decode_tombstone
from mic.core.transcript import messages, read_transcript
from mic.core.tree.decode import decode_node
from mic.git import commits
from mic.git.fetch_arguments import parse_filter
from mic.git.pktline import PktReader
from mic.git.receive_pack import read_push
from mic.git.tree_entries import parse_tree
from mic.ledger.forwarded import decode_landings, decode_outcomes
from mic.ledger.frame import Frame, plain
from mic.workspace.ignore import parse_rules
from micelio.accounts.handles import parse_handle
from micelio.api import cursors
from micelio.api.door import parse_body
from micelio.edge.charsets import OnlyUtf8, as_utf8
from micelio.edge.git_visitor import token_in
from micelio.operators.blocks import _parse_network
from micelio.organizations.roles import parse_role
from micelio.owners.refuse import require_readable
from micelio.owners.rules import parse_owners
from micelio.pages.addresses import HEAD, Site, parse_ref
from micelio.pages.delimited import read_table
from micelio.pages.images import is_svg
from micelio.pages.listing import parse_after
from micelio.pages.markdown import Place, render_document, render_message
from micelio.pages.markdown import plain as plain_text
from micelio.pages.notebook_html import cell_html
from micelio.pages.notebooks import read_notebook, read_picture
from micelio.pages.ranges import asked_part
from micelio.pages.table_html import columns_shown, table_head, table_row
from micelio.projects.actions import parse_project_handle
from micelio.projects.protection import protection_of
from micelio.rates import parse_rates
from micelio.scanning.allowed import parse_allowed
from transcripts import GARDEN, ROLLOUT, lines

_HERE = Path(__file__).parents[1]
_ADA = Person(frozenset(), frozenset(("Ada",)), frozenset(("ada@example.org",)))


class Parser(NamedTuple):
    """A parser, and what it takes gladly. Errors that say no are MicError, or one of `refusals`."""

    name: str
    parse: Callable[[bytes], object]
    seeds: Sequence[bytes]
    refusals: tuple[type[Exception], ...] = ()
    sealed: bool = False  # with CRC-32C in its last four bytes
    changed: bool = True  # False: what there is to change was changed by whoever drew the seed


def vectors() -> list[bytes]:
    """Every golden vector in the tests of the formats."""
    found = {b"", b"\x00"}
    for path in (_HERE / "unit" / "core").glob("test_*.py"):
        found.update(bytes.fromhex(item) for item in re.findall(r'"((?:[0-9a-f]{2}){4,})"', path.read_text("utf-8")))
    return sorted(found)


def parsers() -> list[Parser]:
    """All of them."""
    return [*_formats(), *_attributed(), *_texts(), *_rules(), *_headers(), *_git()]


def _formats() -> list[Parser]:
    golden = vectors()
    kinds: dict[str, Callable[[bytes], object]] = {
        "beacon": lambda raw: decode_beacon(raw, "x"),
        "blob": lambda raw: decode_blob(raw, bytes(32), "x"),
        "chunk list": lambda raw: decode_list(raw, "x"),
        "chunk page": lambda raw: decode_page(raw, "x"),
        "commit point": lambda raw: decode_commit_point(raw, "x"),
        "delta": lambda raw: decode_delta(raw, "x"),
        "epoch": lambda raw: decode_epoch(raw, "x"),
        "forwarded landings": decode_landings,
        "forwarded outcomes": decode_outcomes,
        "group": lambda raw: decode_group(raw, "x"),
        "head": lambda raw: decode_head(raw, "x"),
        "intent": lambda raw: decode_intent(raw, "x"),
        "node": lambda raw: decode_node(raw, "x"),
        "leavings": lambda raw: decode_leavings(raw, "x"),
        "origin": lambda raw: decode_origin(raw, "x"),
        "tombstone": lambda raw: decode_tombstone(raw, "x"),
        "displaced": lambda raw: decode_displaced(raw, "x"),
        "redaction": lambda raw: decode_redaction(raw, "x"),
        "pack contents": lambda raw: decode_toc(raw, 1 << 20, "x"),
        "segment": lambda raw: decode_segment(raw, "x"),
        "session": lambda raw: decode_session(raw, "x"),
        "frame": lambda raw: plain(Frame(bytes(32), len(raw) + 9, 0, len(raw), True, raw)),
    }
    return [Parser(name, parse, golden, sealed=True) for name, parse in kinds.items()]


def _attributed() -> list[Parser]:
    """What a client says about who wrote which lines, and what an erasure leaves of a commit."""
    file = {"path": b"a/b", "content": bytes(32), "lines": [[1, 2, 0], [4, 1, 1]]}
    other = {"path": b"c", "content": b"\xff" * 32, "lines": []}
    writers = [{"kind": "agent", "name": "m", "message": 2}, {"kind": "person"}]
    whole = {attribution.LINES: {"version": 1, "writers": writers, "files": [file, other]}}
    seeds = [msgspec.msgpack.encode(each) for each in (whole, {attribution.LINES: {"version": 1}}, {})]
    commit = (
        b"tree %s\nauthor Ada B <ada@example.org> 1 +0000\ngpgsig x\n y\n\nm\n\nSigned-off-by: Ada <ADA@example.org>\n"
    )
    return [
        Parser("attribution", _said_of_lines, seeds, (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)),
        Parser("commit of somebody", _unnamed, [commit % (b"a" * 40)]),
    ]


def _said_of_lines(raw: bytes) -> None:
    """What is kept says the same again, and tells every line at most once."""
    value = msgspec.msgpack.decode(raw)
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        return
    said = attribution.parse(value)
    kept = attribution.stored(said)
    assert attribution.parse(kept) == (said if said.files else attribution.NOTHING), "kept as something else"
    for file in said.files.values():
        parts = list(file.parts(1, 50))
        assert [first for first, _, _ in parts] == sorted({first for first, _, _ in parts}), "a line twice"
        assert sum(count for _, count, _ in parts) == 50, "a line is missing"
    names = attribution.writer_names(value)
    attribution.with_names(value, iter([""] * len(names)))


def _unnamed(raw: bytes) -> None:
    """Nobody is named any more, and a second time changes nothing."""
    made = commit_without(raw, _ADA)
    assert commit_without(made, _ADA) == made, "named behind it"


def _decoded(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda raw: parse(raw.decode("utf-8", "replace"))


def _texts() -> list[Parser]:
    rng = random.Random(1)
    tokens = [token.make_token(kind, rng.randbytes(32)).encode() for kind in (token.PERSONAL, token.SESSION)]
    allowed = b'[[allow]]\nfingerprint = "%s"\npath = "a"\nreason = "r"\nby = "ana"\n' % (b"0" * 32)
    ulid = [b"01ARZ3NDEKTSV4RRFFQ69G5FAV"]
    handles = [b"ana", b"a-b.c", b"xn--80ak6aa92e", "аna".encode()]
    markdown = [
        b"# a\n\n[b](c)\n\n```x\n```\n| a |\n|---|\n| b |\n",
        b"<a href='javascript:x'>y</a>",
        b"- [ ] a\n  - b\n",
    ]
    return [
        Parser("token", _decoded(lambda text: (token.is_token(text), token.claims_to_be_token(text))), tokens),
        Parser("session id", _decoded(parse_ulid), ulid),
        Parser("path", parse_path, [b"a/b", b"src/\xff", b".git/config", "é/ü".encode()]),
        Parser("handle", _decoded(parse_handle), handles),
        Parser("project handle", _decoded(parse_project_handle), handles),
        Parser("role", _decoded(parse_role), [b"admin", b"owner"]),
        Parser("point", _decoded(parse_ref), [b"head", b"@42"]),
        Parser("list position", _decoded(parse_after), [b"YQ", b"YS9i"]),
        Parser("cursor", _decoded(lambda text: cursors.read("x", text)), [cursors.made("x", ["a", 1]).encode()]),
        Parser("JSON body", parse_body, [b'{"a": [1, null, true, "b"]}', b"[[[[1]]]]", b'"\\ud800"']),
        Parser("range", _range, [b"bytes=0-5", b"bytes=-5", b"bytes=5-", b"bytes=0-1,4-5"]),
        Parser("ignore rules", _ignores, [b"*.o\n!a\n/b/\n**/c\n[a-z]?\\#\n"]),
        Parser("secrets.toml", parse_allowed, [allowed, allowed * 2]),
        Parser("limits", _decoded(parse_rates), [b"pages-anonymous=300/min, grpc-session=off"], (ValueError,)),
        Parser("run name", _decoded(parse_run_name), [b"00000000000000000001-00000000000000000009.run"]),
        Parser("beacon key", _decoded(parse_key), [b"beacons/0000000000000000/1"]),
        Parser("secrets", scan, [b"key = 'x'", b"-----BEGIN PRIVATE KEY-----", b"://a:b@c", *tokens]),
        Parser("words", _decoded(lambda text: redact([text, text])), [b"a", b"password='", *tokens]),
        Parser("Markdown", _decoded(_markdown), markdown),
        Parser("notebook", _notebook, [_NOTEBOOK, _OLD_NOTEBOOK]),
        Parser("table", _table, [b'a,"b ""c""\n",d\n1,2\n', b"\xef\xbb\xbfa;b\r\n\r\n1;2;3", b"a\tb\n1\t2\n"]),
        Parser("SVG", lambda raw: is_svg(b"a.svg", raw), [b"<?xml?><!--x--><!DOCTYPE svg [<!ENTITY a 'b'>]><svg>"]),
    ]


_NOTEBOOK = (
    b'{"nbformat":4,"metadata":{"language_info":{"file_extension":".py"},"kernelspec":{"language":"r"}},"cells":['
    b'{"cell_type":"markdown","source":["# a\\n","[b](c)"]},{"cell_type":"code","execution_count":1,"source":"a=1",'
    b'"outputs":[{"output_type":"stream","name":"stderr","text":["a\\r\\u001b[1mb"]},{"output_type":"error","ename":"E",'
    b'"evalue":"v","traceback":["\\u001b[31mx"]},{"output_type":"display_data","data":{"text/plain":"p",'
    b'"image/png":"iVBORw0KGgo=","text/html":"<b>"}}]}]}'
)
_OLD_NOTEBOOK = (
    b'{"nbformat":3,"worksheets":[{"cells":[{"cell_type":"heading","level":2,"source":"a"},{"cell_type":"code",'
    b'"input":"2","prompt_number":3,"outputs":[{"output_type":"pyout","text":"4","png":"iVBORw0KGgo="}]}]}]}'
)


def _notebook(raw: bytes) -> None:
    """Each cell as a page shows it, and each output as a picture where it is one."""
    notebook = read_notebook(raw)
    cells = list(notebook.cells(1)) if notebook is not None else []
    for number, cell in enumerate(cells[:50], 1):
        assert notebook is not None
        shown = cell_html(cell, number, notebook.file_name, Place(Site("a", "b"), HEAD, b"docs"), "/raw", 1000)
        assert "<script" not in shown.lower(), "a script"
    for number in range(1, 4):
        read_picture(raw, number)


def _table(raw: bytes) -> None:
    for path in (b"a.csv", b"a.tsv"):
        table = read_table(raw, path)
        if table is not None:
            columns = columns_shown(table)
            rows = [table_row(row, n, columns, 20) for n, row in enumerate(table.rows[:50], 1)]
            assert all(row.count("<td>") == columns for row in rows), "a ragged row"
            assert table_head(table).count("<th") == columns + 1, "a ragged head"


def _rules() -> list[Parser]:
    """What projects and operators write: who owns a path, who may land, which addresses are blocked."""
    owners = b"# all\n* @ada @acme\n/docs/ ada@example.org\n!x\\ y/**/[!a-c[:digit:]]?.md @ada\r\n\xef\xbb\xbf"
    agent = b"[agent]\nname = 'a'\nallowed_paths = ['src/', '*.py']\n[session]\nauto_note = true\n"
    protection = b'{"lines": [{"pattern": "main", "allowed": ["@ada", "role:member"]}], "paths": ["/infra/"]}'
    return [
        Parser("agent.toml", _agent, [agent, agent * 2]),
        Parser("transcript", _transcript, [lines(*GARDEN), lines(*ROLLOUT), lines(*ROLLOUT, *GARDEN)]),
        Parser("OWNERS", _owners, [owners, owners * 3, b"/a @b\n" * 50]),
        Parser("path pattern", _pattern, [b"/infra/", b"*.tf", b"a/**/b", b"[[:alpha:]-z]", b"\\[x"]),
        Parser("protection", _decoded(protection_of), [protection]),
        Parser(
            "network", _decoded(_parse_network), [b"203.0.113.0/24", b"2001:db8::/32", b"::ffff:1.2.3.4", b"10.1/8"]
        ),
    ]


def _headers() -> list[Parser]:
    """What stands in the headers of requests, before a door looks at the request itself."""
    basic = b"Basic " + base64.b64encode(b"ada:mic_pat_x")
    return [
        Parser("Authorization", lambda raw: token_in([raw.decode("latin-1")]), [basic, b"Bearer mic_pat_x", b"Basic "]),
        Parser("Accept", _accept, [b"text/html;q=0.9, application/json", b"*/*;q=x", b"text/*;level=1;q=0"]),
        Parser(
            "Content-Type",
            _form,
            [b"application/x-www-form-urlencoded; charset=hex", b"multipart/form-data; boundary=b"],
            (BadRequest, SuspiciousOperation, MultiPartParserError),
        ),
    ]


def _agent(raw: bytes) -> None:
    refused(parse_agent_settings(raw), [b"src/a.py", b"b"])


def _transcript(raw: bytes) -> None:
    messages(read_transcript(raw), "ada")


def _owners(raw: bytes) -> None:
    found = parse_owners(raw)
    found.rule_for(b"docs/a/b c.md")
    if not found.problems:
        require_readable(raw)


def _pattern(raw: bytes) -> None:
    source = translate(raw)
    if source is not None:
        Patterns([raw]).last(b"infra/a/b.tf")


def _accept(raw: bytes) -> object:
    request = RequestFactory().get("/", HTTP_ACCEPT=raw.decode("latin-1"))
    return request.get_preferred_type(["text/html", "application/json"]), request.accepts("text/html")


def _form(raw: bytes) -> object:
    """A form behind what its header says of it, through what stands before all pages."""
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n--b--\r\n'
    about = {"REQUEST_METHOD": "POST", "QUERY_STRING": "a=%E4", "CONTENT_TYPE": raw.decode("latin-1")}
    environ = RequestFactory()._base_environ(**about, CONTENT_LENGTH=len(body), **{"wsgi.input": io.BytesIO(body)})
    as_utf8(environ)
    request = WSGIRequest(environ)
    answer: object = OnlyUtf8(lambda asked: HttpResponse(f"{asked.POST.dict()} {asked.GET.dict()}"))(request)
    return answer


def _git() -> list[Parser]:
    oid = b"a" * 40
    commit = b"tree %s\nparent %s\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\ngpgsig x\n y\n\nm\n" % (oid, oid)
    push = b"0094" + oid + b" " + oid + b" refs/heads/main\x00report-status side-band-64k atomic\n"
    return [
        Parser("pkt-line", pkts, [b"0006a\n0000", b"00010002", b"001ecommand=ls-refs\n00010000", push]),
        Parser("push", lambda raw: read_push(io.BytesIO(raw)), [push + b"0000PACK", b"0000"]),
        Parser("filter", _decoded(parse_filter), [b"blob:none", b"tree:0", b"blob:limit=1k"]),
        Parser("commit text", commits.parse_text, [commit]),
        Parser("commit links", lambda raw: commits.parse_links(raw, bytes(20)), [commit]),
        Parser("tree", lambda raw: parse_tree(raw, bytes(20)),
        [b"100644 a\x00" + bytes(20) + b"40000 b\x00" + bytes(20)]),
    ]  # fmt: skip


def pkts(raw: bytes) -> None:
    reader = PktReader(io.BytesIO(raw), 1 << 20)
    for _ in range(1000):
        reader.read()


def _range(raw: bytes) -> object:
    request = RequestFactory().get("/", HTTP_RANGE=raw.decode("latin-1"))
    return asked_part(request, 1000, '"x"')


def _markdown(text: str) -> None:
    render_document(text, Place(Site("a", "b"), HEAD, b"docs"))
    render_message(text)
    plain_text(text)


def _ignores(raw: bytes) -> None:
    for rule in parse_rules(raw):
        rule.regex.match(b"a/b/c.o")
