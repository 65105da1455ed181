"""SessionService: sessions and landings."""

from __future__ import annotations

import time
from typing import NamedTuple

from mic.core.codec import Reader
from mic.core.epoch import PackRef, read_pack_ref
from mic.core.errors import Conflicted, Corrupt, InvalidInput, TooLarge
from mic.core.pack import FOOTER_BYTES, MAX_PACK
from mic.core.paths import parse_path
from mic.core.session import Session
from mic.ledger.frame import whole
from mic.ledger.project import Landed
from mic.rpc.status import error_of
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio.accounts.actor import Actor
from micelio.databases import let_go
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import WAITS, bad_token, bounded, call, page_size, position
from micelio.organizations.policy import forget_roles
from micelio.projects.project_view import ProjectView
from micelio.sessions import actions, lander, later, queries
from micelio.sessions.begins import find_session
from micelio.sessions.blame import MAX_LINES, blame_file
from micelio.sessions.open_narrowed import WantedOpen, find_open_sessions
from micelio.sessions.path_landings import path_landings
from micelio.sessions.policy import require_write
from micelio.sessions.push import push_session
from micelio.sessions.refusal import Refusal

MAX_INLINE = 8 << 20
MAX_WAIT = 30_000  # milliseconds
# Another process may carry out what is waited for here; so often the store is asked, in seconds.
LOOK_AGAIN = 1.0


class Sessions(mic_pb2_grpc.SessionServiceServicer):
    """Start, land, abandon, look."""

    @call
    def StartSession(self, actor: Actor, request: pb.StartSessionRequest) -> pb.SessionResponse:
        project = convert.find_project(actor, request.project)
        session = actions.start_session(
            actor, project, request.goal, request.base_position, request.session_id, request.agent
        )
        return pb.SessionResponse(session=convert.session_message(actor, session))

    @call
    def LandSession(self, actor: Actor, request: pb.LandSessionRequest) -> pb.LandSessionResponse:
        project, session, contents, packs = _sent(actor, request)
        if request.asynchronous:
            before = later.land_later(actor, project, session, contents, packs, pushed=request.pushed)
            return _landed(actor, project, before) if before else _queued(session.id, session.goal)
        try:
            landed = actions.land(actor, project, session, contents, packs, pushed=request.pushed)
            return _landed(actor, project, landed)
        except Conflicted as error:
            clashes = [convert.clash_message(clash) for clash in error.details["clashes"]]
            return _conflicted(session.id, session.goal, clashes)

    @call
    def AwaitLanding(self, actor: Actor, request: pb.AwaitLandingRequest) -> pb.LandSessionResponse:
        project = convert.find_project(actor, request.project)
        if len(request.session_id) != 16:
            raise InvalidInput("A session id has 16 bytes.")
        found = _await(actor, project, request.session_id, min(request.wait_ms, MAX_WAIT) / 1000)
        if found is None:
            return _queued(request.session_id, "")
        if isinstance(found, Landed):
            return _landed(actor, project, found)
        if not found.clashes:
            raise error_of(found.code, found.message, found.hint)
        return _conflicted(request.session_id, "", [convert.told_clash_message(clash) for clash in found.clashes])

    @call
    def PushSession(self, actor: Actor, request: pb.PushSessionRequest) -> pb.SessionResponse:
        project, session, contents, packs = _sent(actor, request)
        after = request.after_ms if request.HasField("after_ms") else None
        kept = push_session(actor, project, session, contents, packs, after)
        return pb.SessionResponse(session=convert.session_message(actor, kept))

    @call
    def AbandonSession(self, actor: Actor, request: pb.AbandonSessionRequest) -> pb.SessionResponse:
        project = convert.find_project(actor, request.project)
        words = convert.session(request.session) if request.HasField("session") else None
        after = request.after_ms if request.HasField("after_ms") else None
        session = actions.abandon_session(actor, project, request.session_id, words, after)
        return pb.SessionResponse(session=convert.session_message(actor, session))

    @call
    def GetSession(self, actor: Actor, request: pb.GetSessionRequest) -> pb.SessionResponse:
        project = convert.find_project(actor, request.project)
        if request.WhichOneof("which") == "position":
            view = queries.get_landing(actor, project, request.position)
        elif request.WhichOneof("which") == "id_prefix":
            found = find_session(actor, project, request.id_prefix)
            view = queries.get_session(actor, project, found)
        else:
            if len(request.session_id) != 16:
                raise InvalidInput("A session id has 16 bytes.")
            view = queries.get_session(actor, project, request.session_id)
        return pb.SessionResponse(session=convert.landing_message(view))

    @call
    def ListSessions(self, actor: Actor, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
        project = convert.find_project(actor, request.project)
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        if request.goal or request.author or request.agent or request.path:
            return _narrowed(actor, project, request, size)
        if request.state == "landed":
            rows = queries.list_landings(actor, project, position(request.page_token), size)
            token = str(rows[-1].position) if len(rows) == size else ""
            return pb.ListSessionsResponse(sessions=map(convert.row_message, rows), next_page_token=token)
        if request.state not in ("", "active", "queued", "conflicted", "abandoned", "pending_review", "rejected"):
            raise InvalidInput(f"{request.state[:40]!r} is not a state of a session.")
        after = _hex(request.page_token)
        found = queries.list_open_sessions(actor, project, request.state, after, size, resumable=request.resumable)
        token = found[-1].session_id.hex() if len(found) == size else ""
        return pb.ListSessionsResponse(sessions=map(convert.open_message, found), next_page_token=token)

    @call
    def ListLandings(self, actor: Actor, request: pb.ListLandingsRequest) -> pb.ListLandingsResponse:
        project = convert.find_project(actor, request.project)
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        before = position(request.page_token) or bounded(request.before_position) or None
        if request.path:
            path, after = parse_path(request.path), bounded(request.after_position)
            touching = path_landings(actor, project, path, before, after, size)
            token = str(touching[-1].row.position) if len(touching) == size else ""
            found = [convert.touch_message(each) for each in touching]
            return pb.ListLandingsResponse(landings=found, next_page_token=token)
        if request.after_position:
            raise InvalidInput("`after_position` goes with a path.", hint="Name the path, or leave it out.")
        rows = queries.list_landings(actor, project, before, size)
        token = str(rows[-1].position) if len(rows) == size else ""
        return pb.ListLandingsResponse(landings=map(convert.row_message, rows), next_page_token=token)

    @call
    def BlameFile(self, actor: Actor, request: pb.BlameFileRequest) -> pb.BlameFileResponse:
        project = convert.find_project(actor, request.project)
        at = bounded(request.position) if request.WhichOneof("at") == "position" else None
        first, lines = max(bounded(request.first_line), 1), request.lines or MAX_LINES
        found = blame_file(actor, project, parse_path(request.path), at, first, lines, request.why)
        return convert.blame_message(found)


def _narrowed(
    actor: Actor, project: ProjectView, request: pb.ListSessionsRequest, size: int
) -> pb.ListSessionsResponse:
    if request.resumable or request.state == "landed":
        raise InvalidInput(
            "Only sessions that have not landed are narrowed down by goal, author, agent or path.",
            hint="Leave these out, or ask without `resumable` and for another state.",
        )
    path = parse_path(request.path) if request.path else b""
    wanted = WantedOpen(request.goal, request.author, request.agent, path, request.state)
    found, further = find_open_sessions(actor, project, wanted, _hex(request.page_token), size)
    return pb.ListSessionsResponse(sessions=map(convert.open_message, found), next_page_token=further.hex())


def _landed(actor: Actor, project: ProjectView, landed: Landed) -> pb.LandSessionResponse:
    return convert.landed_message(queries.landed_row(actor, project, landed), landed)


def _queued(session_id: bytes, goal: str) -> pb.LandSessionResponse:
    return pb.LandSessionResponse(session=pb.Session(id=session_id, state="queued", goal=goal), queued=True)


def _conflicted(session_id: bytes, goal: str, clashes: list[pb.Clash]) -> pb.LandSessionResponse:
    message = pb.Session(id=session_id, state="conflicted", goal=goal)
    return pb.LandSessionResponse(session=message, clashes=clashes)


def _await(actor: Actor, project: ProjectView, session_id: bytes, seconds: float) -> Landed | Refusal | None:
    """What became of an accepted landing, None when it still waits. Nobody waits when too many do: they ask again."""
    found = queries.standing(actor, project, session_id)
    end = time.monotonic() + seconds
    if found is not None or not seconds or not WAITS.acquire(blocking=False):
        return found
    try:
        while found is None and (left := end - time.monotonic()) > 0:
            let_go()
            lander.wait_for_any(min(left, LOOK_AGAIN))
            forget_roles()  # this request is not a short one
            found = queries.standing(actor, project, session_id)
        return found
    finally:
        WAITS.release()


class _Sent(NamedTuple):
    """A session as it comes in a call: contents whole, by hash, and packs that were uploaded before."""

    project: ProjectView
    session: Session
    contents: dict[bytes, bytes]
    packs: list[PackRef]


def _sent(actor: Actor, request: pb.LandSessionRequest | pb.PushSessionRequest) -> _Sent:
    project = convert.find_project(actor, request.project)
    require_write(actor, project)  # before anything is unpacked
    session = convert.session(request.session)
    frames = [convert.frame(frame) for frame in request.frames]
    if sum(frame.length for frame in frames) > MAX_INLINE:
        raise TooLarge(f"More than {MAX_INLINE} bytes of contents inside one call.", hint="Upload them first.")
    contents = {frame.hash: whole(frame) for frame in frames}
    return _Sent(project, session, contents, [_pack(receipt) for receipt in request.packs])


def _pack(receipt: bytes) -> PackRef:
    try:
        reader = Reader(receipt, "the receipt of an upload")
        pack = read_pack_ref(reader)
        reader.done()
        if not FOOTER_BYTES <= pack.size <= MAX_PACK:
            raise reader.fail(f"a pack of {pack.size} bytes")
    except Corrupt as error:
        raise InvalidInput("That is not the receipt of an upload.") from error
    return pack


def _hex(token: str) -> bytes:
    try:
        return bytes.fromhex(token)
    except ValueError as error:
        raise bad_token() from error
