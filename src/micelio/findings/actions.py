"""Writing what was found, and what an admin says of it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import partial
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from mic.core.errors import Busy, InvalidInput
from mic.core.paths import display
from mic.core.scanning import RULES_VERSION, redact
from micelio.accounts.actor import Actor
from micelio.accounts.policy import OPERATOR
from micelio.audit.actions import record
from micelio.audit.origin import current_address
from micelio.findings.found import Found, path_place
from micelio.findings.models import NOTE, REASON, Searched, SecretFinding, Source, State
from micelio.findings.policy import require_decide, require_report
from micelio.findings.queries import forget_count, own_finding
from micelio.projects.project_view import ProjectView

# One reader's reports in an hour, and what may wait for the admins of one project: more is noise, or an attack.
REPORTS_AN_HOUR = 10
OPEN_REPORTS = 200
# Who is named for what newer rules find: no account can have a space in its handle.
_RULES = replace(OPERATOR, handle="the forge", via="job")
_DECISIONS = (State.OPEN, State.ALLOWED, State.REVOKED)


def require_reason(text: str) -> str:
    """Why somebody lets a finding be, on one line. Raises InvalidInput."""
    reason = " ".join(text.split())
    if not reason or len(reason) > REASON:
        raise InvalidInput(
            f"A reason has 1 to {REASON} characters.", hint="Say what became of the secret, or why it is none."
        )
    return _clean(reason)


def keep_out(project_id: UUID, found: Sequence[Found]) -> None:
    """Note what kept a history out, for the admins to decide. What an earlier attempt left and is gone goes."""
    with transaction.atomic():
        _settle(project_id, {item.key: 0 for item in found})
        _write(project_id, found, kept_out=True)


def take_in(
    actor: Actor, project: ProjectView, found: Sequence[Found], reason: str, state: str = State.ALLOWED
) -> None:
    """Note what an imported history holds, as let in for a reason. In the transaction that records the import."""
    require_decide(actor, project)
    by = actor.handle if state != State.OPEN else ""
    if by:
        waiting = SecretFinding.objects.filter(project_id=project.id, position=0, state=State.OPEN)
        waiting.update(state=state, reason=reason, decided_by=by, decided_at=timezone.now())
    settle(project.id, found)
    _write(project.id, found, state, reason if by else "", by)
    _audit(actor, project, "secret.accept_history", project.id, "project", findings=len(found), reason=reason)


def settle(project_id: UUID, found: Sequence[Found]) -> None:
    """After an import: what was kept out and came in has its landing now, what did not come is forgotten."""
    _settle(project_id, {item.key: item.position for item in reversed(found)})


def mark_searched(project_id: UUID, position: int, *, done: bool = True) -> None:
    """The landings up to here were searched by today's rules; `done` when there are no more."""
    values = {"rules": RULES_VERSION, "position": position, "done": done}
    Searched.objects.update_or_create(project_id=project_id, defaults=values)


def note_found(project: ProjectView, found: Sequence[Found], session_id: bytes) -> int:
    """Note what newer rules find in a landing; how many of it were not known. For the forge's own upkeep."""
    with transaction.atomic():
        count = _write(project.id, found, source=Source.RULES, session_id=session_id)
        if count:
            _audit(_RULES, project, "secret.found", project.id, "project", findings=count, rules=RULES_VERSION)
        return count


def report(
    actor: Actor,
    project: ProjectView,
    *,
    position: int,
    path: bytes = b"",
    session_id: bytes = b"",
    line: int = 0,
    note: str = "",
) -> None:
    """Tell the admins that there is a secret in a file or in a session, whose place was looked up for this actor.

    The same place again changes nothing. Raises InvalidInput, Busy.
    """
    require_report(actor, project)
    note = " ".join(note.split())
    if len(note) > NOTE:
        raise InvalidInput(f"A note has at most {NOTE} characters.", hint="Say in one sentence what is there.")
    address = current_address()
    where = path_place(path) if path else hashlib.sha256(b"session\x00" + session_id).hexdigest()
    with transaction.atomic():
        _require_room(actor, project, address)
        made, new = SecretFinding.objects.get_or_create(
            project_id=project.id,
            place=where,
            fingerprint=hashlib.sha256(f"report {line}".encode()).hexdigest()[:32],
            defaults={
                "source": Source.REPORT,
                "rule": "reported",
                "rules": 0,
                "path": path,
                "session_id": session_id or None,
                "position": position,
                "line": line,
                "note": _clean(note),
                "reporter_id": actor.user_id,
                "reporter": actor.handle,
                "address": "" if actor.signed_in else address,
                "found_at": timezone.now(),
            },
        )
        if new:
            transaction.on_commit(partial(forget_count, project.id))
            _audit(actor, project, "secret.report", str(made.id), "finding", path=display(path)[:500], line=line)


def decide(actor: Actor, project: ProjectView, finding_id: int, state: str, reason: str) -> None:
    """Say of one finding that it may stay, that its secret is revoked, or (`open`) that it is to be looked at again."""
    require_decide(actor, project)
    row = own_finding(actor, project, finding_id)
    _decide(actor, project, [row], state, reason)


def decide_open(actor: Actor, project: ProjectView, state: str, reason: str) -> int:
    """The same of everything that is open; how many."""
    require_decide(actor, project)
    rows = list(SecretFinding.objects.filter(project_id=project.id, state=State.OPEN))
    _decide(actor, project, rows, state, reason)
    return len(rows)


def _decide(actor: Actor, project: ProjectView, rows: Sequence[SecretFinding], state: str, reason: str) -> None:
    if state not in _DECISIONS:
        raise InvalidInput(f"{state[:20]!r} is not what can be said of a finding.", hint="Say allowed or revoked.")
    reason = require_reason(reason)
    with transaction.atomic():
        before = {row.state for row in rows}
        some = SecretFinding.objects.filter(id__in=[row.id for row in rows])
        some.update(state=state, reason=reason, decided_by=actor.handle, decided_at=timezone.now())
        transaction.on_commit(partial(forget_count, project.id))
        names = [str(row.id) for row in rows]
        about = {"before": sorted(before), "after": state, "reason": reason}
        if len(names) == 1:
            _audit(actor, project, "secret.decide", names[0], "finding", rule=rows[0].rule, **about)
        elif names:
            _audit(actor, project, "secret.decide", project.id, "project", findings=len(names), **about)


def _require_room(actor: Actor, project: ProjectView, address: str) -> None:
    since = timezone.now() - timedelta(hours=1)
    mine = SecretFinding.objects.filter(source=Source.REPORT, found_at__gt=since)
    mine = mine.filter(reporter_id=actor.user_id) if actor.signed_in else mine.filter(address=address)
    waiting = SecretFinding.objects.filter(project_id=project.id, state=State.OPEN, source=Source.REPORT)
    if mine.count() >= REPORTS_AN_HOUR:
        raise Busy(f"You have sent {REPORTS_AN_HOUR} reports within an hour.", hint="Send the next one later.")
    if waiting.count() >= OPEN_REPORTS:
        raise Busy(
            "So many reports wait for the project's admins that no more are taken.", hint="Write to one of them."
        )


def _write(
    project_id: UUID,
    found: Sequence[Found],
    state: str = State.OPEN,
    reason: str = "",
    by: str = "",
    *,
    source: str = Source.IMPORT,
    session_id: bytes = b"",
    kept_out: bool = False,
) -> int:
    """Rows for what is not known yet; how many. What is known keeps what was said of it."""
    first: dict[tuple[str, str], Found] = {}
    for item in found:
        first.setdefault(item.key, item)
    known: set[tuple[str, str]] = set()
    places = sorted({place for place, _ in first})
    for at in range(0, len(places), 500):
        rows = SecretFinding.objects.filter(project_id=project_id, place__in=places[at : at + 500])
        known.update(rows.values_list("place", "fingerprint"))
    now = timezone.now()
    made = [
        SecretFinding(
            project_id=project_id,
            place=key[0],
            fingerprint=key[1],
            source=source,
            rule=item.finding.rule,
            rules=RULES_VERSION,
            path=item.path,
            session_id=None if item.path else session_id or None,
            position=0 if kept_out else item.position,
            line=item.finding.line,
            column=item.finding.column,
            excerpt=item.finding.excerpt,
            note=f"commit {item.commit.hex()}" if item.commit else "",
            found_at=now,
            state=state,
            reason=reason,
            decided_by=by,
            decided_at=now if by else None,
        )
        for key, item in first.items()
        if key not in known
    ]
    SecretFinding.objects.bulk_create(made, ignore_conflicts=True)
    transaction.on_commit(partial(forget_count, project_id))
    return len(made)


def _settle(project_id: UUID, came: Mapping[tuple[str, str], int]) -> None:
    """Every kept-out finding gets the position where it came; those that came nowhere go."""
    gone = []
    for row in SecretFinding.objects.filter(project_id=project_id, source=Source.IMPORT, position=0):
        position = came.get((row.place, row.fingerprint))
        if position is None:
            gone.append(row.id)
        elif position:
            row.position = position
            row.save(update_fields=["position"])
    for at in range(0, len(gone), 500):
        SecretFinding.objects.filter(id__in=gone[at : at + 500]).delete()


def _clean(text: str) -> str:
    """Words that are kept hold no secret, and nothing that a database refuses."""
    changed = redact([text])
    return (changed[0][0] if changed else text).replace("\x00", "\ufffd")[:REASON]


def _audit(
    actor: Actor, project: ProjectView, action: str, object_id: UUID | str, kind: str, **details: object
) -> None:
    name = f"{project.owner}/{project.handle}"
    record(actor, action, kind, object_id, name, project_id=project.id, organization_id=project.owner_id, **details)
