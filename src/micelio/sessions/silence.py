"""What is known of sessions whose words are to be erased, and of what somebody landed; and doing it to open ones.

For `micelio.operators`, which asks who may. Nothing here looks at what an actor may see.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Lower

from mic.core.errors import NotFound, PreconditionFailed
from mic.core.ids import ulid_text
from mic.core.redaction import Redaction
from mic.ledger.project import Project
from micelio.projects.ledgers import open_ledger
from micelio.sessions.models import Landing, OpenSession

# Rows that are asked for at once.
_AT_ONCE = 500


def names_in_landings(user_id: UUID) -> tuple[set[str], set[str]]:
    """Names and addresses that were frozen into the landings of an account."""
    rows = Landing.objects.filter(owner_id=user_id).values_list("author_name", "author_email").distinct()
    found = list(rows)
    return {name for name, _ in found}, {email for _, email in found}


def landed_by(user_id: UUID, emails: Collection[str]) -> dict[UUID, list[bytes]]:
    """The sessions that an account landed, or that have one of these addresses as their author's; by project, in order.

    Those of a fork's origin are under the fork too.
    """
    named = Landing.objects.alias(address=Lower("author_email")).filter(
        Q(owner_id=user_id) | Q(address__in=list(emails))
    )
    found: dict[UUID, list[bytes]] = {}
    for project, session in named.order_by("project_id", "position").values_list("project_id", "session_id"):
        found.setdefault(project, []).append(bytes(session))
    return found


def projects_with_commits() -> list[UUID]:
    """The projects some of whose landings came as Git commits."""
    rows = Landing.objects.filter(git_commit__isnull=False).order_by("project_id")
    return list(rows.values_list("project_id", flat=True).distinct())


def landed_as(project_id: UUID, commits: Iterable[bytes]) -> list[bytes]:
    """The sessions that landed as one of these Git commits."""
    wanted, found = sorted(commits), []
    for start in range(0, len(wanted), _AT_ONCE):
        rows = Landing.objects.filter(project_id=project_id, git_commit__in=wanted[start : start + _AT_ONCE])
        found += [bytes(session) for session in rows.values_list("session_id", flat=True)]
    return found


def open_sessions_of(user_id: UUID) -> list[tuple[UUID, bytes]]:
    """(project, session) of what an account has not landed."""
    rows = OpenSession.objects.filter(owner_id=user_id).values_list("project_id", "session_id")
    return [(project, bytes(session)) for project, session in rows]


def require_still(project_id: UUID, session_id: bytes) -> None:
    """Raises PreconditionFailed while a session waits to be landed, NotFound when nothing is known of it."""
    row = OpenSession.objects.filter(project_id=project_id, session_id=session_id).first()
    if row is None:
        raise NotFound(f"There is no session {ulid_text(session_id)} in this project.")
    if row.queued:
        raise PreconditionFailed(
            f"Session {ulid_text(session_id)} waits to be landed.", hint="Look again when it has landed."
        )


def silence_open(project_id: UUID, session_id: bytes, redaction: Redaction) -> list[str]:
    """Give a session up that has not landed, and keep nothing of it; the objects that went or were written over."""
    ledger: Project = open_ledger(project_id)
    done = ledger.silence(session_id, redaction.name)
    OpenSession.objects.filter(project_id=project_id, session_id=session_id).delete()
    return done
