"""The language that somebody reads the pages in, wherever they are signed in."""

from __future__ import annotations

from django.db import transaction

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor, require_signed_in
from micelio.accounts.models import User
from micelio.accounts.policy import require_self
from micelio.audit.actions import record
from micelio.languages.choice import language_called


@transaction.atomic
def choose_language(actor: Actor, code: str) -> None:
    """Keep the language with this code as the actor's own. Raises Unauthenticated, PermissionDenied, InvalidInput."""
    holder = require_signed_in(actor)
    require_self(actor, holder)
    language = language_called(code)
    if language is None:
        raise InvalidInput(f"There is no language called {code[:20]!r} here.", hint="Choose one of the list.")
    user = User.objects.select_for_update().get(id=holder)
    if user.language != language.code:
        before, user.language = user.language, language.code
        user.save(update_fields=["language"])
        record(actor, "account.language", "account", holder, actor.handle, before=before, after=language.code)
