"""Erasing contents for good: looked at, asked for, confirmed by a second administrator where the forge says so, done.

What is erased is gone from the store; see ADR 69. The rows here say who asked, who confirmed, and why.
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
from micelio.findings.administering import place_of
from micelio.operators.models import REASON_LENGTH, Purge
from micelio.operators.policy import require_operating
from micelio.projects import cdn
from micelio.projects.actions import rotate_cdn_key
from micelio.projects.administering import project_of_name
from micelio.projects.ledgers import ledger, open_ledger
from micelio.projects.queries import project_name, visibility_of
from micelio.sessions import projector
from micelio.sessions.git_view import kept_objects

# What has to be typed to erase: the first characters of the content's SHA-256.
TYPED = 12
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
    """An erasure that was asked for; `ended_at` when it was done or withdrawn."""

    id: UUID
    project: str
    content: str
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
                "This finding is in the words of a session.", hint="They are shown redacted; only contents are erased."
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
    note = note.strip()
    if not note or len(note) > REASON_LENGTH or not note.isprintable():
        raise InvalidInput(
            f"An erasure needs a reason of 1 to {REASON_LENGTH} printable characters.",
            hint="It stays in the audit log.",
        )
    if typed.strip().lower() != content.hex()[:TYPED]:
        raise InvalidInput(
            "What was typed is not the beginning of the content's SHA-256.", hint=f"Type its first {TYPED} digits."
        )
    project_id = project_of_name(actor, project)
    found = _named(lambda: open_ledger(project_id).look_to_erase(content))
    if found.forks and not with_forks:
        names = _names(found.forks)
        raise InvalidInput(f"Forks read this content too: {', '.join(names[:5])}.", hint="Erase it in them as well.")
    two = current().purge_needs_two
    with transaction.atomic():
        row = Purge.objects.create(
            project_id=project_id,
            project_name=project_name(project_id),
            content=content.hex(),
            reason=reason,
            note=note,
            with_forks=with_forks,
            asked_by=actor.handle,
            asked_by_id=actor.user_id,
            asked_at=timezone.now(),
            state=Purge.State.WAITING if two else Purge.State.RUNNING,
        )
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
    if typed.strip().lower() != row.content[:TYPED]:
        raise InvalidInput(
            "What was typed is not the beginning of the content's SHA-256.", hint=f"Type its first {TYPED} digits."
        )
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
    opened = open_ledger(row.project_id)
    done = opened.erase(bytes.fromhex(row.content), REASONS[row.reason], row.asked_by, with_forks=row.with_forks)
    for project in done.projects:
        kept_objects(UUID(hex=project)).erase()
    with transaction.atomic():
        if not Purge.objects.filter(id=purge_id, state=Purge.State.RUNNING).update(
            state=Purge.State.DONE, ended_at=timezone.now(), keys=list(done.keys)
        ):
            return False
        told = cdn.addresses(done.keys) if current().cdn_purge_url else []
        for project in done.projects:
            _turn_away_edge(UUID(hex=project))
        for start in range(0, len(told), _TOLD):
            _tell_edge(told[start : start + _TOLD])
        actor = Actor(user_id=row.asked_by_id, handle=row.asked_by, name="", email="", is_admin=True, via="job")
        record(
            actor, "purge.done", "project", row.project_id, row.project_name,
            content=row.content, reason=row.reason, already=done.already, projects=len(done.projects),
            objects=len(done.keys), confirmed_by=row.confirmed_by,
        )  # fmt: skip
        transaction.on_commit(WRITTEN_OVER.refresh)
    for project in done.projects:
        projector.catch_up(UUID(hex=project))  # each has a landing more
    return True


def unfinished() -> list[UUID]:
    """Erasures that have begun and are not done."""
    return list(Purge.objects.filter(state=Purge.State.RUNNING).values_list("id", flat=True))


def lately(days: int) -> list[UUID]:
    """The projects in which something was erased within so many days."""
    found = Purge.objects.filter(state=Purge.State.DONE, ended_at__gte=timezone.now() - timedelta(days=days))
    return list(found.values_list("project_id", flat=True).distinct())


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
        actor, action, "project", row.project_id, row.project_name,
        content=row.content, reason=row.reason, note=row.note, with_forks=row.with_forks,
    )  # fmt: skip


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
        project=row.project_name,
        content=row.content,
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
