"""Contents and histories through the typed surface: complete, interrupted, left half-way, and never what they say."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
import zstandard

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import METHODS, Caller, Refused, World, added, commit, frame, history, landed, landing, upload

MIB = 1 << 20


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    return world.project()


def _large(data: bytes, part: int = MIB) -> list[pb.BlobFrame]:
    name = hashlib.sha256(data).digest()
    return [
        pb.BlobFrame(hash=name, size=len(data), offset=at, length=len(data[at : at + part]), data=data[at : at + part])
        for at in range(0, len(data), part)
    ]


def _bytes_of(chunks: list[Any]) -> bytes:
    frames = [item for chunk in chunks for item in chunk.frames]
    assert [item.offset for item in frames] == sorted(item.offset for item in frames)
    return b"".join(
        zstandard.ZstdDecompressor().decompress(item.data, max_output_size=item.length) if item.encoding else item.data
        for item in frames
    )


def test_contents_come_back_as_they_were_sent(world: World, project: pb.ProjectRef) -> None:
    """Small, empty and of 9 MiB in parts; only what landed is held, and only by this project."""
    large = os.urandom(9 * MIB)
    small, empty = b"small", b""
    answer = world.max("ProjectService.UploadBlobs", upload(project, [frame(small), *_large(large), frame(empty)]))
    assert (answer.blobs, answer.bytes) == (3, len(large) + 5)
    wanted = b"".join(hashlib.sha256(data).digest() for data in (small, empty, large))
    missing = pb.FindMissingBlobsRequest(project=project, hashes=wanted)
    assert world.max("ProjectService.FindMissingBlobs", missing).hashes == wanted
    assert world.max.refused("ProjectService.StreamBlobs", pb.StreamBlobsRequest(project=project, hashes=wanted))
    request = landing(project, {}, changes=[added(b"s", small), added(b"e", empty), added(b"l", large)])
    request.packs.extend(answer.packs)
    world.max("SessionService.LandSession", request)
    assert world.nobody("ProjectService.FindMissingBlobs", missing).hashes == b""
    for data in (small, empty, large):
        one = pb.StreamBlobsRequest(project=project, hashes=hashlib.sha256(data).digest())
        assert _bytes_of(world.nobody("ProjectService.StreamBlobs", one)) == data
    elsewhere = pb.FindMissingBlobsRequest(project=world.open, hashes=wanted)
    assert world.max("ProjectService.FindMissingBlobs", elsewhere).hashes == wanted


def test_contents_come_in_columns_where_that_is_asked_for(world: World, project: pb.ProjectRef) -> None:
    """Those that are one frame; of a large one come frames, as ever."""
    large = os.urandom(9 * MIB)
    small = [b"", b"small", *(b"%d\n" % number * number for number in range(300))]
    sent = upload(project, [*_large(large), *map(frame, small)])
    request = landing(
        project, {}, changes=[added(b"l", large), *(added(b"%d" % at, data) for at, data in enumerate(small))]
    )
    request.packs.extend(world.max("ProjectService.UploadBlobs", sent).packs)
    world.max("SessionService.LandSession", request)
    named = {hashlib.sha256(data).digest(): data for data in (*small, large)}
    wanted = pb.StreamBlobsRequest(project=project, hashes=b"".join(named), columns=True)
    found: dict[bytes, bytes] = {}
    for chunk in world.nobody("ProjectService.StreamBlobs", wanted):
        columns, at = chunk.columns, 0
        assert not (columns.hashes and chunk.frames)
        for number, (size, length) in enumerate(zip(columns.sizes, columns.lengths, strict=True)):
            inflated = zstandard.ZstdDecompressor().decompress(columns.data[at : at + length], max_output_size=size)
            found[columns.hashes[32 * number : 32 * number + 32]] = inflated
            at += length
        for part in chunk.frames:
            found[part.hash] = found.get(part.hash, b"") + _bytes_of([pb.BlobChunk(frames=[part])])
    assert found == named


@pytest.mark.parametrize("name", ["ProjectService.StreamBlobs", "ProjectService.FindMissingBlobs"])
def test_a_column_of_hashes_is_of_whole_ones_and_bounded(world: World, name: str) -> None:
    """At most 10,000 of 32 bytes each."""
    kind = {"ProjectService.StreamBlobs": pb.StreamBlobsRequest}.get(name, pb.FindMissingBlobsRequest)
    for length in (1, 31, 33, 32 * 10_001, 32 * 100_000):
        assert world.rita.refused(name, kind(project=world.open, hashes=bytes(length))).code == "invalid_input"
    if kind is pb.FindMissingBlobsRequest:
        assert len(world.rita(name, kind(project=world.open, hashes=bytes(320_000))).hashes) == 320_000


def test_list_pages_that_are_asked_about(world: World, project: pb.ProjectRef) -> None:
    """A page counts as present with all its chunks; what is no page is refused, as are more than 1,000 at once."""
    name = "ProjectService.FindMissingBlobs"
    chunk = b"a chunk" * 3000
    entry = hashlib.sha256(chunk).digest() + len(chunk).to_bytes(4, "big")
    page = b"MICC\x00\x00\x00\x01" + entry
    wanted = hashlib.sha256(page).digest()
    ask = pb.FindMissingBlobsRequest(project=project, pages=wanted)
    assert (world.max(name, ask).pages, world.max(name, ask).hashes) == (wanted, b"")
    world.max("SessionService.LandSession", landing(project, {b"page": page}))
    assert world.max(name, ask).pages == wanted
    world.max("SessionService.LandSession", landing(project, {b"chunk": chunk}, base_position=1))
    assert world.max(name, ask).pages == b""
    no_page = pb.FindMissingBlobsRequest(project=project, pages=hashlib.sha256(chunk).digest())
    assert world.max.refused(name, no_page).code == "invalid_input"
    for length in (31, 32 * 1001):
        many = pb.FindMissingBlobsRequest(project=project, pages=bytes(length))
        assert world.max.refused(name, many).code == "invalid_input"


def test_what_is_no_message_ends_the_call_and_not_the_forge(world: World) -> None:
    """More than 64 MiB, garbage, half a message: each has the answer of a request that cannot be meant."""
    statuses = []
    for sent in (bytes(65 * MIB), b"\xff\xff\xff", landing(world.open, {b"a": b"a"}).SerializeToString()[:-1]):
        try:
            world.max.start("SessionService.LandSession", sent).result()
        except grpc.RpcError as error:
            statuses.append(Refused(error).status)
    assert statuses == [
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.INVALID_ARGUMENT,
    ]
    assert landed(world, world.open) == 1


def test_names_of_a_megabyte_are_refused_in_a_sentence(world: World) -> None:
    """The error still fits into what a client takes as trailing metadata."""
    long = "é" * MIB
    ref = pb.ProjectRef(organization=long, handle=long)
    for name, request in (
        ("ProjectService.GetProject", pb.GetProjectRequest(project=ref)),
        ("OrganizationService.GetOrganization", pb.GetOrganizationRequest(handle=long)),
        ("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=long)),
        ("ProjectService.CreateProject", pb.CreateProjectRequest(organization=world.organization, handle=long)),
    ):
        refused = world.rita.refused(name, request)
        assert refused.code in ("not_found", "invalid_input")
        assert 0 < len(refused.message) <= 500


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"hash": bytes(32)}, "invalid_input"),
        ({"hash": b""}, "invalid_input"),
        ({"offset": 5}, "invalid_input"),
        ({"size": 2 * MIB}, "invalid_input"),
        ({"length": 9 * MIB, "size": 9 * MIB}, "too_large"),
        ({"size": 1 << 62}, "too_large"),
        ({"encoding": 1}, "invalid_input"),
        ({"encoding": 9}, "invalid_input"),
    ],
    ids=str,
)
def test_an_upload_that_is_not_what_it_says_is_refused(
    world: World, project: pb.ProjectRef, change: dict[str, Any], code: str
) -> None:
    """By code; nothing of it can be landed."""
    wrong = frame(os.urandom(MIB))
    for name, value in change.items():
        setattr(wrong, name, value)
    if change == {"encoding": 9}:
        wrong.data = wrong.data[:-1]  # an unknown encoding is read as plain bytes
    assert world.max.refused("ProjectService.UploadBlobs", upload(project, [wrong])).code == code


def test_parts_come_in_order_one_content_at_a_time(world: World, project: pb.ProjectRef) -> None:
    """Swapped, repeated, mixed and missing parts."""
    first, second = _large(os.urandom(3 * MIB)), _large(os.urandom(2 * MIB))
    for parts in (
        [first[1], first[0], first[2]],
        [first[0], first[0]],
        [first[0], second[0], first[1], first[2]],
        first[:2],
    ):
        assert world.max.refused("ProjectService.UploadBlobs", upload(project, parts)).code == "invalid_input"


@pytest.mark.parametrize("name", ["ProjectService.UploadBlobs", "ProjectService.ImportHistory"])
def test_a_stream_that_says_nothing_is_refused(world: World, name: str) -> None:
    """No message at all, or a first one that names no project."""
    kind = {"ProjectService.UploadBlobs": pb.UploadBlobsRequest}.get(name, pb.ImportHistoryRequest)
    assert world.max.refused(name, []).code == "invalid_input"
    assert world.max.refused(name, [kind()]).code in ("invalid_input", "not_found")


def test_a_history_lands_whole_with_authors_and_ids(world: World, project: pb.ProjectRef) -> None:
    """Each commit a landing, oldest first; the project then takes no second history."""
    answers = world.max("ProjectService.ImportHistory", history(project, 3))
    assert (answers[-1].done, answers[-1].position, answers[-1].landed) == (True, 3, 3)
    assert not any(answer.done for answer in answers[:-1])
    rows = world.nobody("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings
    assert [(row.landed_position, row.goal, row.author.name) for row in rows] == [
        (3, "Commit 2", "Ada"),
        (2, "Commit 1", "Ada"),
        (1, "Commit 0", "Ada"),
    ]
    assert [row.git_commit for row in reversed(rows)] == [commit(number, {}).oid for number in range(3)]
    assert world.max.refused("ProjectService.ImportHistory", history(project, 3)).code == "invalid_input"


def _wrong_histories() -> dict[str, Callable[[pb.ProjectRef], list[pb.ImportHistoryRequest]]]:
    def whole(project: pb.ProjectRef) -> list[pb.ImportHistoryRequest]:
        return list(history(project, 3))

    def with_commit(project: pb.ProjectRef, bad: pb.ImportCommit) -> list[pb.ImportHistoryRequest]:
        return [*whole(project)[:1], pb.ImportHistoryRequest(frames=[frame(b"x")], commits=[bad], finish=True)]

    raw = commit(0, {})
    return {
        "ends in the middle": lambda p: whole(p)[:3],
        "no finish": lambda p: whole(p)[:-1],
        "one commit short": lambda p: [*whole(p)[:3], whole(p)[-1]],
        "no commit": lambda p: [*whole(p)[:1], whole(p)[-1]],
        "content not sent": lambda p: with_commit(p, commit(0, {b"a": b"never sent"})),
        "wrong content": lambda p: [*whole(p)[:1], pb.ImportHistoryRequest(frames=[pb.BlobFrame(hash=bytes(32))])],
        "path": lambda p: with_commit(p, commit(0, {b"../a": b"x"})),
        "nul": lambda p: with_commit(p, commit(0, {b"a\x00": b"x"})),
        "long path": lambda p: with_commit(p, commit(0, {b"a" * 16_385: b"x"})),
        "op": lambda p: with_commit(p, commit(0, {}, changes=[pb.Change(path=b"a", op=7)])),  # type: ignore[arg-type]
        "mode": lambda p: with_commit(p, commit(0, {}, changes=[added(b"a", b"x", 0)])),
        "size": lambda p: with_commit(
            p, commit(0, {}, changes=[pb.Change(path=b"a", mode=0o100644, hash=frame(b"x").hash, size=1 << 40)])
        ),
        "twice": lambda p: with_commit(p, commit(0, {}, changes=[added(b"a", b"x"), added(b"a", b"x")])),
        "file and directory": lambda p: with_commit(p, commit(0, {b"a": b"x", b"a/b": b"x"})),
        "another id": lambda p: with_commit(p, commit(0, {}, oid=bytes(20))),
        "no id": lambda p: with_commit(p, commit(0, {}, oid=b"")),
        "short id": lambda p: with_commit(p, commit(0, {}, oid=raw.oid[:19])),
        "other bytes": lambda p: with_commit(p, commit(0, {}, raw=raw.raw + b"x")),
    }


WRONG_HISTORIES = _wrong_histories()


@pytest.mark.parametrize("what", sorted(WRONG_HISTORIES))
def test_a_history_that_is_not_whole_leaves_nothing_and_can_be_sent_again(
    world: World, project: pb.ProjectRef, what: str
) -> None:
    """Nothing visible: no landing, no file, no session; the next run starts clean and works."""
    refused = world.max.refused("ProjectService.ImportHistory", WRONG_HISTORIES[what](project))
    assert refused.code in ("invalid_input", "invalid_path")
    assert landed(world, project) == 0
    assert len(world.max("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings) == 0
    assert len(world.max("SessionService.ListSessions", pb.ListSessionsRequest(project=project)).sessions) == 0
    assert world.max("ProjectService.ImportHistory", history(project, 3))[-1].position == 3


@pytest.mark.parametrize("authored", [-(1 << 63), -1, (1 << 63) - 1])
def test_a_commit_from_any_time_is_taken_and_shown(world: World, project: pb.ProjectRef, authored: int) -> None:
    """Commits before 1970 and in the year 292 million exist; dates are cut to what calendars hold."""
    messages = [
        pb.ImportHistoryRequest(start=pb.ImportStart(project=project)),
        pb.ImportHistoryRequest(frames=[frame(b"x")], commits=[commit(0, {b"a": b"x"}, authored_at_ms=authored)]),
        pb.ImportHistoryRequest(finish=True),
    ]
    assert world.max("ProjectService.ImportHistory", messages)[-1].position == 1
    row = world.max("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings[0]
    assert 0 <= row.created_at_ms <= 253_402_300_799_000


def test_a_large_content_of_a_history_may_come_in_parts(world: World, project: pb.ProjectRef) -> None:
    """Beside small ones, in one commit, and in the next one again."""
    large = os.urandom(5 * MIB)
    files = {b"large": large, b"small": b"x"}
    frames = [pb.ImportHistoryRequest(frames=[part]) for part in [*_large(large), frame(b"x")]]
    messages = [
        pb.ImportHistoryRequest(start=pb.ImportStart(project=project, commits=2)),
        *frames,
        pb.ImportHistoryRequest(commits=[commit(0, files), commit(1, {b"copy": large})], finish=True),
    ]
    assert world.max("ProjectService.ImportHistory", messages)[-1].position == 2
    request = pb.StreamBlobsRequest(project=project, hashes=hashlib.sha256(large).digest())
    assert _bytes_of(world.nobody("ProjectService.StreamBlobs", request)) == large


def test_a_size_is_that_of_the_content_wherever_it_lies(world: World, project: pb.ProjectRef) -> None:
    """Contents that are in the store already, whole or in chunks, are not taken at their word either."""
    large = os.urandom(5 * MIB)
    frames = [pb.ImportHistoryRequest(frames=[part]) for part in [*_large(large), frame(b"x")]]
    for data in (b"x", large):
        lie = pb.Change(path=b"lie", mode=0o100644, hash=hashlib.sha256(data).digest(), size=len(data) + 1)
        messages = [
            pb.ImportHistoryRequest(start=pb.ImportStart(project=project)),
            *frames,
            # 128 landings fill an epoch: what came before lies in the store from then on.
            pb.ImportHistoryRequest(commits=[commit(0, {b"x": b"x", b"large": large})]),
            pb.ImportHistoryRequest(commits=[commit(number, {}) for number in range(1, 130)]),
            pb.ImportHistoryRequest(commits=[commit(130, {}, changes=[lie])], finish=True),
        ]
        assert world.max.refused("ProjectService.ImportHistory", messages).code == "invalid_input"
    assert landed(world, project) == 0


def test_contents_before_a_commit_do_not_pile_up_in_memory(world: World, project: pb.ProjectRef) -> None:
    """80 MiB of small contents before the first commit: all but the first 24 MiB wait as packs, and then land."""
    datas = [os.urandom(MIB) for _ in range(80)]

    def messages() -> Iterator[pb.ImportHistoryRequest]:
        yield pb.ImportHistoryRequest(start=pb.ImportStart(project=project, commits=1))
        for data in datas:
            yield pb.ImportHistoryRequest(frames=[frame(data)])
        files = {f"{number}".encode(): data for number, data in enumerate(datas)}
        yield pb.ImportHistoryRequest(commits=[commit(0, files)], finish=True)

    assert world.max("ProjectService.ImportHistory", messages())[-1].position == 1
    found = world.max("ProjectService.GetProject", pb.GetProjectRequest(project=project)).project
    packs = list((world.forge.data_dir / "store" / "projects" / found.id.replace("-", "") / "packs").glob("*.pack"))
    assert sum(pack.stat().st_size for pack in packs) > 50 * MIB
    request = pb.StreamBlobsRequest(project=project, hashes=frame(datas[-1]).hash)
    assert _bytes_of(world.nobody("ProjectService.StreamBlobs", request)) == datas[-1]


def _open_files(forge: Forge) -> list[str]:
    """Deleted files that the forge holds open: what an upload spools to. The database's own are not counted."""
    folder = Path(f"/proc/{forge.process.pid}/fd")
    names = []
    for entry in folder.iterdir():
        try:
            names.append(os.readlink(entry))
        except FileNotFoundError:
            continue
    return [name for name in names if name.endswith("(deleted)")]


class _Held:
    """Messages of a stream that stays open until it is let go; `reached` is set when all have been taken."""

    def __init__(self, messages: list[Any]) -> None:
        self._messages = messages
        self.reached, self.go = threading.Event(), threading.Event()

    def __iter__(self) -> Iterator[Any]:
        yield from self._messages
        self.reached.set()
        self.go.wait(timeout=50)


def _until(condition: Callable[[], bool]) -> bool:
    """Asks the forge again and again, which is the only thing that can be waited on in another process."""
    pause = threading.Event()
    for _ in range(1600):
        if condition():
            return True
        pause.wait(0.025)
    return False


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
@pytest.mark.parametrize("name", ["ProjectService.UploadBlobs", "ProjectService.ImportHistory"])
def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(own_forge: Forge, name: str) -> None:
    """Twenty clients in turn, each gone in the middle of a large content: no open file, no taken place."""
    world = World(own_forge)
    project = world.project()
    part = _large(os.urandom(6 * MIB))[0]
    first: list[Any] = (
        [pb.UploadBlobsRequest(project=project), pb.UploadBlobsRequest(frames=[part])]
        if name == "ProjectService.UploadBlobs"
        else [pb.ImportHistoryRequest(start=pb.ImportStart(project=project)), pb.ImportHistoryRequest(frames=[part])]
    )
    for _ in range(20):
        held = _Held(first)
        call = world.max.start(name, held)
        assert held.reached.wait(20)
        assert _until(lambda: len(_open_files(own_forge)) > 0)
        call.cancel()
        held.go.set()
        assert _until(lambda: not _open_files(own_forge))
    assert landed(world, project) == 0
    assert world.max("ProjectService.ImportHistory", history(project, 2))[-1].position == 2
    assert own_forge.log() == ""
    world.close()


def test_streams_that_say_nothing_do_not_stop_the_forge(own_forge: Forge) -> None:
    """Visitors are sent away before they are listened to; members' idle streams take some places and not all."""
    world = World(own_forge)
    kinds = ["ProjectService.UploadBlobs", "ProjectService.ImportHistory"]
    helds = [_Held([]) for _ in range(60)]
    calls = [world.nobody.start(kinds[number % 2], held) for number, held in enumerate(helds)]
    for number, (held, call) in enumerate(zip(helds, calls, strict=True)):
        with pytest.raises(grpc.RpcError) as caught:
            list(call) if METHODS[kinds[number % 2]].server_streaming else call.result()
        assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
        held.go.set()
    helds = [_Held([]) for _ in range(60)]
    calls = [world.max.start("ProjectService.UploadBlobs", held, seconds=50) for held in helds]
    assert _until(lambda: sum(call.done() for call in calls) == 44)
    refusals = {Refused(call.exception()).code for call in calls if call.done()}
    assert refusals == {"busy"}
    with Caller(own_forge.grpc_address) as visitor:
        answer = visitor("ProjectService.GetProject", pb.GetProjectRequest(project=world.open))
    assert answer.project.head_position == 1
    for held, call in zip(helds, calls, strict=True):
        call.cancel()
        held.go.set()

    def served() -> bool:
        try:
            world.max("ProjectService.UploadBlobs", upload(world.open, [frame(b"again")]))
        except Refused as error:
            if error.code != "busy":
                raise
            return False
        return True

    assert _until(served)
    world.close()


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs /proc")
def test_a_reader_that_stops_reading_frees_its_place(own_forge: Forge) -> None:
    """Forty downloads begun and dropped, one after the other: more than there are places."""
    world = World(own_forge)
    datas = {f"{number}".encode(): os.urandom(MIB) for number in range(7)}
    world.land(world.max, world.open, datas, base_position=1)
    column = b"".join(hashlib.sha256(data).digest() for data in datas.values())
    request = pb.StreamBlobsRequest(project=world.open, hashes=column)

    def begun() -> bool:
        call = world.nobody.start("ProjectService.StreamBlobs", request)
        try:
            next(call)
        except grpc.RpcError as error:
            if Refused(error).code != "busy":
                raise
            return False
        finally:
            call.cancel()
        return True

    for _ in range(40):
        assert _until(begun)
    world.close()
