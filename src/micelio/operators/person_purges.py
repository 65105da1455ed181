"""Erasing a person: the account with all that hangs on it, and what they are named by in what landed.

What they landed stays. What is found of them is written into the row when the work begins: later there is no account
that could tell it; and it goes from there when all of it is done.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mic.core.errors import InvalidInput, NotFound, PreconditionFailed
from mic.core.redaction import Parts
from mic.core.stand_in import Person, without_person
from micelio.accounts import removal
from micelio.accounts.actor import Actor
from micelio.accounts.policy import OPERATOR
from micelio.accounts.removal import Known
from micelio.operators.models import Purge
from micelio.operators.policy import require_operating
from micelio.operators.purges import Done, PurgeView, asked, require_note, require_typed
from micelio.operators.word_purges import redaction
from micelio.organizations.administering import forget_addresses, owned_alone
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import project_name
from micelio.sessions import projector, silence
from micelio.sessions.git_view import kept_objects

# Sessions of one redaction.
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class PersonLook:
    """What an erasure of a person would do: how many landings of each project name them, as far as rows tell.

    `organizations` are those that would have no owner: with one of them, nothing is erased.
    """

    handle: str
    names: tuple[str, ...]
    emails: tuple[str, ...]
    landings: tuple[tuple[str, int], ...]
    open_sessions: int
    organizations: tuple[str, ...]


def look(actor: Actor, handle: str) -> PersonLook:
    """What there is of a person; changes nothing.

    Raises PermissionDenied, NotFound, PreconditionFailed for the last administrator.
    """
    require_operating(actor)
    known = _known(actor, handle)
    landed = silence.landed_by(known.id, _lower(known.emails))
    counts = sorted((project_name(project) or str(project), len(sessions)) for project, sessions in landed.items())
    return PersonLook(
        handle=known.handle,
        names=tuple(sorted(known.names)),
        emails=tuple(sorted(known.emails)),
        landings=tuple(counts),
        open_sessions=len(silence.open_sessions_of(known.id)),
        organizations=tuple(owned_alone(actor, known.id)),
    )


def ask(actor: Actor, handle: str, note: str, *, typed: str) -> PurgeView:
    """Ask for the erasure of a person. `typed` is the handle. Errors as `look`, and PreconditionFailed for an owner."""
    require_operating(actor)
    note = require_note(note)
    known = _known(actor, handle)
    if known.id == actor.user_id:
        raise InvalidInput("Nobody erases themselves.", hint="Another administrator can.")
    _require_replaceable(actor, known.id, known.handle)
    row = Purge(kind=Purge.Kind.PERSON, account_id=known.id, handle=known.handle, reason="person", note=note)
    row.with_forks = True
    require_typed(row, typed)
    return asked(actor, row)


def erase(row: Purge) -> Done:
    """Erase what was asked for; again, it goes on."""
    assert row.account_id is not None
    plan: dict[str, Any] = row.plan
    if "names" not in plan:
        try:
            known = _known(OPERATOR, row.handle)
        except NotFound:
            return Done((), (), already=True)  # another request was faster
        _require_replaceable(OPERATOR, known.id, known.handle)
        plan = _kept(row, {"names": sorted(known.names), "emails": _lower(known.emails)})
    person = Person(frozenset((row.account_id.bytes,)), frozenset(plan["names"]), frozenset(plan["emails"]))
    forget_addresses(OPERATOR, person.emails)
    removal.remove(OPERATOR, row.account_id)  # from here on nobody lands in their name
    if "landed" not in plan:
        plan = _kept(row, plan | _plan(row.account_id, person))
    keys: list[str] = []
    number = 0
    for project, session in plan["open"]:
        number += 1
        keys += _silence(UUID(hex=project), bytes.fromhex(session), row, number)
    projects: dict[UUID, None] = {}
    while portions := plan["landed"][number - len(plan["open"]) :]:
        for project, some in portions:
            number += 1
            done = _redact(UUID(hex=project), [bytes.fromhex(each) for each in some], row, number, person)
            keys += done.keys
            projects |= dict.fromkeys(done.projects)
        # What was under way when the account went has landed meanwhile, or will before anybody looks again.
        known_of = {session for _, some in plan["landed"] for session in some}
        late = _portions(silence.landed_by(row.account_id, person.emails), known_of)
        plan = _kept(row, plan | {"landed": [*plan["landed"], *late]})
    projects |= dict.fromkeys(UUID(hex=project) for project in plan["git"])
    for project_id in projects:
        try:
            kept_objects(project_id).erase(person)
        except NotFound:
            continue  # the project is gone
    return Done(tuple(projects), tuple(keys))


def _known(actor: Actor, handle: str) -> Known:
    """What an account is known by, what was frozen into its landings included."""
    known = removal.known(actor, handle)
    names, emails = silence.names_in_landings(known.id)
    return Known(known.id, known.handle, (known.names | names) - {""}, (known.emails | emails) - {""})


def _require_replaceable(actor: Actor, user_id: UUID, handle: str) -> None:
    if alone := owned_alone(actor, user_id):
        raise PreconditionFailed(
            f"{handle} is the last owner of {', '.join(alone[:5])}.", hint="Make somebody else an owner first."
        )


def _lower(emails: Iterable[str]) -> list[str]:
    return sorted({email.lower() for email in emails})


def _kept(row: Purge, plan: dict[str, Any]) -> dict[str, Any]:
    Purge.objects.filter(id=row.id).update(plan=plan)
    return plan


def _plan(user_id: UUID, person: Person) -> dict[str, Any]:
    """All that is to be done, so that whoever goes on does the same: sessions in portions, with their project."""
    landed = silence.landed_by(user_id, person.emails)
    git = []
    for project in silence.projects_with_commits():
        try:
            commits = kept_objects(project).naming(person)
        except NotFound:
            continue
        if commits:
            git.append(project.hex)
            landed.setdefault(project, []).extend(silence.landed_as(project, commits))
    return {
        "open": [[project.hex, session.hex()] for project, session in silence.open_sessions_of(user_id)],
        "landed": _portions(landed, frozenset()),
        "git": git,
    }


def _portions(landed: Mapping[UUID, list[bytes]], known: Collection[str]) -> list[list[Any]]:
    """Sessions by project, in portions of one redaction each, but for those that are known."""
    portions: list[list[Any]] = []
    for project, found in landed.items():
        try:
            own = [session.hex() for session in _own(project, found) if session.hex() not in known]
        except NotFound:
            continue  # the project is gone
        portions += [[project.hex, own[start : start + _AT_ONCE]] for start in range(0, len(own), _AT_ONCE)]
    return portions


def _own(project: UUID, sessions: list[bytes]) -> list[bytes]:
    """Those that landed in the project itself: the others are its origin's, and are erased there with its forks."""
    ledger = open_ledger(project)
    start = ledger.head() and ledger.line.start.position
    return [each for each in dict.fromkeys(sessions) if (ledger.find_session(each) or 0) > start]


def _redact(project: UUID, sessions: list[bytes], row: Purge, number: int, person: Person) -> Done:
    try:
        done = open_ledger(project).redact(
            redaction(row, Parts.PERSON, number), sessions, without_person(person), with_forks=True
        )
    except NotFound:
        return Done((), ())  # the project is gone
    projects = tuple(UUID(hex=each) for each in done.projects) or (project,)
    for each in projects:
        projector.derive_again(each, sessions)
    return Done(projects, done.keys)


def _silence(project: UUID, session: bytes, row: Purge, number: int) -> list[str]:
    try:
        return silence.silence_open(project, session, redaction(row, Parts.WORDS, number))
    except (NotFound, InvalidInput):
        return []  # the project is gone, or the session has landed meanwhile
