"""People, an organization and projects in a running forge, and plain calls to it through the typed surface."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import grpc
import zstandard

from forge_process import Forge
from mic.rpc.v1 import mic_pb2 as pb

_numbers = itertools.count(1)
METHODS: dict[str, Any] = {
    f"{service.name}.{method.name}": method
    for service in pb.DESCRIPTOR.services_by_name.values()
    for method in service.methods
}


class Refused(Exception):
    """A call that ended with an error: status, code, message and everything else that came back."""

    def __init__(self, error: Any) -> None:
        super().__init__(f"{error.code()}: {error.details()}")
        self.status: grpc.StatusCode = error.code()
        self.message: str = error.details()
        self.trailing: dict[str, Any] = dict(error.trailing_metadata() or ())
        self.code: str = self.trailing.get("mic-error-code", "")


class Caller:
    """Calls of one actor. `token` "" is nobody; `headers` go along as they are."""

    def __init__(self, address: str, token: str = "", **headers: str) -> None:
        options = [
            ("grpc.enable_http_proxy", 0),
            ("grpc.max_send_message_length", -1),
            ("grpc.use_local_subchannel_pool", 1),
        ]
        self.token = token
        self._channel = grpc.insecure_channel(address, [*options, ("grpc.max_receive_message_length", 64 << 20)])
        self._metadata = [*headers.items(), *([("authorization", f"Bearer {token}")] if token else [])]

    def __enter__(self) -> Caller:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()

    def start(self, name: str, request: Any, seconds: float = 20) -> Any:
        """The raw grpcio call, for tests that leave one half-way."""
        method = METHODS[name]
        arity = (
            ("stream" if method.client_streaming else "unary")
            + "_"
            + ("stream" if method.server_streaming else "unary")
        )
        call = getattr(self._channel, arity)(
            f"/mic.v1.{name.replace('.', '/')}",
            request_serializer=lambda message: message if isinstance(message, bytes) else message.SerializeToString(),
            response_deserializer=getattr(pb, method.output_type.name).FromString,
        )
        if method.client_streaming:
            request = iter(request)
        if method.server_streaming:
            return call(request, timeout=seconds, metadata=self._metadata)
        return call.future(request, timeout=seconds, metadata=self._metadata)

    def __call__(self, name: str, request: Any) -> Any:
        """The answer, or the list of answers of a stream. Raises Refused."""
        try:
            if METHODS[name].server_streaming:
                return list(self.start(name, request))
            return self.start(name, request).result()
        except grpc.RpcError as error:
            raise Refused(error) from None

    def refused(self, name: str, request: Any) -> Refused:
        """The error of a call that must not succeed."""
        try:
            answer = self(name, request)
        except Refused as error:
            return error
        raise AssertionError(f"{name} was not refused: {str(answer)[:300]}")


class World:
    """rita is admin, max a member, stan a stranger; `open` is public, `closed` private, both with one landing."""

    def __init__(self, forge: Forge) -> None:
        self.forge = forge
        self.organization = f"rpc{next(_numbers)}"
        names = ("rita", "max", "stan")
        self.rita, self.max, self.stan = (Caller(forge.grpc_address, forge.token(name)) for name in names)
        self.nobody = Caller(forge.grpc_address)
        self.rita("OrganizationService.CreateOrganization", pb.CreateOrganizationRequest(handle=self.organization))
        self.let_in("max")
        self.open, self.closed = self.project("open", "public"), self.project("closed", "private")
        for project in (self.open, self.closed):
            self.land(self.rita, project, {b"readme.txt": b"hello\n"})

    def close(self) -> None:
        """End all connections."""
        for caller in (self.rita, self.max, self.stan, self.nobody):
            caller.__exit__()

    def let_in(self, handle: str, role: str = "member", organization: str = "") -> None:
        """Make an account a member, by an invitation of rita's that it accepts; nothing for one that is in."""
        organization, token = organization or self.organization, self.forge.token(handle)
        invitation = pb.InviteMemberRequest(organization=organization, handle=handle, role=role)
        try:
            self.rita("OrganizationService.InviteMember", invitation)
        except Refused as error:
            if error.code != "already_exists":
                raise
            return
        with Caller(self.forge.grpc_address, token) as invited:
            invited("OrganizationService.AcceptInvitation", pb.AnswerInvitationRequest(organization=organization))

    def project(self, handle: str = "", visibility: str = "public") -> pb.ProjectRef:
        """A new project, empty."""
        handle = handle or f"p{next(_numbers)}"
        request = pb.CreateProjectRequest(organization=self.organization, handle=handle, visibility=visibility)
        self.rita("ProjectService.CreateProject", request)
        return pb.ProjectRef(organization=self.organization, handle=handle)

    def land(self, caller: Caller, project: pb.ProjectRef, files: Mapping[bytes, bytes], **fields: Any) -> Any:
        """Land new files, as one session; `fields` are of the session."""
        request = landing(project, files, **fields)
        return caller("SessionService.LandSession", request)


def session_id() -> bytes:
    """Sixteen bytes that no other session of this run has."""
    return hashlib.sha256(f"session {next(_numbers)}".encode()).digest()[:16]


def frame(data: bytes, *, zstd: bool = False) -> pb.BlobFrame:
    """A content in one frame."""
    sent = zstandard.compress(data) if zstd else data
    return pb.BlobFrame(
        hash=hashlib.sha256(data).digest(), size=len(data), length=len(data), data=sent, encoding=1 if zstd else 0
    )


def added(path: bytes, data: bytes, mode: int = 0o100644) -> pb.Change:
    """A new file."""
    return pb.Change(path=path, mode=mode, hash=hashlib.sha256(data).digest(), size=len(data))


def landing(project: pb.ProjectRef, files: Mapping[bytes, bytes], **fields: Any) -> pb.LandSessionRequest:
    """A request to land new files."""
    values = {"id": session_id(), "goal": "Add files"} | fields
    values.setdefault("changes", [added(path, data) for path, data in files.items()])
    unique = {data: frame(data) for data in files.values()}
    return pb.LandSessionRequest(project=project, session=pb.Session(**values), frames=unique.values())


def pushing(project: pb.ProjectRef, files: Mapping[bytes, bytes], **fields: Any) -> pb.PushSessionRequest:
    """A request to save new files, as `landing`."""
    request = landing(project, files, **fields)
    return pb.PushSessionRequest(project=project, session=request.session, frames=request.frames)


def commit(number: int, files: Mapping[bytes, bytes], **fields: Any) -> pb.ImportCommit:
    """A commit of a history, its id the SHA-1 of its bytes as Git has it."""
    raw = f"tree {number:040x}\n\nCommit {number}\n".encode()
    oid = hashlib.sha1(b"commit %d\x00" % len(raw) + raw).digest()
    values = {"author_name": "Ada", "author_email": "ada@example.org", "authored_at_ms": 1_700_000_000_000 + number}
    changes = [added(path, data) for path, data in files.items()]
    return pb.ImportCommit(
        **({"oid": oid, "raw": raw, "message": f"Commit {number}", "changes": changes} | values | fields)
    )


def history(project: pb.ProjectRef, count: int) -> Iterator[pb.ImportHistoryRequest]:
    """The messages of an import of `count` commits, one file each."""
    yield pb.ImportHistoryRequest(start=pb.ImportStart(project=project, source="test", commits=count))
    for number in range(count):
        data = f"content {number}\n".encode()
        name = f"f{number}.txt".encode()
        yield pb.ImportHistoryRequest(frames=[frame(data)], commits=[commit(number, {name: data})])
    yield pb.ImportHistoryRequest(finish=True)


def landed(world: World, project: pb.ProjectRef) -> int:
    """Position of the newest landing."""
    answer = world.rita("ProjectService.GetProject", pb.GetProjectRequest(project=project))
    return int(answer.project.head_position)


def upload(project: pb.ProjectRef, frames: Iterable[pb.BlobFrame]) -> Iterator[pb.UploadBlobsRequest]:
    """The messages of an upload, one a frame."""
    yield pb.UploadBlobsRequest(project=project)
    for item in frames:
        yield pb.UploadBlobsRequest(frames=[item])
