"""Landing later: a wish is accepted with one durable write, and carried out when its turn comes (`carry_out`).

The promise is the intent in the store. Rows and memory only say where to look; a process that dies at any point
leaves the intent, and whoever finds it lands it. The policy is asked when it is accepted and again when it lands.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
from django.db import transaction

from mic.core.epoch import PackRef
from mic.core.ids import ulid_text
from mic.core.session import Session
from mic.ledger import intents
from mic.ledger.project import Landed, LandRequest
from micelio.accounts.actor import Actor
from micelio.audit.actions import record
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.sessions import lander, projector
from micelio.sessions.actions import (
    claim,
    own_landing,
    own_open_session,
    refuse_abandoned,
    to_land,
    true_receipts,
    with_pushed,
)
from micelio.sessions.owners import refuse_unreadable_owners
from micelio.sessions.secrets import refuse_secrets


def land_later(
    actor: Actor,
    project: ProjectView,
    session: Session,
    contents: Mapping[bytes, bytes],
    packs: Sequence[PackRef] = (),
    *,
    pushed: bool = False,
) -> Landed | None:
    """Accept a session to be landed; None when it waits now, its position when it has landed already.

    What can be known to be wrong before its turn is refused at once, as by `land`. Raises QueueFull and TooLarge.
    """
    undated = not session.hlc_created
    session = to_land(actor, project, session)
    ledger = open_ledger(project.line)
    known = own_open_session(actor, ledger, session.id)
    if known is not None:
        refuse_abandoned(known)
        if undated:
            # A wish that does not say when it began is the same wish when it is sent again.
            session = msgspec.structs.replace(session, hlc_created=known.hlc_created)
    if pushed:
        packs = with_pushed(ledger, known, packs)
    with true_receipts(ledger, packs):
        request = ledger.with_lists(LandRequest(session, contents, packs))
        position = ledger.examine(request)
    if position is not None:
        return own_landing(actor, ledger, session.id, position)
    refuse_unreadable_owners(ledger, request)
    refuse_secrets(actor, ledger, request)
    claimed = known is None and claim(actor, ledger, session)
    item = ledger.run(intents.accept(ledger.line, request, claimed=claimed))
    with transaction.atomic():
        projector.keep_row(project.line, session, queued=True)
        name = project.address
        places = {"project_id": project.id, "organization_id": project.owner_id}
        record(actor, "session.queue", "session", ulid_text(session.id), name, **places)
    lander.add(project.line, item)
    return None
