"""What reads Git's bytes, without a server: pkt-lines, requests over a small repository, packs, deltas, indexes."""

from __future__ import annotations

import io
import random
from collections.abc import Callable

from fuzz.git_trees import draw_tree
from fuzz.mutate import mutate
from fuzz.packs import HARMLESS, SHAPES, Story, added, copy, delta, oid_of, sound
from fuzz.parsers import Parser, pkts
from fuzz.run import Target, parsing
from git_fake import FakeRepository
from mic.core.errors import MicError
from mic.git import receive_pack, upload_pack, upload_pack_v0
from mic.git.agent_trace import read_traces
from mic.git.authorship import decode_authorship
from mic.git.fsck import check_object
from mic.git.fsck_files import check_gitattributes, check_gitmodules, submodules
from mic.git.kept_notes import NotesView, decode_notes, encode_notes
from mic.git.objects import commit_line, tag_target
from mic.git.packentry import apply_delta, read_header
from mic.git.packindex import CommitLine, Packed, PackIndex, encode_index
from mic.git.packscan import Limits, scan_pack
from mic.git.tree_entries import parse_tree

# A pack of the fuzzer is small; what it unfolds to must not be.
LIMITS = Limits(objects=10_000, inflated=64 << 20, whole=8 << 20, depth=4096, seconds=5)
_ID = b"a" * 40
_LOG = (
    b'src/a.py\n  s_c9883b05a2487d::t_9f8e7d6c5b4a32 1-10,15\n"a b"\n  h_31dce776f88375 3\n---\n'
    b'{"schema_version":"authorship/3.0.0","base_commit_sha":"","prompts":{},"humans":{"h_31dce776f88375":{"author":"A"}},'
    b'"sessions":{"s_c9883b05a2487d":{"agent_id":{"tool":"t","id":"1","model":"m"},"human_author":null}}}'
)
_TRACE = (
    b'{"version":"0.1","id":"","timestamp":"","vcs":{"type":"git","revision":"' + _ID + b'"},"files":[{"path":"a",'
    b'"conversations":[{"contributor":{"type":"ai","model_id":"a/b"},"ranges":[{"start_line":1,"end_line":2}]}]}]}\n'
)
_BASE = b"the base of a delta\n" * 20


def git_targets() -> list[Target]:
    """Each reader of Git's bytes."""
    repository = FakeRepository()
    one = repository.commit({b"a": b"1"}, ref=b"refs/heads/main")
    two = repository.commit({b"a": b"2"}, one, number=1, ref=b"refs/heads/main").hex().encode()
    wants = b"0032want " + two + b"\n"
    fetch = b"0012command=fetch0001" + wants + b"0032have " + one.hex().encode() + b"\n000cdeepen 10009done\n0000"
    v0 = b"0051want " + two + b" multi_ack_detailed side-band-64k" + b"0000" + b"0009done\n"
    items = [
        Packed(bytes([number]) * 20, 1 + number % 3, 12 + number, 1, 9, bytes([number - 1]) * 20 if number else b"")
        for number in range(4)
    ]
    index = encode_index(99, items, [CommitLine(bytes(20), b"t" * 20, (b"p" * 20,), 5)])
    sound_delta = delta(len(_BASE), 17, copy(3, 10), added(b"abcdefg"))
    modules = b'[submodule "a"]\n\tpath = b\n\turl = https://example.com/x\n'
    commit = b"tree %b\nparent %b\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n\nm\n" % (_ID, _ID)
    tag = b"object %b\ntype commit\ntag v1\ntagger A <a@b> 1 +0000\n\nm\n" % _ID
    return [
        parsing(Parser("pkt-lines", pkts, [fetch, v0])),
        parsing(Parser("v2 over a repository", _served(repository, upload_pack.serve), [fetch])),
        parsing(Parser("v0 over a repository", _served(repository, upload_pack_v0.serve), [v0])),
        parsing(Parser("push over a repository", _pushed, [_push(), b"0000"])),
        Target("packs", _pack),
        parsing(
            Parser("entry headers", lambda raw: read_header(raw, 0, "x"), [b"\xb5\x01x", b"\x65\x05x", b"\x7f" * 30])
        ),
        parsing(Parser("authorship logs", decode_authorship, [_LOG])),
        parsing(Parser("agent traces", lambda raw: list(read_traces(raw)), [_TRACE])),
        parsing(Parser("views of notes", lambda raw: decode_notes(raw, "x"), [encode_notes(NotesView(1, bytes(20)))])),
        parsing(Parser("deltas", lambda raw: apply_delta(_BASE, raw), [sound_delta])),
        parsing(Parser("index", _index, [index], sealed=True)),
        Target("trees", _tree),
        parsing(Parser("commits", lambda raw: (check_object("commit", raw), commit_line(bytes(20), raw)), [commit])),
        parsing(Parser("tags", lambda raw: (check_object("tag", raw), tag_target(bytes(20), raw)), [tag])),
        parsing(Parser(".gitmodules", lambda raw: (check_gitmodules(raw), submodules(raw)), [modules])),
        parsing(Parser(".gitattributes", check_gitattributes, [b"*.c diff=cpp\n"])),
    ]


def _served(repository: FakeRepository, serve: Callable[..., object]) -> Callable[[bytes], object]:
    return lambda raw: list(serve(repository, io.BytesIO(raw)))  # type: ignore[call-overload]


def _push() -> bytes:
    pushed = sound(Story(random.Random(1)))
    command = b"0" * 40 + b" " + pushed.tip.hex().encode() + b" refs/heads/x\0report-status side-band-64k push-options"
    return b"%04x" % (len(command) + 4) + command + b"00000007a=b0000" + pushed.pack


def _pushed(raw: bytes) -> object:
    return list(receive_pack.serve(FakeRepository(), io.BytesIO(raw), lambda error: error.message))


def _pack(rng: random.Random) -> tuple[bytes, str] | None:
    made = rng.choice((sound, *HARMLESS.values(), *SHAPES.values()))(Story(rng)).pack
    raw = mutate(rng, [made], len(made) + 512) if rng.random() < 0.7 else made
    held = {oid_of(3, _BASE): (3, _BASE)}

    def scan(raw: bytes) -> object:
        return scan_pack(memoryview(raw), held.get, lambda oid, kind, data, base: None, LIMITS)

    return parsing(Parser("packs", scan, [raw], changed=False)).attempt(rng)


def _index(raw: bytes) -> None:
    index = PackIndex(raw, "index")
    for oid in list(index.oids())[:100]:
        index.find(oid)
    list(index.commits())
    list(index.objects())


def _tree(rng: random.Random) -> tuple[bytes, str] | None:
    def judged(raw: bytes) -> None:
        wrong = "badTree" in {found.msg_id for found in check_object("tree", raw)}
        try:
            parse_tree(raw, bytes(20))
        except MicError:
            return
        if wrong:
            raise AssertionError("taken, though git's check refuses it")

    return parsing(Parser("trees", judged, [draw_tree(rng)], changed=False)).attempt(rng)
