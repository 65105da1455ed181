"""A session by the beginning of its id, as people type it."""

from __future__ import annotations

from mic.core.errors import InvalidInput, NotFound
from mic.core.ids import ulid_text, ulids_that_begin
from micelio.accounts.actor import Actor
from micelio.projects.project_view import ProjectView
from micelio.sessions.models import Landing, OpenSession
from micelio.sessions.policy import may_see_open, require_read

# The first ten characters of an id are its time: with six it is known to the quarter of an hour.
SHORTEST = 6
_NAMED = 5


def find_session(actor: Actor, project: ProjectView, begins: str) -> bytes:
    """The id of the one session that begins so; a whole id is answered unseen.

    Raises NotFound, InvalidInput for too short a text and where several begin so.
    """
    require_read(actor, project)
    if len(begins) < SHORTEST:
        raise InvalidInput(f"{begins!r} is too short to name a session.", hint=f"Give at least {SHORTEST} characters.")
    first, last = ulids_that_begin(begins)
    if first == last:
        return first
    found = _between(Landing, project, first, last)
    if may_see_open(actor, project):
        found |= _between(OpenSession, project, first, last)
    elif actor.grant is not None and actor.grant.session and first <= actor.grant.session <= last:
        found.add(actor.grant.session)
    if not found:
        raise NotFound(f"No session begins with {begins}, or you may not see it.", hint="`mic log` lists what landed.")
    if len(found) > 1:
        named = ", ".join(ulid_text(each) for each in sorted(found)[:_NAMED])
        raise InvalidInput(f"Several sessions begin with {begins}.", hint=f"Give more of the id: {named}.")
    return found.pop()


def _between(model: type[Landing | OpenSession], project: ProjectView, first: bytes, last: bytes) -> set[bytes]:
    rows = model.objects.filter(project_id=project.line, session_id__gte=first, session_id__lte=last)
    return {bytes(each) for each in rows.values_list("session_id", flat=True)[: _NAMED + 1]}
