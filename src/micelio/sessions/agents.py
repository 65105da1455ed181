"""What agents may change in a project: `.micelio/agent.toml` of the newest tree, asked before an agent's session lands.

It is not asked again at the swap: a rule that lands at this very moment counts from the next landing on.
"""

from __future__ import annotations

from mic.core.agent_settings import MAX_BYTES, PATH, AgentSettings, parse_agent_settings, require_allowed
from mic.core.errors import Erased, InvalidInput, Protected
from mic.core.paths import display
from mic.core.session import Session
from mic.core.tree import EMPTY_TREE
from mic.ledger.project import Project
from micelio.accounts.actor import Actor

_REGULAR = 0o100000 >> 12


def refuse_denied_paths(actor: Actor, ledger: Project, session: Session) -> None:
    """Raises Protected for an agent's session that changes what agents may not; never for one of a person.

    A session is an agent's when it says so, and when the token in use was made for one. Rules that cannot be read let
    no agent land.
    """
    bound = actor.grant is not None and bool(actor.grant.session)
    if not (session.agent or bound) or not session.changes:
        return
    try:
        settings = _settings(ledger)
        if settings is not None:
            require_allowed(settings, session.agent, [change.path for change in session.changes])
    except Protected:
        # What has landed before the rule came is only told where.
        if ledger.find_session(session.id) is None:
            raise


def _settings(ledger: Project) -> AgentSettings | None:
    root = ledger.head().tree
    entry = ledger.entry(root, PATH) if root != EMPTY_TREE else None
    if entry is None:
        return None
    name = display(PATH)
    try:
        if entry.mode >> 12 != _REGULAR or entry.size > MAX_BYTES:
            raise InvalidInput(f"it is no file of at most {MAX_BYTES:,} bytes")
        return parse_agent_settings(ledger.blob(entry.hash, MAX_BYTES))
    except (InvalidInput, Erased) as error:
        raise Protected(
            f"{name} cannot be read, so no agent's session lands: {error.message}",
            hint="A person lands one that can be read.",
        ) from error
