"""Letters that did not go out, for whoever looks after the forge."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction

from mic.core.errors import PermissionDenied
from micelio.accounts.actor import Actor
from micelio.accounts.policy import OPERATOR, require_admin
from micelio.audit.actions import record
from micelio.config import current
from micelio.mail import outbox
from micelio.mail.contents import Contents
from micelio.mail.outbox import LetterView


def list_letters(actor: Actor) -> list[LetterView]:
    """Those that wait for somebody to hand them over, or that the mail server did not take. Raises PermissionDenied."""
    require_admin(actor)
    return outbox.undelivered()


@transaction.atomic
def read_letter(actor: Actor, letter_id: UUID) -> tuple[LetterView, Contents]:
    """One with its contents, which may open an account: so only where nothing else brings it there, and recorded.

    Raises PermissionDenied, NotFound.
    """
    require_admin(actor)
    if current().postal is not None and actor is not OPERATOR:
        raise PermissionDenied(
            "This forge sends its letters itself, so nobody reads them here.",
            hint="`micelio admin mail` shows them on the machine itself.",
        )
    letter, contents = outbox.read(letter_id)
    record(actor, "mail.read", "letter", letter.id, letter.subject, to=letter.to)
    return letter, contents


@transaction.atomic
def hand_over(actor: Actor, letter_id: UUID) -> None:
    """Its addressee has it: it leaves the list. Raises PermissionDenied, NotFound."""
    require_admin(actor)
    letter = outbox.handed_over(letter_id)
    record(actor, "mail.hand_over", "letter", letter.id, letter.subject, to=letter.to)


@transaction.atomic
def send_again(actor: Actor, letter_id: UUID) -> None:
    """Ask the mail server once more. Raises PermissionDenied, NotFound, InvalidInput without a mail server."""
    require_admin(actor)
    letter = outbox.again(letter_id)
    record(actor, "mail.again", "letter", letter.id, letter.subject, to=letter.to)
