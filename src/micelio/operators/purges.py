"""Erasing for good: looked at, asked for, confirmed by a second administrator where the forge says so, done.

What is erased is gone from the store; see ADR 69. The rows here say who asked, who confirmed, and why. Contents are
looked at and asked for here; words of sessions in `word_purges`, people in `person_purges`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from mic.core.errors import InvalidInput, NotFound, PermissionDenied
from mic.core.paths import display, parse_path
from mic.core.tombstone import Reason
from mic.ledger.erase import Found
from mic.store.tiers import TieredStore
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.cluster.known import Known
from micelio.config import current
from micelio.exports.actions import forget_files
from micelio.findings.administering import place_of
from micelio.operators.models import REASON_LENGTH, TYPED, Purge
from micelio.operators.policy import require_operating
from micelio.projects import cdn
from micelio.projects.actions import rotate_cdn_key
from micelio.projects.administering import project_of_name
from micelio.projects.ledgers import ledger, open_ledger
from micelio.projects.queries import project_name, visibility_of, whole_id
from micelio.search import indexer
from micelio.sessions import projector
from micelio.sessions.git_view import kept_objects

# Other processes hear within seconds of what was written over; who was away for longer has started anew.
_HEARD = timedelta(minutes=10)
# Addresses that an edge network is told at once.
_TOLD = 500
REASONS = {reason.name.lower(): reason for reason in Reason}


@dataclass(frozen=True, slots=True)
class Look:
    """What an erasure would do. `named` are landings as `owner/handle @position path`, `forks` their names."""

    project: str
    content: str
    size: int
    named: tuple[str, ...]
    forks: tuple[str, ...]
    copies: int
    bytes: int
    moved: int
    shared: int


@dataclass(frozen=True, slots=True)
class PurgeView:
    """An erasure that was asked for; `ended_at` when it was done or withdrawn. `typed` is what confirms it.

    `kind` is content, words or person; of each only that is set that says what goes.
    """

    id: UUID
    kind: str
    project: str
    content: str
    session: str
    handle: str
    typed: str
    reason: str
    note: str
    with_forks: bool
    asked_by: str
    asked_at: datetime
    confirmed_by: str
    state: str
    ended_at: datetime | None


def content_of(actor: Actor, project: str, *, content: str = "", path: str = "", finding: int = 0) -> bytes:
    """The SHA-256 that one of the three means: itself, `PATH@POSITION`, or a finding of the project.

    Raises PermissionDenied, InvalidInput, NotFound.
    """
    require_operating(actor)
    if bool(content) + bool(path) + bool(finding) != 1:
        raise InvalidInput("Say once which content it is.", hint="Its SHA-256, PATH@POSITION, or a finding.")
    if content:
        text = content.strip().lower()
        if len(text) != 64 or text.strip("0123456789abcdef"):
            raise InvalidInput(f"{content[:70]!r} is no SHA-256.", hint="Give all of its 64 hexadecimal digits.")
        return bytes.fromhex(text)
    project_id = project_of_name(actor, project)
    if finding:
        where, position = place_of(project_id, finding)
        if not where:
            raise InvalidInput(
                "This finding is in the words of a session.",
                hint="Erase what that session said (--session).",
            )
    else:
        name, at, number = path.rpartition("@")
        if not at or not number.isascii() or not number.isdecimal() or len(number) > 15:
            raise InvalidInput(f"{path[:100]!r} has no position.", hint="Use PATH@POSITION: README.md@12.")
        where, position = parse_path(name.encode("utf-8", "surrogateescape")), int(number)
    opened = open_ledger(project_id)
    opened.head()
    entry = opened.entry(opened.tree_at(position), where)
    if entry is None:
        raise NotFound(f"There is no file {display(where)} at @{position}.", hint="`mic log PATH` says where it was.")
    return entry.hash


def look(actor: Actor, project: str, content: bytes) -> Look:
    """What there is of a content, and what its erasure would take along; changes nothing.

    Raises PermissionDenied, NotFound, Erased, and InvalidInput when it cannot be erased there.
    """
    require_operating(actor)
    found = _named(lambda: open_ledger(project_of_name(actor, project)).look_to_erase(content))
    return _look(project, found)


def ask(
    actor: Actor, project: str, content: bytes, reason: str, note: str, *, typed: str, with_forks: bool = False
) -> PurgeView:
    """Ask for an erasure. It begins at once, or when a second administrator has confirmed it.

    `typed` are the first 12 digits of the content's SHA-256. Errors as `look`.
    """
    require_operating(actor)
    if reason not in REASONS or reason == "person":
        raise InvalidInput(f"{reason[:20]!r} is no class of thing that is erased.", hint="Use secret or takedown.")
    note = require_note(note)
    require_typed(Purge(content=content.hex()), typed)
    project_id = project_of_name(actor, project)
    found = _named(lambda: open_ledger(project_id).look_to_erase(content))
    if found.forks and not with_forks:
        names = _names(found.forks)
        raise InvalidInput(f"Forks read this content too: {', '.join(names[:5])}.", hint="Erase it in them as well.")
    row = Purge(
        project_id=project_id,
        project_name=project_name(project_id),
        content=content.hex(),
        reason=reason,
        note=note,
        with_forks=with_forks,
    )
    return asked(actor, row)


def require_note(note: str) -> str:
    """Why something is erased, as it is kept. Raises InvalidInput."""
    note = note.strip()
    if not note or len(note) > REASON_LENGTH or not note.isprintable():
        raise InvalidInput(
            f"An erasure needs a reason of 1 to {REASON_LENGTH} printable characters.",
            hint="It stays in the audit log.",
        )
    return note


def require_typed(row: Purge, typed: str) -> None:
    """Raises InvalidInput unless somebody typed what says that it is meant."""
    if typed.strip().lower() == row.typed.lower():
        return
    if row.kind == Purge.Kind.CONTENT:
        raise InvalidInput(
            "What was typed is not the beginning of the content's SHA-256.", hint=f"Type its first {TYPED} digits."
        )
    if row.kind == Purge.Kind.WORDS:
        raise InvalidInput(
            "What was typed is not the end of the session's id.", hint=f"Type its last {TYPED} characters."
        )
    raise InvalidInput("What was typed is not the account's handle.", hint="Type it as it stands.")


@transaction.atomic
def asked(actor: Actor, row: Purge) -> PurgeView:
    """Keep what was asked for: it begins, unless a second administrator has to confirm it. Raises PermissionDenied."""
    require_operating(actor)
    two = current().purge_needs_two
    row.asked_by, row.asked_by_id, row.asked_at = actor.handle, actor.user_id, timezone.now()
    row.state = Purge.State.WAITING if two else Purge.State.RUNNING
    row.save(force_insert=True)
    _recorded(actor, "purge.ask", row)
    if not two:
        _begin(row)
    return _view(row)


@transaction.atomic
def confirm(actor: Actor, purge_id: UUID, typed: str) -> PurgeView:
    """Confirm what another administrator asked for: it begins. Raises PermissionDenied to whoever asked, NotFound."""
    require_operating(actor)
    row = _waiting(purge_id)
    if row.asked_by == actor.handle or (actor.user_id is not None and row.asked_by_id == actor.user_id):
        raise PermissionDenied("Whoever asked for an erasure cannot confirm it.", hint="Ask another administrator.")
    require_typed(row, typed)
    row.state, row.confirmed_by = Purge.State.RUNNING, actor.handle
    row.save(update_fields=["state", "confirmed_by"])
    _recorded(actor, "purge.confirm", row)
    _begin(row)
    return _view(row)


@transaction.atomic
def withdraw(actor: Actor, purge_id: UUID) -> PurgeView:
    """Take back what has not begun. Raises PermissionDenied, NotFound."""
    require_operating(actor)
    row = _waiting(purge_id)
    row.state, row.ended_at = Purge.State.WITHDRAWN, timezone.now()
    row.save(update_fields=["state", "ended_at"])
    _recorded(actor, "purge.withdraw", row)
    return _view(row)


def list_purges(actor: Actor, limit: int = 100) -> list[PurgeView]:
    """What was asked for, the newest first. Raises PermissionDenied."""
    require_operating(actor)
    return [_view(row) for row in Purge.objects.order_by("-asked_at")[:limit]]


def carry_out(purge_id: UUID) -> bool:
    """Erase what was asked for and confirmed; again, it goes on. False when there is nothing to do (any more)."""
    row = Purge.objects.filter(id=purge_id, state=Purge.State.RUNNING).first()
    if row is None:
        return False
    from micelio.operators import person_purges, word_purges

    if row.kind == Purge.Kind.WORDS:
        done = word_purges.erase(row)
    elif row.kind == Purge.Kind.PERSON:
        done = person_purges.erase(row)
    else:
        done = _erase(row)
    with transaction.atomic():
        if not Purge.objects.filter(id=purge_id, state=Purge.State.RUNNING).update(
            state=Purge.State.DONE, ended_at=timezone.now(), keys=list(done.keys), handle="",
            plan={"projects": [project.hex for project in done.projects]},
        ):  # fmt: skip
            return False
        told = cdn.addresses(done.keys) if current().cdn_purge_url else []
        for project in done.projects:
            _turn_away_edge(project)
        for start in range(0, len(told), _TOLD):
            _tell_edge(told[start : start + _TOLD])
        actor = Actor(user_id=row.asked_by_id, handle=row.asked_by, name="", email="", is_admin=True, via="job")
        record(
            actor, "purge.done", *_object(row),
            content=row.content, session=row.session, kind=row.kind, reason=row.reason, already=done.already,
            projects=len(done.projects), objects=len(done.keys), confirmed_by=row.confirmed_by,
        )  # fmt: skip
        transaction.on_commit(WRITTEN_OVER.refresh)
    for project in done.projects:
        projector.catch_up(project)  # each has a landing more
        forget_files(whole_id(project))
    return True


@dataclass(frozen=True, slots=True)
class Done:
    """What became of an erasure: in which projects, and which objects went or were written over."""

    projects: tuple[UUID, ...]
    keys: tuple[str, ...]
    already: bool = False


def _erase(row: Purge) -> Done:
    assert row.project_id is not None
    done = open_ledger(row.project_id).erase(
        bytes.fromhex(row.content), REASONS[row.reason], row.asked_by, with_forks=row.with_forks
    )
    projects = tuple(UUID(hex=project) for project in done.projects)
    for project in projects:
        kept_objects(project).erase()
        indexer.forget(project, [bytes.fromhex(row.content)])
    return Done(projects, done.keys, done.already)


def unfinished() -> list[UUID]:
    """Erasures that have begun and are not done."""
    return list(Purge.objects.filter(state=Purge.State.RUNNING).values_list("id", flat=True))


def lately(days: int) -> list[UUID]:
    """The projects in which something was erased within so many days."""
    rows = Purge.objects.filter(state=Purge.State.DONE, ended_at__gte=timezone.now() - timedelta(days=days))
    found: set[UUID] = set()
    for project_id, plan in rows.values_list("project_id", "plan"):
        found.update(UUID(hex=each) for each in plan.get("projects", ()))
        if project_id is not None:
            found.add(project_id)
    return sorted(found)


def _turn_away_edge(project_id: UUID) -> None:
    """What an edge network keeps under the old key is found by nobody any more."""
    if visibility := visibility_of(project_id):
        rotate_cdn_key(project_id, visibility)


def _tell_edge(urls: list[str]) -> None:
    from micelio.operators.jobs import tell_edge

    tell_edge.enqueue(urls)


def _begin(row: Purge) -> None:
    from micelio.operators.jobs import carry_out_purge

    carry_out_purge.enqueue(str(row.id))


def _waiting(purge_id: UUID) -> Purge:
    row = Purge.objects.select_for_update().filter(id=purge_id, state=Purge.State.WAITING).first()
    if row is None:
        raise NotFound("This erasure does not wait for anybody any more.", hint="Look at the list again.")
    return row


def _recorded(actor: Actor, action: str, row: Purge) -> None:
    record(
        actor, action, *_object(row),
        content=row.content, session=row.session, kind=row.kind, reason=row.reason, note=row.note,
        with_forks=row.with_forks,
    )  # fmt: skip


def _object(row: Purge) -> tuple[str, UUID, str]:
    """What an event is about: a project, or an account by its id alone."""
    if row.account_id is not None:
        return "account", row.account_id, str(row.account_id)
    assert row.project_id is not None
    return "project", row.project_id, row.project_name


def _named(look: Callable[[], Found]) -> Found:
    """The answer of the ledger, with the names of projects in place of what the store calls them."""
    try:
        return look()
    except InvalidInput as error:
        if origin := error.details.get("origin"):
            (name,) = _names([origin])
            raise InvalidInput(
                f"The content is read from {name}, which this project was forked from.",
                hint="Erase it there, with its forks; nothing was changed.",
            ) from error
        raise
    except NotFound as error:
        raise NotFound("The project never had this content.", hint="Is it the right project?") from error


def _names(projects: Sequence[str]) -> list[str]:
    return [project_name(UUID(hex=project)) or project for project in projects]


def _look(project: str, found: Found) -> Look:
    names: dict[str, str] = {}
    for item in found.named:
        if item.project not in names:
            (names[item.project],) = _names([item.project])
    return Look(
        project=project,
        content=found.content.hex(),
        size=found.size,
        named=tuple(f"{names[item.project]} @{item.position} {display(item.path)}" for item in found.named),
        forks=tuple(_names(found.forks)),
        copies=found.copies,
        bytes=found.bytes,
        moved=found.moved,
        shared=found.shared,
    )


def _view(row: Purge) -> PurgeView:
    return PurgeView(
        id=row.id,
        kind=row.kind,
        project=row.project_name,
        content=row.content,
        session=row.session,
        handle=row.handle,
        typed=row.typed,
        reason=row.reason,
        note=row.note,
        with_forks=row.with_forks,
        asked_by=row.asked_by,
        asked_at=row.asked_at,
        confirmed_by=row.confirmed_by,
        state=row.state,
        ended_at=row.ended_at,
    )


_forgotten: dict[UUID, None] = {}


def _let_go() -> int:
    """Drop what this process keeps of objects that were written over; how many it has heard of."""
    store = ledger().driver.store
    rows = Purge.objects.filter(state=Purge.State.DONE, ended_at__gte=timezone.now() - _HEARD)
    for purge_id, keys in rows.exclude(id__in=list(_forgotten)).values_list("id", "keys"):
        if isinstance(store, TieredStore):
            for key in keys:
                store.forget(key)
        _forgotten[purge_id] = None
    return len(_forgotten)


WRITTEN_OVER = Known("erasures", _let_go, 0)
