"""SessionService: sessions and landings."""

from __future__ import annotations

from mic.core.codec import Reader
from mic.core.epoch import PackRef, read_pack_ref
from mic.core.errors import Conflicted, Corrupt, InvalidInput, TooLarge
from mic.core.pack import FOOTER_BYTES, MAX_PACK
from mic.ledger.frame import whole
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio.accounts.actor import Actor
from micelio.edge.rpc import convert
from micelio.edge.rpc.guard import bad_token, bounded, call, page_size, position
from micelio.sessions import actions, queries
from micelio.sessions.policy import require_write

MAX_INLINE = 8 << 20


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
        project = convert.find_project(actor, request.project)
        require_write(actor, project)  # before anything is unpacked
        session = convert.session(request.session)
        frames = [convert.frame(frame) for frame in request.frames]
        if sum(frame.length for frame in frames) > MAX_INLINE:
            raise TooLarge(f"More than {MAX_INLINE} bytes of contents inside one call.", hint="Upload them first.")
        contents = {frame.hash: whole(frame) for frame in frames}
        packs = [_pack(receipt) for receipt in request.packs]
        try:
            landed = actions.land(actor, project, session, contents, packs)
        except Conflicted as error:
            clashes = [convert.clash_message(clash) for clash in error.details["clashes"]]
            message = pb.Session(id=session.id, state="conflicted", goal=session.goal)
            return pb.LandSessionResponse(session=message, clashes=clashes)
        return pb.LandSessionResponse(
            session=convert.row_message(queries.get_row(actor, project, landed.position)),
            position=landed.position,
            tree=landed.tree,
            merged=map(convert.change_message, landed.merged),
            already_landed=landed.already,
        )

    @call
    def AbandonSession(self, actor: Actor, request: pb.AbandonSessionRequest) -> pb.SessionResponse:
        project = convert.find_project(actor, request.project)
        session = actions.abandon_session(actor, project, request.session_id)
        return pb.SessionResponse(session=convert.session_message(actor, session))

    @call
    def GetSession(self, actor: Actor, request: pb.GetSessionRequest) -> pb.SessionResponse:
        project = convert.find_project(actor, request.project)
        if request.WhichOneof("which") == "position":
            view = queries.get_landing(actor, project, request.position)
        else:
            if len(request.session_id) != 16:
                raise InvalidInput("A session id has 16 bytes.")
            view = queries.get_session(actor, project, request.session_id)
        return pb.SessionResponse(session=convert.landing_message(view))

    @call
    def ListSessions(self, actor: Actor, request: pb.ListSessionsRequest) -> pb.ListSessionsResponse:
        project = convert.find_project(actor, request.project)
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        if request.state == "landed":
            rows = queries.list_landings(actor, project, position(request.page_token), size)
            token = str(rows[-1].position) if len(rows) == size else ""
            return pb.ListSessionsResponse(sessions=map(convert.row_message, rows), next_page_token=token)
        if request.state not in ("", "active", "conflicted", "abandoned", "pending_review", "rejected"):
            raise InvalidInput(f"{request.state[:40]!r} is not a state of a session.")
        after = _hex(request.page_token)
        found = queries.list_open_sessions(actor, project, request.state, after, size)
        token = found[-1].session_id.hex() if len(found) == size else ""
        return pb.ListSessionsResponse(sessions=map(convert.open_message, found), next_page_token=token)

    @call
    def ListLandings(self, actor: Actor, request: pb.ListLandingsRequest) -> pb.ListLandingsResponse:
        project = convert.find_project(actor, request.project)
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        before = position(request.page_token) or bounded(request.before_position) or None
        rows = queries.list_landings(actor, project, before, size)
        token = str(rows[-1].position) if len(rows) == size else ""
        return pb.ListLandingsResponse(landings=map(convert.row_message, rows), next_page_token=token)


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
