"""Fetching over the wire: requests written by hand, answers as Git's documents have them, packs read by dulwich."""

from __future__ import annotations

import io
from collections.abc import Iterable

import pytest
from dulwich.object_store import MemoryObjectStore

from git_fake import FIRST_DATE, FakeRepository
from mic.core.errors import InvalidInput, MicError, NotFound
from mic.git import sideband, upload_pack, upload_pack_v0
from mic.git.serving import Refs
from mic.git.sideband import Form, Reply

DELIM, FLUSH = object(), object()


def _line(text: bytes) -> bytes:
    return f"{len(text) + 4:04x}".encode() + text


def _request(*parts: bytes | object) -> io.BytesIO:
    marks = {DELIM: b"0001", FLUSH: b"0000"}
    return io.BytesIO(b"".join(_line(part + b"\n") if isinstance(part, bytes) else marks[part] for part in parts))


def _split(data: bytes) -> list[bytes]:
    """Lines without their lengths; marks as b"0000" and b"0001"."""
    found, at = [], 0
    while at < len(data):
        size = int(data[at : at + 4], 16)
        found.append(data[at + 4 : at + size] if size > 3 else data[at : at + 4])
        at += max(size, 4)
    return found


def _said(reply: Iterable[bytes]) -> list[bytes]:
    return _split(b"".join(reply))


def _hex(oid: bytes) -> bytes:
    return oid.hex().encode()


def _bands(lines: Iterable[bytes], band: int = 1) -> bytes:
    return b"".join(text[1:] for text in lines if text[:1] == bytes([band]))


def _objects(pack: bytes) -> set[bytes]:
    """Ids of what dulwich finds in a pack."""
    store = MemoryObjectStore()
    file = io.BytesIO(pack)
    store.add_thin_pack(file.read, file.read)
    return {bytes.fromhex(name.decode()) for name in store}


class _Story(FakeRepository):
    """Three commits on main, a side branch from the second, a tag of the first, a landing that is not advertised."""

    def __init__(self) -> None:
        super().__init__()
        self.one = self.commit({b"a": b"1\n"}, number=1)
        self.two = self.commit({b"a": b"2\n"}, self.one, number=2)
        self.three = self.commit({b"a": b"3\n"}, self.two, number=3, ref=b"refs/heads/main")
        self.side = self.commit({b"a": b"4\n"}, self.two, number=4, ref=b"refs/heads/side")
        self.v1 = self.tag(b"v1", self.one)
        self.landing = self.commit({b"a": b"5\n"}, self.three, number=5)
        self.hidden_refs[b"refs/landings/5"] = self.landing


@pytest.fixture(scope="module")
def _story() -> _Story:
    return _Story()


@pytest.fixture
def story(_story: _Story) -> _Story:
    _story.asked.clear()
    return _story


def _v2(story: FakeRepository, *parts: bytes | object) -> list[bytes]:
    return _said(upload_pack.serve(story, _request(*parts)))


def _ls_refs(story: FakeRepository, *arguments: bytes) -> list[bytes]:
    return _v2(story, b"command=ls-refs", b"agent=git/2", b"object-format=sha1", DELIM, *arguments, FLUSH)


def _fetch(story: FakeRepository, *arguments: bytes) -> list[bytes]:
    return _v2(story, b"command=fetch", b"object-format=sha1", DELIM, *arguments, FLUSH)


def test_capabilities() -> None:
    """As gitprotocol-v2 gives them: a version, then one line each."""
    assert _split(upload_pack.capabilities()) == [
        b"version 2\n", b"agent=micelio\n", b"ls-refs=unborn\n", b"fetch=shallow wait-for-done filter sideband-all\n",
        b"object-format=sha1\n", b"object-info\n", b"0000",
    ]  # fmt: skip


@pytest.mark.parametrize("probe", [b"", b"0000"])
def test_a_probe_gets_nothing(story: _Story, probe: bytes) -> None:
    """git sends a flush alone to learn whether it has to sign in."""
    assert list(upload_pack.serve(story, io.BytesIO(probe))) == []
    assert list(upload_pack_v0.serve(story, io.BytesIO(probe))) == []


def test_ls_refs_with_all_that_can_be_asked(story: _Story) -> None:
    """HEAD first, refs by name, tags with what they name; what is hidden is not among them."""
    assert _ls_refs(story, b"peel", b"symrefs", b"unborn") == [
        _hex(story.three) + b" HEAD symref-target:refs/heads/main\n",
        _hex(story.three) + b" refs/heads/main\n",
        _hex(story.side) + b" refs/heads/side\n",
        _hex(story.v1) + b" refs/tags/v1 peeled:" + _hex(story.one) + b"\n",
        b"0000",
    ]
    assert _ls_refs(story)[-2] == _hex(story.v1) + b" refs/tags/v1\n"


def test_ls_refs_by_prefix(story: _Story) -> None:
    """Each ref once, also where prefixes overlap; HEAD only when one fits it; what is hidden by its whole name."""
    overlapping = (b"ref-prefix refs/heads/", b"ref-prefix refs/heads/side", b"ref-prefix refs/heads/s")
    assert _ls_refs(story, *overlapping) == [
        _hex(story.three) + b" refs/heads/main\n",
        _hex(story.side) + b" refs/heads/side\n",
        b"0000",
    ]
    assert _ls_refs(story, b"ref-prefix HE") == [_hex(story.three) + b" HEAD\n", b"0000"]
    assert _ls_refs(story, b"ref-prefix refs/landings/") == [b"0000"]
    named = [_hex(story.landing) + b" refs/landings/5\n", b"0000"]
    assert _ls_refs(story, b"ref-prefix refs/landings/5", b"ref-prefix refs/tags/refs/landings/5") == named


def test_ls_refs_of_an_unborn_head() -> None:
    """Only who asks for it is told which branch there will be."""
    empty = FakeRepository()
    assert _ls_refs(empty, b"symrefs", b"unborn") == [b"unborn HEAD symref-target:refs/heads/main\n", b"0000"]
    assert _ls_refs(empty, b"symrefs") == [b"0000"]


def test_object_info(story: _Story) -> None:
    """Sizes by id; of what is not here the id alone, with a blank as Git has it."""
    unknown = b"ab" * 20
    blob = b"d00491fd7e5bb6fa28c517a0bb32b8b506539d4d"  # git hash-object of "1\n"
    asked = (b"size", b"oid " + blob, b"oid " + unknown)
    said = _v2(story, b"command=object-info", DELIM, *asked, FLUSH)
    assert said == [b"size", blob + b" 2", unknown + b" ", b"0000"]


def test_a_clone(story: _Story) -> None:
    """Without haves the pack comes at once, whole, in bands."""
    said = _fetch(story, b"want " + _hex(story.three), b"want " + _hex(story.three), b"ofs-delta", b"done")
    assert said[0] == b"packfile\n"
    assert said[1] == b"\x02Sending 9 objects.\n"
    assert said[-1] == b"0000"
    assert {story.one, story.two, story.three} < _objects(_bands(said))
    assert story.asked[0].wants == (story.three,)
    assert story.asked[0].ofs_delta
    assert not story.asked[0].thin


def test_negotiation_before_the_end(story: _Story) -> None:
    """What both have is named; when each want has an ancestor there, the pack follows at once."""
    said = _fetch(story, b"want " + _hex(story.three), b"have " + _hex(story.one), b"have " + b"ab" * 20)
    assert said[:5] == [
        b"acknowledgments\n", b"ACK " + _hex(story.one) + b"\n", b"ready\n", b"0001", b"packfile\n",
    ]  # fmt: skip
    assert _objects(_bands(said)) >= {story.two, story.three}
    assert story.one not in _objects(_bands(said))


def test_negotiation_that_has_to_go_on(story: _Story) -> None:
    """Nothing in common: a NAK and no pack, until the client says that it is done."""
    haves = (b"want " + _hex(story.three), b"have " + b"ab" * 20)
    assert _fetch(story, *haves) == [b"acknowledgments\n", b"NAK\n", b"0000"]
    assert _fetch(story, *haves, b"done")[0] == b"packfile\n"


def test_wait_for_done(story: _Story) -> None:
    """However much is in common, no pack before the client is done; without wants it only learns what is common."""
    have = b"have " + _hex(story.two)
    only_acks = [b"acknowledgments\n", b"ACK " + _hex(story.two) + b"\n", b"0000"]
    assert _fetch(story, b"wait-for-done", have) == only_acks
    assert _fetch(story, b"wait-for-done", b"want " + _hex(story.three), have) == only_acks
    assert _fetch(story, b"wait-for-done", b"want " + _hex(story.three), have, b"done")[0] == b"packfile\n"
    assert _fetch(story, have) == []


def test_sideband_all(story: _Story) -> None:
    """Every line is in a band, the marks are not, and errors are in the third."""
    said = _fetch(story, b"sideband-all", b"want " + _hex(story.three), b"have " + _hex(story.two), b"no-progress")
    assert said[:5] == [
        b"\x01acknowledgments\n", b"\x01ACK " + _hex(story.two) + b"\n", b"\x01ready\n", b"0001", b"\x01packfile\n",
    ]  # fmt: skip
    assert not _bands(said, 2)
    reply = upload_pack.serve(
        story, _request(b"command=fetch", DELIM, b"sideband-all", b"want " + b"ab" * 20, b"have " + b"ab" * 20, FLUSH)
    )
    reply.next_piece()
    assert reply.failure("it broke") == b"000e\x03it broke\n"
    assert reply.keepalive == b"0005\x02"


def test_depths(story: _Story) -> None:
    """The ends of the history come before the pack, those that are ends no longer too."""
    want = b"want " + _hex(story.three)
    said = _fetch(story, want, b"deepen 1", b"done")
    assert said[:4] == [b"shallow-info\n", b"shallow " + _hex(story.three), b"0001", b"packfile\n"]
    assert len(_objects(_bands(said))) == 3

    deeper = (want, b"shallow " + _hex(story.three), b"have " + _hex(story.three), b"deepen 1", b"deepen-relative")
    said = _fetch(story, *deeper, b"done")
    assert said[:4] == [
        b"shallow-info\n", b"shallow " + _hex(story.two), b"unshallow " + _hex(story.three), b"0001",
    ]  # fmt: skip
    assert story.asked[-1].deepen_relative

    said = _fetch(story, want, b"deepen-since %d" % (FIRST_DATE + 2 * 86_400), b"done")
    assert said[1] == b"shallow " + _hex(story.two)
    said = _fetch(story, want, b"deepen-not side", b"done")
    assert said[1] == b"shallow " + _hex(story.three)
    assert story.asked[-1].deepen_not == (b"refs/heads/side",)


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("blob:none", "blob:none"),
        ("blob:limit=0", "blob:limit=0"),
        ("blob:limit=10k", "blob:limit=10240"),
        ("blob:limit=2M", "blob:limit=2097152"),
        ("tree:0", "tree:0"),
        ("tree:12", "tree:12"),
    ],
)
def test_filters(story: _Story, asked: str, given: str) -> None:
    """In one spelling whichever was sent."""
    _fetch(story, b"want " + _hex(story.three), b"filter " + asked.encode(), b"done")
    assert story.asked[-1].filter == given


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([b"want xyz"], "not the name of an object"),
        ([b"want " + b"a" * 41], "not the name of an object"),
        ([b"want " + b"ab" * 20, b"filter sparse:oid=x"], "filter 'sparse:oid=x'"),
        ([b"want " + b"ab" * 20, b"filter blob:limit=-1"], "filter"),
        ([b"want " + b"ab" * 20, b"deepen 0", b"done"], "depth that is asked for is 0"),
        ([b"want " + b"ab" * 20, b"deepen -1"], "not a number"),
        ([b"want " + b"ab" * 20, b"deepen 1", b"deepen-since 5", b"done"], "together"),
        ([b"want " + b"ab" * 20, b"deepen-not nothing", b"done"], "no ref is called that"),
        ([b"want-ref refs/heads/main"], "not one that this forge knows"),
        ([b"packfile-uris https"], "not one that this forge knows"),
        ([b""], "not one that this forge knows"),
    ],
)
def test_bad_arguments_are_refused(story: _Story, arguments: list[bytes], words: str) -> None:
    """In a sentence, before anything is sent."""
    with pytest.raises(InvalidInput, match=words):
        _fetch(story, *arguments)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (_request(b"command=push", FLUSH), "'push'"),
        (_request(b"command=ls-refs", b"server-option=x", FLUSH), "not offered"),
        (_request(b"command=ls-refs", b"object-format=sha256", FLUSH), "sha256"),
        (_request(b"agent=x", DELIM), "no command"),
        (_request(b"command=ls-refs", DELIM, b"everything", FLUSH), "everything"),
        (_request(b"command=ls-refs", DELIM, b"peel", DELIM), "delimiter"),
    ],
)
def test_bad_requests_are_refused(story: _Story, request_: io.BytesIO, words: str) -> None:
    """In a sentence that names what cannot be."""
    with pytest.raises(InvalidInput, match=words):
        list(upload_pack.serve(story, request_))


def test_a_want_that_is_not_here(story: _Story) -> None:
    """The view says so; by then the client reads bands, and the third ends it."""
    reply = upload_pack.serve(story, _request(b"command=fetch", DELIM, b"want " + b"ab" * 20, b"done", FLUSH))
    assert reply.next_piece() == _line(b"packfile\n")
    with pytest.raises(NotFound):
        reply.next_piece()
    assert reply.failure("There is no such object.") == b"001e\x03There is no such object.\n"


def _v0(story: FakeRepository, flags: bytes, *parts: bytes | object) -> bytes:
    first, *rest = parts
    assert isinstance(first, bytes)
    return b"".join(upload_pack_v0.serve(story, _request(first + b" " + flags, *rest)))


def test_advertisement_of_v0(story: _Story) -> None:
    """HEAD with what the server can do, refs by name, tags with what they name."""
    said = _split(b"".join(upload_pack_v0.advertisement(story, 0)))
    head, _, offered = said[0].partition(b"\0")
    assert head == _hex(story.three) + b" HEAD"
    assert set(offered.split()) == {
        b"multi_ack", b"thin-pack", b"side-band", b"side-band-64k", b"ofs-delta", b"shallow", b"deepen-since",
        b"deepen-not", b"deepen-relative", b"no-progress", b"include-tag", b"multi_ack_detailed",
        b"allow-tip-sha1-in-want", b"allow-reachable-sha1-in-want", b"no-done", b"symref=HEAD:refs/heads/main",
        b"filter", b"object-format=sha1", b"agent=micelio",
    }  # fmt: skip
    assert said[1:] == [
        _hex(story.three) + b" refs/heads/main\n",
        _hex(story.side) + b" refs/heads/side\n",
        _hex(story.v1) + b" refs/tags/v1\n",
        _hex(story.one) + b" refs/tags/v1^{}\n",
        b"0000",
    ]


def test_advertisement_of_an_empty_repository_and_of_v1() -> None:
    """No ref: zeros and a name that is none. v1 says so first."""
    said = _split(b"".join(upload_pack_v0.advertisement(FakeRepository(), 1)))
    assert said[0] == b"version 1\n"
    assert said[1].startswith(b"0" * 40 + b" capabilities^{}\0multi_ack ")
    assert said[2:] == [b"0000"]


DETAILED = b"multi_ack_detailed no-done side-band-64k thin-pack ofs-delta include-tag agent=git/2 object-format=sha1"


def test_a_clone_by_v0(story: _Story) -> None:
    """A NAK, then the pack in bands."""
    said = _split(_v0(story, DETAILED, b"want " + _hex(story.three), FLUSH, b"done"))
    assert said[0] == b"NAK\n"
    assert said[-1] == b"0000"
    assert story.v1 in _objects(_bands(said))
    request = story.asked[0]
    assert (request.thin, request.ofs_delta, request.include_tag) == (True, True, True)


def test_acks_of_each_kind(story: _Story) -> None:
    """As git's upload-pack answers with no state: common and ready, continue, or one bare ACK."""
    two, three = _hex(story.two), _hex(story.three)
    asked = (b"want " + three, FLUSH, b"have " + b"ab" * 20, b"have " + two, FLUSH)
    assert _split(_v0(story, b"multi_ack_detailed", *asked)) == [
        b"ACK " + two + b" common\n", b"ACK " + two + b" ready\n", b"NAK\n",
    ]  # fmt: skip
    said = _split(_v0(story, DETAILED, *asked))
    assert said[:4] == [
        b"ACK " + two + b" common\n", b"ACK " + two + b" ready\n", b"NAK\n", b"ACK " + two + b"\n",
    ]  # fmt: skip
    assert story.three in _objects(_bands(said))
    assert _split(_v0(story, b"multi_ack", *asked)) == [b"ACK " + two + b" continue\n", b"NAK\n"]
    assert _split(_v0(story, b"", *asked)) == [b"ACK " + two + b"\n"]
    nothing = (b"want " + three, FLUSH, b"have " + b"ab" * 20, FLUSH)
    assert _split(_v0(story, DETAILED, *nothing)) == [b"NAK\n"]
    assert _split(_v0(story, b"", *nothing)) == [b"NAK\n"]


def test_done_by_v0(story: _Story) -> None:
    """The last that both have is acknowledged once more; a client without bands gets the pack as it is."""
    two, three = _hex(story.two), _hex(story.three)
    asked = (b"want " + three, FLUSH, b"have " + two, b"done")
    said = _split(_v0(story, DETAILED, *asked))
    assert said[:2] == [b"ACK " + two + b" common\n", b"ACK " + two + b"\n"]
    plain = _v0(story, b"", *asked)
    assert plain.startswith(_line(b"ACK " + two + b"\n") + b"PACK")
    assert story.three in _objects(plain[plain.index(b"PACK") :])
    small = _split(_v0(story, b"side-band", *asked))
    assert max(map(len, small)) <= 996


def test_depth_by_v0(story: _Story) -> None:
    """The ends come in every answer, alone when nothing but they is asked for yet."""
    three = _hex(story.three)
    ends = b"0034shallow " + three + b"0000"
    assert _v0(story, DETAILED, b"want " + three, b"deepen 1", FLUSH) == ends
    said = _v0(story, DETAILED, b"want " + three, b"deepen 1", FLUSH, b"done")
    assert said.startswith(ends + _line(b"NAK\n"))
    said = _v0(story, DETAILED, b"want " + three, b"deepen 1", FLUSH, b"have " + b"ab" * 20, FLUSH)
    assert said == ends + _line(b"NAK\n")
    _v0(story, DETAILED + b" deepen-relative filter", b"want " + three, b"deepen 1", b"filter tree:0", FLUSH, b"done")
    assert story.asked[-1].deepen_relative
    assert story.asked[-1].filter == "tree:0"


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ((b"want " + b"ab" * 20 + b" everything", FLUSH, b"done"), "'everything'"),
        ((b"want " + b"ab" * 20 + b" object-format=sha256", FLUSH, b"done"), "sha256"),
        ((b"have " + b"ab" * 20, FLUSH), "no place among what is wanted"),
        ((b"want " + b"ab" * 20, FLUSH, b"want " + b"ab" * 20), "no place among what the client has"),
        ((b"want " + b"ab" * 20, FLUSH, DELIM), "no place"),
    ],
)
def test_bad_requests_by_v0(story: _Story, parts: tuple[bytes | object, ...], words: str) -> None:
    """In a sentence, as lines: nothing was sent before."""
    reply = upload_pack_v0.serve(story, _request(*parts))
    with pytest.raises(MicError, match=words):
        list(reply)
    assert reply.form is Form.LINES


def test_a_reply_can_be_given_up(story: _Story) -> None:
    """A client that went away costs nothing more."""
    reply: Reply = upload_pack.serve(
        story, _request(b"command=fetch", DELIM, b"want " + _hex(story.three), b"done", FLUSH)
    )
    reply.next_piece()
    reply.close()
    assert list(reply) == []


def test_an_answer_to_ls_refs_is_remembered_with_the_refs() -> None:
    """Asked the same, the same comes; asked otherwise, or when the refs are others, not."""
    repository = _Remembering()
    first = repository.commit({b"a": b"1"}, ref=b"refs/heads/main")
    asked = (b"peel", b"symrefs", b"ref-prefix refs/heads/", b"ref-prefix HEAD")
    said = _ls_refs(repository, *asked)
    assert said == [
        _hex(first) + b" HEAD symref-target:refs/heads/main\n", _hex(first) + b" refs/heads/main\n", b"0000",
    ]  # fmt: skip
    assert _ls_refs(repository, *asked) == said
    assert len(repository.said) == 1
    assert _ls_refs(repository, *asked[1:]) == said
    assert _ls_refs(repository, b"ref-prefix refs/heads/") == said[1:]
    assert _ls_refs(repository, b"ref-prefix refs/hea", b"ref-prefix ds") == said[1:]
    assert len(repository.said) == 4
    second = repository.commit({b"a": b"2"}, first, ref=b"refs/heads/main")
    repository.said = {}
    assert _ls_refs(repository, *asked)[1] == _hex(second) + b" refs/heads/main\n"
    for number in range(20):
        _ls_refs(repository, b"ref-prefix refs/tags/%d" % number)
    assert len(repository.said) <= 8


def test_answers_are_remembered_up_to_so_many_bytes_together(monkeypatch: pytest.MonkeyPatch) -> None:
    """300 refs are some 19,000 bytes here."""
    monkeypatch.setattr(upload_pack, "_SAID_BYTES", 40_000)
    repository = _Remembering()
    oid = repository.commit({b"a": b"1"})
    for folder in (b"a", b"b", b"c"):
        for number in range(300):
            repository.heads[b"refs/heads/%b/%05d" % (folder, number)] = oid
    for folder in (b"a", b"b"):
        said = _ls_refs(repository, b"ref-prefix refs/heads/%b/" % folder)
        assert len(said) == 301
        assert said[299] == _hex(oid) + b" refs/heads/%b/00299\n" % folder
        assert _ls_refs(repository, b"ref-prefix refs/heads/%b/" % folder) == said
    assert len(repository.said) == 2
    assert len(_ls_refs(repository)) == 901
    assert len(repository.said) == 2
    assert len(_ls_refs(repository, b"ref-prefix refs/heads/c/")) == 301
    assert len(repository.said) == 1


@pytest.mark.parametrize("size", [sideband.SMALL, sideband.LARGE])
def test_a_pack_in_bands_is_whole_whatever_its_pieces_are(size: int) -> None:
    data = bytes(range(256)) * 8_000
    for step in (1_000, 65_536, 700_000, len(data)):
        pieces = [memoryview(data)[at : at + step] for at in range(0, len(data), step)]
        lines = [_split(piece) for piece in sideband.pack_in_bands(pieces, size)]
        assert b"".join(_bands(each) for each in lines) == data
        # Full ones, but for the last.
        assert {len(text) for each in lines for text in each[:-1]} == {size + 1}
        assert sum(len(each) for each in lines) == -(-len(data) // size)


class _Remembering(FakeRepository):
    """A repository that remembers answers, until a test forgets them with the refs."""

    def __init__(self) -> None:
        super().__init__()
        self.said: dict[tuple[object, ...], bytes] = {}

    def refs(self) -> Refs:
        return super().refs()._replace(said=self.said)
