"""Pushing over the wire: requests written by hand, reports as Git's documents have them."""

from __future__ import annotations

import io

import pytest
from dulwich.object_format import SHA1
from dulwich.objects import Commit, Tree
from dulwich.pack import write_pack_objects
from hypothesis import given
from hypothesis import strategies as st

from git_fake import FakeRepository
from mic.core.errors import InvalidInput, MicError, TooLarge
from mic.git import receive_pack, upload_pack, upload_pack_v0
from mic.git.sideband import Form

ZERO = b"0" * 40
FLAGS = b"\0 report-status-v2 side-band-64k object-format=sha1 agent=git/2.39"


def _line(text: bytes) -> bytes:
    return f"{len(text) + 4:04x}".encode() + text


def _words(error: MicError) -> str:
    return error.message


def _pack(*things: object) -> bytes:
    file = io.BytesIO()
    write_pack_objects(file.write, [(thing, None) for thing in things], object_format=SHA1)
    return file.getvalue()


def _commit() -> tuple[bytes, bytes]:
    """A commit of no files: its id in hex, and a pack with it."""
    tree, made = Tree(), Commit()
    made.tree = tree.id
    made.author = made.committer = b"A <a@example.com>"
    made.author_time = made.commit_time = made.author_timezone = made.commit_timezone = 0
    made.message = b"pushed\n"
    return bytes(made.id), _pack(tree, made)


def _push(repository: FakeRepository, *parts: bytes) -> bytes:
    return b"".join(receive_pack.serve(repository, io.BytesIO(b"".join(parts)), _words))


def _banded(report: bytes) -> bytes:
    """What a client with bands gets: a keepalive, the report in band 1, a flush."""
    return b"0005\x02" + _line(b"\x01" + report) + b"0000"


def test_advertisement() -> None:
    """Refs without HEAD and without peeled tags, and what the server can do; zeros for none."""
    repository = FakeRepository()
    offered = (
        b"\0report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta push-options "
        b"object-format=sha1 agent=micelio"
    )
    empty = b"".join(receive_pack.advertisement(repository, 0))
    assert empty == _line(ZERO + b" capabilities^{}" + offered + b"\n") + b"0000"
    one = repository.commit({b"a": b"1"}, ref=b"refs/heads/main")
    tag = repository.tag(b"v1", one)
    assert b"".join(receive_pack.advertisement(repository, 1)) == b"".join(
        [
            _line(b"version 1\n"),
            _line(one.hex().encode() + b" refs/heads/main" + offered + b"\n"),
            _line(tag.hex().encode() + b" refs/tags/v1\n"),
            b"0000",
        ]
    )


@pytest.mark.parametrize("probe", [b"", b"0000"])
def test_a_probe_gets_nothing(probe: bytes) -> None:
    """git sends a flush alone before a push of unknown length."""
    assert _push(FakeRepository(), probe) == b""


def test_a_push() -> None:
    """The ref moves, the report says so, in bands or without, and not at all where none is wanted."""
    oid, pack = _commit()
    report = _line(b"unpack ok\n") + _line(b"ok refs/heads/main\n") + b"0000"
    for flags, answer in (
        (FLAGS, _banded(report)),
        (b"\0report-status", report),
        (b"\0quiet", b""),
        (b"", b""),
        (b"\0side-band-64k", b"0005\x02" + b"0000"),
    ):
        repository = FakeRepository()
        command = _line(ZERO + b" " + oid + b" refs/heads/main" + flags)
        assert _push(repository, command, b"0000", pack) == answer
        assert repository.heads == {b"refs/heads/main": bytes.fromhex(oid.decode())}


def test_several_refs_at_once() -> None:
    """Each has its line; atomically, one refusal is one for all."""
    oid, pack = _commit()
    refused = _line(b"ng refs/refused/x not here\n")
    for extra, other in ((b"", b"ok refs/heads/a\n"), (b" atomic", b"ng refs/heads/a atomic push failed\n")):
        repository = FakeRepository()
        first = _line(ZERO + b" " + oid + b" refs/heads/a" + FLAGS + extra + b"\n")
        second = _line(ZERO + b" " + oid + b" refs/refused/x\n")
        said = _push(repository, first, second, b"0000", pack)
        assert said == _banded(_line(b"unpack ok\n") + _line(other) + refused + b"0000")


def test_deletion_has_no_pack() -> None:
    """Nothing follows the commands, and nothing is read."""
    repository = FakeRepository()
    one = repository.commit({b"a": b"1"}, ref=b"refs/heads/old").hex().encode()
    said = _push(repository, _line(one + b" " + ZERO + b" refs/heads/old" + FLAGS), b"0000")
    assert said == _banded(_line(b"unpack ok\n") + _line(b"ok refs/heads/old\n") + b"0000")
    assert repository.heads == {}


def test_push_options_and_shallow_lines() -> None:
    """Options reach the repository as they are; the ends of the client's history need no answer."""
    oid, pack = _commit()
    repository = FakeRepository()
    command = _line(ZERO + b" " + oid + b" refs/heads/main" + FLAGS + b" push-options")
    options = _line(b"rebase\n") + _line(b"a;b=c d\n") + b"0000"
    said = _push(repository, _line(b"shallow " + b"ab" * 20), command, b"0000", options, pack)
    assert b"ok refs/heads/main" in said
    assert repository.options == [b"rebase", b"a;b=c d"]


def test_a_pack_that_is_refused() -> None:
    """The reason is one line of the report, and no ref moves."""
    oid, _ = _commit()
    repository = FakeRepository()
    said = _push(repository, _line(ZERO + b" " + oid + b" refs/heads/main" + FLAGS), b"0000", b"PACKgarbage")
    assert said.startswith(b"0005\x02")
    assert b"unpack the pack is damaged: " in said
    assert b"ng refs/heads/main unpacker error\n" in said
    assert repository.heads == {}


@pytest.mark.parametrize(
    ("data", "error", "words"),
    [
        (_line(b"push-cert\0 report-status"), InvalidInput, "Signed pushes"),
        (_line(b"hello"), InvalidInput, "no command"),
        (_line(ZERO + b" " + b"x" * 40 + b" refs/heads/a"), InvalidInput, "not the name of an object"),
        (_line(ZERO + b" " + ZERO + b" refs/heads/a\0everything"), InvalidInput, "everything"),
        (_line(ZERO + b" " + ZERO + b" refs/heads/a\0object-format=sha256"), InvalidInput, "sha256"),
        (_line(ZERO + b" " + ZERO + b" refs/heads/a") * 2 + b"0000", InvalidInput, "twice"),
        (_line(ZERO + b" " + ZERO + b" " + b"a" * 5_000) + b"0000", TooLarge, "4,096 bytes"),
        (
            _line(ZERO + b" " + ZERO + b" a\0push-options") + b"0000" + _line(b"o") * 65 + b"0000",
            TooLarge,
            "64 options",
        ),
        (
            _line(ZERO + b" " + ZERO + b" a\0push-options") + b"0000" + _line(b"o" * 5_000) + b"0000",
            TooLarge,
            "options",
        ),
        (_line(ZERO + b" " + ZERO + b" a\0push-options") + b"0000", InvalidInput, "end of the input"),
    ],
)
def test_what_is_no_push(data: bytes, error: type[MicError], words: str) -> None:
    """Refused in a sentence before anything is taken."""
    reply = receive_pack.serve(FakeRepository(), io.BytesIO(data), _words)
    with pytest.raises(error, match=words):
        list(reply)
    assert reply.form is Form.LINES


_TEXTS = st.sampled_from(
    [
        b"command=fetch", b"command=ls-refs", b"want " + b"ab" * 20, b"have " + b"ab" * 20, b"done", b"deepen 1",
        b"filter blob:none", b"peel", b"ref-prefix refs/", b"shallow " + b"ab" * 20, b"sideband-all",
        ZERO + b" " + ZERO + b" refs/heads/a\0report-status side-band-64k push-options", b"agent=x", b"size",
    ]
)  # fmt: skip
_PARTS = st.lists(
    (st.binary(max_size=60) | _TEXTS).map(_line) | st.sampled_from([b"0000", b"0001", b"0002"]) | st.binary(max_size=8)
)


@given(_PARTS)
def test_any_request_is_answered_or_refused(parts: list[bytes]) -> None:
    """Whatever lines come in whatever order: an answer, or one of our errors."""
    data = b"".join(parts)
    repository = FakeRepository()
    for reply in (
        upload_pack.serve(repository, io.BytesIO(data)),
        upload_pack_v0.serve(repository, io.BytesIO(data)),
        receive_pack.serve(repository, io.BytesIO(data), _words),
    ):
        try:
            list(reply)
        except MicError:
            reply.failure("refused")
