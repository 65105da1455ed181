"""ProjectService: projects, trees, contents, histories."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from mic.core.epoch import encode_pack_ref
from mic.core.errors import InvalidInput
from mic.core.paths import parse_path
from mic.core.session import Author, Op
from mic.ledger.frame import Frame
from mic.ledger.history import HistoryCommit
from mic.rpc.v1 import mic_pb2 as pb
from mic.rpc.v1 import mic_pb2_grpc
from micelio.accounts.actor import Actor, require_signed_in
from micelio.discovery import queries as discovery
from micelio.edge.rpc import convert
from micelio.edge.rpc.branches import Branches
from micelio.edge.rpc.exports import ArchiveImports
from micelio.edge.rpc.forge_archives import ForgeArchives
from micelio.edge.rpc.guard import DOWNLOADS, UPLOADS, bad_token, call, hashes, page_size, position, slot, stream
from micelio.edge.rpc.imports import Imports
from micelio.edge.rpc.searching import Searching
from micelio.projects import actions, deletion, members, moves, protection, queries, stars
from micelio.projects.ledgers import open_ledger
from micelio.projects.ownership import explain_owners
from micelio.sessions import actions as sessions
from micelio.sessions.intake import HistoryIntake
from micelio.sessions.push import pushed

# A message of contents is sent when it has grown past this; the limit of a message is 64 MiB.
CHUNK_BYTES = 1 << 20
MAX_TREE_PAGE = 10_000
# Each list page that is asked about is read from the store.
MAX_PAGES = 1_000


class Projects(ArchiveImports, Branches, ForgeArchives, Imports, Searching, mic_pb2_grpc.ProjectServiceServicer):
    """Projects and what is in them."""

    @call
    def CreateProject(self, actor: Actor, request: pb.CreateProjectRequest) -> pb.ProjectResponse:
        made = actions.create_project(
            actor,
            request.organization,
            request.handle,
            request.name,
            request.description,
            request.visibility,
            request.fork_from,
        )
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def UpdateProject(self, actor: Actor, request: pb.UpdateProjectRequest) -> pb.ProjectResponse:
        wanted: dict[str, Any] = {
            name: getattr(request, name) for name in ("name", "description", "visibility") if request.HasField(name)
        }
        if request.HasField("topics"):
            wanted["topics"] = list(request.topics.names)
        made = actions.update_project(actor, request.project.organization, request.project.handle, **wanted)
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def RenameProject(self, actor: Actor, request: pb.RenameProjectRequest) -> pb.ProjectResponse:
        made = moves.rename_project(actor, request.project.organization, request.project.handle, request.handle)
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def TransferProject(self, actor: Actor, request: pb.TransferProjectRequest) -> pb.ProjectResponse:
        at = request.project
        made = moves.transfer_project(actor, at.organization, at.handle, request.organization, request.handle)
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def ArchiveProject(self, actor: Actor, request: pb.ArchiveProjectRequest) -> pb.ProjectResponse:
        at = request.project
        made = moves.archive_project(actor, at.organization, at.handle, archived=not request.undo)
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def DeleteProject(self, actor: Actor, request: pb.DeleteProjectRequest) -> pb.DeleteProjectResponse:
        done = deletion.delete_project(actor, request.project.organization, request.project.handle)
        return pb.DeleteProjectResponse(forks=done.forks, restorable_until_ms=convert.ms(done.until))

    @call
    def RestoreProject(self, actor: Actor, request: pb.RestoreProjectRequest) -> pb.ProjectResponse:
        made = deletion.restore_project(actor, request.project.organization, request.project.handle)
        return pb.ProjectResponse(project=convert.whole_project(actor, made))

    @call
    def ListDeletedProjects(
        self, actor: Actor, request: pb.ListDeletedProjectsRequest
    ) -> pb.ListDeletedProjectsResponse:
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = deletion.list_deleted(actor, request.organization, request.page_token, size)
        token = found[-1].handle if len(found) == size else ""
        return pb.ListDeletedProjectsResponse(projects=map(convert.deleted_project, found), next_page_token=token)

    @call
    def ProtectProject(self, actor: Actor, request: pb.ProtectProjectRequest) -> pb.ProtectionResponse:
        at, wanted = request.project, request.protection
        lines = [protection.LineRule(rule.lines, tuple(rule.who)) for rule in wanted.lines]
        made = protection.protect_project(actor, at.organization, at.handle, lines=lines, paths=wanted.paths)
        return convert.protection_response(protection.get_protection(actor, made))

    @call
    def GetProtection(self, actor: Actor, request: pb.GetProtectionRequest) -> pb.ProtectionResponse:
        project = convert.find_project(actor, request.project)
        return convert.protection_response(protection.get_protection(actor, project))

    @call
    def ExplainOwners(self, actor: Actor, request: pb.ExplainOwnersRequest) -> pb.ExplainOwnersResponse:
        project = convert.find_project(actor, request.project)
        at = request.position if request.WhichOneof("at") == "position" else None
        return convert.ownership(explain_owners(actor, project, request.path, at))

    @call
    def StarProject(self, actor: Actor, request: pb.StarProjectRequest) -> pb.StarResponse:
        found = stars.star_project(actor, request.project.organization, request.project.handle)
        return pb.StarResponse(stars=found.total, starred=found.own)

    @call
    def UnstarProject(self, actor: Actor, request: pb.StarProjectRequest) -> pb.StarResponse:
        found = stars.star_project(actor, request.project.organization, request.project.handle, starred=False)
        return pb.StarResponse(stars=found.total, starred=found.own)

    @call
    def ListStars(self, actor: Actor, request: pb.ListStarsRequest) -> pb.ListProjectsResponse:
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = stars.list_stars(actor, request.page_token, size)
        token = found[-1].token if len(found) == size else ""
        return pb.ListProjectsResponse(
            projects=[convert.project(item.project) for item in found], next_page_token=token
        )

    @call
    def GetProject(self, actor: Actor, request: pb.GetProjectRequest) -> pb.ProjectResponse:
        found = convert.find_project(actor, request.project)
        return pb.ProjectResponse(project=convert.whole_project(actor, found))

    @call
    def ListProjects(self, actor: Actor, request: pb.ListProjectsRequest) -> pb.ListProjectsResponse:
        size = page_size(request.page_size, most=queries.MAX_PAGE)
        found = queries.list_projects(actor, request.organization, request.page_token, size)
        token = f"{found[-1].owner}/{found[-1].handle}" if len(found) == size else ""
        return pb.ListProjectsResponse(projects=map(convert.project, found), next_page_token=token)

    @call
    def ExploreProjects(self, actor: Actor, request: pb.ExploreProjectsRequest) -> pb.ExploreProjectsResponse:
        size = page_size(request.page_size, most=discovery.MAX_PAGE)
        order, topic, language = request.order or "popular", request.topic, request.language
        found = discovery.explore(actor, order, topic, language, request.page_token, size + 1)
        more = found[size - 1].token if len(found) > size else ""
        return pb.ExploreProjectsResponse(projects=map(_explored, found[:size]), next_page_token=more)

    @call
    def ListProjectMembers(self, actor: Actor, request: pb.ListProjectMembersRequest) -> pb.ListMembersResponse:
        size = page_size(request.page_size, most=members.MAX_PAGE)
        project = convert.find_project(actor, request.project)
        found = members.list_project_members(actor, project, request.page_token, size)
        token = found[-1].handle if len(found) == size else ""
        return pb.ListMembersResponse(members=map(convert.member, found), next_page_token=token)

    @call
    def SetProjectMember(self, actor: Actor, request: pb.SetProjectMemberRequest) -> pb.MemberResponse:
        project, role = request.project, request.role or "member"
        made = members.set_project_member(actor, project.organization, project.handle, request.handle, role)
        return pb.MemberResponse(member=convert.member(made))

    @call
    def RemoveProjectMember(self, actor: Actor, request: pb.RemoveProjectMemberRequest) -> pb.RemoveMemberResponse:
        project = request.project
        members.remove_project_member(actor, project.organization, project.handle, request.handle)
        return pb.RemoveMemberResponse()

    @call
    def GetProjectTree(self, actor: Actor, request: pb.GetProjectTreeRequest) -> pb.TreeResponse:
        project = convert.find_project(actor, request.project)
        ledger = open_ledger(project.line)
        at = request.WhichOneof("at")
        # A page token pins the position that the first page was read at, so a listing never mixes two trees.
        pinned, after = _read_token(request.page_token)
        if pinned is None:
            pinned = request.position if at == "position" else ledger.head().position
        root = ledger.tree_at(pinned)
        prefix = parse_path(request.prefix) if request.prefix else b""
        size = page_size(request.page_size, 1000, MAX_TREE_PAGE)
        listing = ledger.list_dir if request.directory else ledger.files
        found = listing(root, prefix, after, size)
        files, total = ledger.totals(root, prefix)
        return pb.TreeResponse(
            position=pinned,
            tree=root,
            paths=[entry.path for entry in found],
            modes=[entry.mode for entry in found],
            kinds=bytes(entry.kind for entry in found),
            sizes=[entry.size for entry in found],
            hashes=b"".join(entry.hash or bytes(32) for entry in found),
            total_files=files,
            total_bytes=total,
            next_page_token=f"{pinned}:{found[-1].path.hex()}" if len(found) == size else "",
        )

    @stream
    def StreamBlobs(self, actor: Actor, request: pb.StreamBlobsRequest) -> Iterator[pb.BlobChunk]:
        project = convert.find_project(actor, request.project)
        ledger = open_ledger(project.line)
        wanted = hashes(request.hashes)
        ledger.head()
        erased = ledger.tombstones(wanted)
        push = pushed(actor, project, request.session_id) if request.session_id else None
        if erased:
            if not request.tombstones:
                raise next(iter(erased.values())).error()
            wanted = [item for item in wanted if item not in erased]
        places = {**ledger.content_places(wanted), **(push.places if push is not None else {})}
        for wanted_hash in wanted:
            if wanted_hash not in places:
                raise InvalidInput(f"The project holds no content {wanted_hash.hex()}.", hint="Clone again.")
        with slot(DOWNLOADS):
            if erased:
                yield pb.BlobChunk(tombstones=map(convert.tombstone_message, erased.values()))
            frames = ledger.frames(wanted, push, places)
            yield from _in_columns(frames) if request.columns else _chunks(frames)

    @call
    def FindMissingBlobs(self, actor: Actor, request: pb.FindMissingBlobsRequest) -> pb.FindMissingBlobsResponse:
        project = convert.find_project(actor, request.project)
        ledger = open_ledger(project.line)
        ledger.head()
        push = pushed(actor, project, request.session_id) if request.session_id else None
        there = push.places if push is not None else {}
        missing = [each for each in hashes(request.hashes) if each not in there and not ledger.has_blob(each)]
        pages = ledger.incomplete_pages(hashes(request.pages, MAX_PAGES))
        return pb.FindMissingBlobsResponse(hashes=b"".join(missing), pages=b"".join(pages))

    @call
    def UploadBlobs(self, actor: Actor, requests: Iterator[pb.UploadBlobsRequest]) -> pb.UploadBlobsResponse:
        require_signed_in(actor)  # before waiting for what the other side sends
        with slot(UPLOADS):
            first = next(requests, None)
            if first is None:
                raise InvalidInput("An upload begins with the project that it is for.")
            project = convert.find_project(actor, first.project)
            messages = itertools.chain([first], requests)
            frames = (convert.frame(frame) for message in messages for frame in message.frames)
            packs, blobs, size = sessions.upload(actor, project, frames)
            return pb.UploadBlobsResponse(packs=map(encode_pack_ref, packs), blobs=blobs, bytes=size)

    @stream
    def ImportHistory(
        self, actor: Actor, requests: Iterator[pb.ImportHistoryRequest]
    ) -> Iterator[pb.ImportHistoryResponse]:
        require_signed_in(actor)
        with slot(UPLOADS):
            yield from _import(actor, requests)


def _chunks(frames: Iterable[Frame]) -> Iterator[pb.BlobChunk]:
    """Frames in messages of about CHUNK_BYTES."""
    chunk, size = pb.BlobChunk(), 0
    for frame in frames:
        convert.add_frame(chunk, frame)
        size += len(frame.data) + 64
        if size >= CHUNK_BYTES:
            yield chunk
            chunk, size = pb.BlobChunk(), 0
    if chunk.frames:
        yield chunk


def _in_columns(frames: Iterable[Frame]) -> Iterator[pb.BlobChunk]:
    """As `_chunks`, with the contents that are one zstd frame in columns: less work, here and where they come."""
    names: list[bytes] = []
    sizes: list[int] = []
    pieces: list[bytes] = []
    waiting = 0
    parts = pb.BlobChunk()
    for frame in frames:
        name, size, _, length, zstd, data, _ = frame
        whole = zstd and length == size
        if waiting and (waiting >= CHUNK_BYTES or bool(names) != whole):
            yield _columns(names, sizes, pieces) if names else parts
            names, sizes, pieces, parts, waiting = [], [], [], pb.BlobChunk(), 0
        if whole:
            names.append(name)
            sizes.append(size)
            pieces.append(data)
        else:
            convert.add_frame(parts, frame)
        waiting += len(data) + 64
    if waiting:
        yield _columns(names, sizes, pieces) if names else parts


def _columns(names: list[bytes], sizes: list[int], pieces: list[bytes]) -> pb.BlobChunk:
    columns = pb.BlobColumns(hashes=b"".join(names), sizes=sizes, lengths=list(map(len, pieces)), data=b"".join(pieces))
    return pb.BlobChunk(columns=columns)


def _import(actor: Actor, requests: Iterator[pb.ImportHistoryRequest]) -> Iterator[pb.ImportHistoryResponse]:
    first = next(requests, None)
    if first is None or not first.HasField("start"):
        raise InvalidInput("An import begins with its project and source.")
    project = convert.require_main(convert.find_project(actor, first.start.project))
    start = first.start
    with HistoryIntake(actor, project, start.source[:1000], accept_secrets=start.accept_secrets) as intake:
        finished = False
        for message in itertools.chain([first], requests):
            for frame in message.frames:
                intake.add_frame(convert.frame(frame))
            for commit in message.commits:
                intake.add_commit(_commit(commit))
            yield pb.ImportHistoryResponse(landed=intake.landed)
            if message.finish:
                finished = True
                break
        if not finished or (first.start.commits and intake.landed != first.start.commits):
            raise InvalidInput(
                f"The history ended after {intake.landed} of {first.start.commits} commits; nothing was imported.",
                hint="Run the import again.",
            )
        head = intake.finish()
        yield pb.ImportHistoryResponse(landed=intake.landed, done=True, position=head.position, tree=head.tree)


def _commit(message: pb.ImportCommit) -> HistoryCommit:
    changes = []
    for item in message.changes:
        change = convert.change(item)
        changes.append((parse_path(change.path), Op(change.op), change.mode, change.hash, change.size))
    return HistoryCommit(
        message.oid,
        message.raw,
        Author(message.author_name, message.author_email),
        message.authored_at_ms,
        message.message,
        changes,
    )


def _read_token(token: str) -> tuple[int | None, bytes]:
    if not token:
        return None, b""
    number, colon, path = token.partition(":")
    at = position(number)
    if at is None or not colon or not path:
        raise bad_token()
    try:
        return at, bytes.fromhex(path)
    except ValueError as error:
        raise bad_token() from error


def _explored(row: discovery.Found) -> pb.ExploredProject:
    return pb.ExploredProject(
        project=convert.project(row.project),
        stars=row.stars,
        new_stars=row.new_stars,
        landings=row.landings,
        people=row.people,
        agents=row.agents,
        moved_at_ms=convert.ms(row.moved_at),
        languages=[pb.LanguageShare(language=share.language, thousandths=share.thousandths) for share in row.languages],
    )
