"""Between messages on the wire and values of the house."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from mic.core.attribution import LINES, VERSION, parse, stored
from mic.core.brought import brought_from
from mic.core.errors import InvalidInput
from mic.core.head import hlc_ms, ms_hlc
from mic.core.paths import parse_path
from mic.core.session import Alternative, Change, Decision, Message, Op, Session, State, Usage
from mic.core.tombstone import Tombstone
from mic.ledger.conflict import Clash
from mic.ledger.frame import Frame
from mic.ledger.project import Landed
from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actor import Actor
from micelio.accounts.queries import users_by_id
from micelio.organizations.queries import Member
from micelio.projects.deletion import DeletedProject
from micelio.projects.forks import count_forks, origin_of
from micelio.projects.ledgers import open_ledger
from micelio.projects.ownership import Ownership
from micelio.projects.project_view import ProjectView
from micelio.projects.protection import Protection
from micelio.projects.queries import get_project
from micelio.projects.stars import stars_of
from micelio.sessions.blame import BlamedFile, author_of
from micelio.sessions.landed import sent_hashes
from micelio.sessions.path_landings import PathLanding
from micelio.sessions.pushed_at import pushed_at
from micelio.sessions.queries import LandingRow, LandingView, OpenRow
from micelio.sessions.refusal import ToldClash, refusal_of


def find_project(actor: Actor, ref: pb.ProjectRef) -> ProjectView:
    """The project that a reference names, as the actor may see it."""
    return get_project(actor, ref.organization, ref.handle, ref.branch)


def require_main(view: ProjectView) -> ProjectView:
    """The same; raises InvalidInput on a branch, where a history from elsewhere does not go."""
    if view.branch_id is not None:
        raise InvalidInput(f"A history is imported into the project, not into its branch {view.branch}.")
    return view


def project(view: ProjectView) -> pb.Project:
    """A project in a list."""
    return pb.Project(
        id=str(view.id),
        organization=view.owner,
        handle=view.handle,
        name=view.name,
        description=view.description,
        visibility=view.visibility,
        created_at_ms=ms(view.created_at),
        role=view.role or "",
        fork_position=view.fork_position,
        archived_at_ms=ms(view.archived_at) if view.archived_at else 0,
        topics=view.topics,
    )


def ms(moment: datetime) -> int:
    """Unix milliseconds."""
    return int(moment.timestamp() * 1000)


def deleted_project(found: DeletedProject) -> pb.DeletedProject:
    """A project that can be restored, in a list."""
    return pb.DeletedProject(
        organization=found.owner,
        handle=found.handle,
        name=found.name,
        visibility=found.visibility,
        deleted_at_ms=ms(found.deleted_at),
        deleted_by=found.deleted_by,
        restorable_until_ms=ms(found.until),
    )


def protection_response(found: Protection) -> pb.ProtectionResponse:
    """Who may land where."""
    lines = [pb.LineRule(lines=rule.lines, who=rule.who) for rule in found.lines]
    return pb.ProtectionResponse(protection=pb.Protection(lines=lines, paths=found.paths))


def ownership(found: Ownership) -> pb.ExplainOwnersResponse:
    """Whose a path is."""
    rule = found.rule
    return pb.ExplainOwnersResponse(
        path=found.path,
        position=found.position,
        protected_by=found.protected_by or "",
        line=rule.line if rule else 0,
        pattern=rule.pattern if rule else b"",
        owners=rule.owners if rule else (),
        listed=found.listed,
        problems=[pb.OwnersProblem(line=item.line, message=item.message) for item in found.problems],
        reason=found.reason,
    )


def member(value: Member) -> pb.Member:
    """Somebody in an organization or in a project."""
    return pb.Member(handle=value.handle, name=value.name, role=value.role)


def whole_project(actor: Actor, view: ProjectView) -> pb.Project:
    """A project with its head, its stars, where it comes from and how many forks it has, as the actor may see them."""
    message = project(view)
    head, origin = open_ledger(view.line).head(), origin_of(actor, view)
    message.head_position, message.head_tree = head.position, head.tree
    message.branch = view.branch if view.branch_id else ""
    message.forked_from = f"{origin.owner}/{origin.handle}" if origin else ""
    message.forks = count_forks(actor, view)
    message.stars, message.starred = stars_of(actor, view)
    return message


# Looked up once: a landing of 100,000 files asks a million times.
_ZSTD, _DELETED = int(pb.BlobFrame.ZSTD), int(pb.Change.DELETED)


def frame(message: pb.BlobFrame) -> Frame:
    """A part of a content that came in."""
    content = message.hash
    if len(content) != 32:
        raise InvalidInput("A content's hash has 32 bytes.")
    zstd, data = message.encoding == _ZSTD, message.data
    length = message.length or (0 if zstd else len(data))
    return Frame(content, message.size, message.offset, length, zstd, data, message.chunk_list)


def add_frame(chunk: pb.BlobChunk, frame: Frame) -> None:
    """Puts a part of a content that goes out into a message; made there, it is not copied: 0.5 us and not 1.4."""
    message = chunk.frames.add()
    message.hash = frame.hash
    message.size = frame.size
    message.offset = frame.offset
    message.length = frame.length
    message.data = frame.data
    if frame.zstd:
        message.encoding = pb.BlobFrame.ZSTD


def tombstone_message(tombstone: Tombstone) -> pb.Tombstone:
    """What is left of an erased content."""
    return pb.Tombstone(
        hash=tombstone.content,
        size=tombstone.size,
        at_ms=tombstone.at,
        by=tombstone.by,
        text=tombstone.text,
        **{"class": tombstone.reason.name.lower()},
    )


# What Git knows, and what old repositories hold: a file type and permission bits. Directories are not entries.
_TYPES = frozenset({0o100000, 0o120000, 0o160000})
_MODE_BITS = 0o177777
_OPS = frozenset(map(int, Op))


def change(message: pb.Change) -> Change:
    """A change that came in; raises InvalidInput."""
    op, mode, content, size, base = message.op, message.mode, message.hash, message.size, message.base_hash
    if op not in _OPS:
        raise InvalidInput("A change adds, modifies or deletes; nothing else.")
    if op == _DELETED:
        mode, content, size = 0, b"", 0
    elif mode > _MODE_BITS or mode & 0o170000 not in _TYPES:
        raise InvalidInput(f"{mode:o} is not the mode of a file.", hint="Use 100644, 100755, 120000 or 160000.")
    elif len(content) != 32:
        raise InvalidInput("A change needs the 32-byte hash of its content.")
    if base and len(base) != 32:
        raise InvalidInput("A base hash has 32 bytes.")
    source = message.copied_from
    if source:
        if op == _DELETED:
            raise InvalidInput("What is deleted is no copy.", hint="Leave `copied_from` out.")
        source = parse_path(source)
    return Change(message.path, op, mode, content, size, base, message.base_mode, copied_from=source)


def change_message(change: Change) -> pb.Change:
    """A change that goes out."""
    return pb.Change(
        path=change.path,
        op=pb.Change.Op.Name(change.op),
        mode=change.mode,
        hash=change.hash,
        size=change.size,
        base_hash=change.base_hash,
        base_mode=change.base_mode,
        kind=change.kind,
        copied_from=change.copied_from,
    )


def session(message: pb.Session) -> Session:
    """A session to land: what a client may say of it. Owner, author and state are the forge's to set."""
    return Session(
        id=message.id,
        goal=message.goal,
        base_position=message.base_position,
        hlc_created=ms_hlc(min(max(message.created_at_ms, 0), (1 << 47) - 1)),
        agent=message.agent,
        based_on=message.based_on,
        conversation=_conversation(message),
        transcript=message.transcript.seen_by if message.HasField("transcript") else "",
        decisions=tuple(
            Decision(
                d.what,
                d.why,
                tuple(Alternative(a.what, a.why_not) for a in d.alternatives),
                d.by,
                d.evidence,
                d.at_ms,
                d.message,
            )
            for d in message.decisions
        ),
        changes=tuple(map(change, message.changes)),
        usage=tuple(Usage(u.model, u.read, u.written, u.cached, u.source) for u in message.usage),
        attribution=_attribution(message),
    )


def _conversation(message: pb.Session) -> tuple[Message, ...]:
    """The turns, wherever they are said; raises InvalidInput for two conversations."""
    apart = message.HasField("transcript")
    if apart and (message.conversation or not message.transcript.seen_by):
        raise InvalidInput("A conversation is kept to somebody, or it is not.", hint="Send `conversation` alone.")
    turns = message.transcript.conversation if apart else message.conversation
    return tuple(Message(m.role, m.author, m.text, m.at_ms) for m in turns)


def _attribution(message: pb.Session) -> dict[str, Any]:
    """What a session says of its lines; raises InvalidInput."""
    if not message.attributed:
        return {}
    writers = [{"kind": each.kind, "name": each.name, "message": each.message} for each in message.writers]
    files = [
        {"path": each.path, "content": each.content, "lines": [(run.first, run.lines, run.writer) for run in each.runs]}
        for each in message.attributed
    ]
    return stored(parse({LINES: {"version": VERSION, "writers": writers, "files": files}}))


def _attributed(session: Session) -> dict[str, Any]:
    said = parse(session.attribution)
    return {
        "writers": [pb.Writer(kind=each.kind, name=each.name, message=each.message) for each in said.writers],
        "attributed": [
            pb.FileLines(
                path=each.path,
                content=each.content,
                runs=[pb.LineRun(first=first, lines=lines, writer=writer) for first, lines, writer in each.lines],
            )
            for each in said.files.values()
        ],
    }


def _decision_message(decision: Decision) -> pb.Decision:
    return pb.Decision(
        what=decision.what,
        why=decision.why,
        alternatives=[pb.Alternative(what=road.what, why_not=road.why_not) for road in decision.alternatives],
        by=decision.by,
        evidence=decision.evidence,
        at_ms=decision.at,
        message=decision.message,
    )


def _words(session: Session) -> dict[str, Any]:
    said = [pb.Message(role=m.role, author=m.author, text=m.text, at_ms=m.at) for m in session.conversation]
    apart = pb.KeptTranscript(seen_by=session.transcript, messages=session.turns, conversation=said)
    return {
        **({"transcript": apart} if session.transcript else {"conversation": said}),
        "decisions": list(map(_decision_message, session.decisions)),
        "changes": [change_message(c) for c in session.changes],
        "based_on": session.based_on,
        "usage": [
            pb.Usage(model=u.model, read=u.read, written=u.written, cached=u.cached, source=u.source)
            for u in session.usage
        ],
        **_attributed(session),
    }


def landing_message(view: LandingView) -> pb.Session:
    """A session whole."""
    message = row_message(view.row)
    message.MergeFrom(pb.Session(**_words(view.session)))
    message.state = view.state
    refusal = refusal_of(view.session)
    message.refusal = refusal.message if refusal is not None and not view.queued else ""
    message.base_position = view.session.base_position
    message.pushed_at_ms = pushed_at(view.session)
    if origin := brought_from(view.session):
        message.brought.CopyFrom(pb.Brought(**origin))
    message.created_at_ms = hlc_ms(view.session.hlc_created)
    return message


def session_message(actor: Actor, session: Session, position: int = 0) -> pb.Session:
    """A session as it stands, without a row."""
    owner = users_by_id(actor, [UUID(bytes=session.owner)])
    return pb.Session(
        id=session.id,
        state=State(session.state).name.lower(),
        goal=session.goal,
        author=pb.Author(name=session.author.name, email=session.author.email),
        agent=session.agent,
        base_position=session.base_position,
        landed_position=position,
        created_at_ms=hlc_ms(session.hlc_created),
        updated_at_ms=hlc_ms(session.hlc_updated),
        owner=next((user.handle for user in owner.values()), ""),
        files=len(session.changes),
        pushed_at_ms=pushed_at(session),
        **_words(session),
    )


def touch_message(found: PathLanding) -> pb.Session:
    """A landing in the list of a path: what it did to that, and where it goes on."""
    message = row_message(found.row)
    message.touch, message.came_from, message.came_at = found.what, found.came_from, found.came_at
    return message


def row_message(row: LandingRow) -> pb.Session:
    """A landing in a list: without its words and changes."""
    return pb.Session(
        id=row.session_id,
        state="landed",
        goal=row.goal,
        author=pb.Author(name=row.author_name, email=row.author_email),
        agent=row.agent,
        base_position=row.base_position,
        landed_position=row.position,
        created_at_ms=int(row.authored_at.timestamp() * 1000),
        updated_at_ms=int(row.landed_at.timestamp() * 1000),
        owner=row.owner_handle,
        git_commit=row.git_commit or b"",
        files=row.files,
    )


def blame_message(found: BlamedFile) -> pb.BlameFileResponse:
    """Where the lines of a file came from."""
    return pb.BlameFileResponse(
        position=found.position,
        written_at=found.written_at,
        hash=found.entry.hash,
        size=found.entry.size,
        total_lines=found.lines,
        hunks=[
            pb.BlameHunk(
                first_line=hunk.start + 1,
                lines=hunk.lines,
                position=hunk.origin.position,
                first_line_there=hunk.line + 1,
                path=hunk.origin.path if hunk.origin.path != found.path else b"",
                not_further=not hunk.origin.settled,
                alike=hunk.origin.alike,
                written_by=hunk.author or "",
                of_line=hunk.of_line,
                writer=hunk.writer,
                message=hunk.message,
            )
            for hunk in found.hunks
        ],
        landings=[
            pb.BlamedLanding(session=row_message(row), written_by=author_of(row)) for row in found.landings.values()
        ],
        whys=[
            pb.Why(
                position=why.position,
                path=why.path if why.path != found.path else b"",
                about_file=why.about_file,
                numbers=[number for number, _ in why.decisions],
                decisions=[_decision_message(decision) for _, decision in why.decisions],
                others=why.others,
                lines=[
                    pb.DecidedLines(number=number, first=first, last=last)
                    for number, lines in why.lines.items()
                    for first, last in lines
                ],
            )
            for why in found.whys.values()
        ],
        next_line=found.next,
    )


def open_message(row: OpenRow) -> pb.Session:
    """A session that has not landed, in a list."""
    return pb.Session(
        id=row.session_id,
        state=row.state,
        goal=row.goal,
        agent=row.agent,
        base_position=row.base_position,
        created_at_ms=int(row.created_at.timestamp() * 1000),
        updated_at_ms=int(row.updated_at.timestamp() * 1000),
        owner=row.owner_handle,
        pushed_at_ms=int(row.pushed_at.timestamp() * 1000) if row.pushed_at else 0,
    )


def landed_message(row: LandingRow, landed: Landed) -> pb.LandSessionResponse:
    """The answer to a session that landed, now or before."""
    sent = sent_hashes(landed.session) if landed.session is not None else {}
    merged = [change_message(change) for change in landed.merged]
    for message in merged:
        message.sent_hash = sent.get(message.path, b"")
    return pb.LandSessionResponse(
        session=row_message(row),
        position=landed.position,
        tree=landed.tree,
        merged=merged,
        already_landed=landed.already,
    )


def told_clash_message(clash: ToldClash) -> pb.Clash:
    """A path that could not land."""
    return pb.Clash(
        path=clash.path,
        reason=clash.reason,
        base_hash=clash.base,
        ours_hash=clash.ours,
        theirs_hash=clash.theirs,
        theirs_position=clash.position,
    )


def clash_message(clash: Clash) -> pb.Clash:
    """A path that cannot land."""
    return pb.Clash(
        path=clash.path,
        reason=clash.reason,
        base_hash=clash.base.hash if clash.base else b"",
        ours_hash=clash.ours.hash if clash.ours else b"",
        theirs_hash=clash.theirs.hash if clash.theirs else b"",
        theirs_position=clash.theirs_position,
    )
