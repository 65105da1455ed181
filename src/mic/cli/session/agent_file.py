"""`.micelio/agent.toml` as it stands in this working copy: what it says, and whether it may do things by itself."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mic.cli.settings.user_config import agent_config
from mic.cli.terminal.output import Output
from mic.workspace.place import exists
from mic.workspace.session import LocalSession
from mic.workspace.status import LocalChange
from mic.workspace.workspace import Workspace

if TYPE_CHECKING:
    from mic.core.agent_settings import AgentSettings

# As mic.core.agent_settings has it, which compiles patterns: where no such file is, it is not imported.
PATH = b".micelio/agent.toml"


def settings_here(ws: Workspace) -> AgentSettings | None:
    """What the file says; None where there is none. Raises InvalidInput."""
    path = os.fsencode(ws.root) + b"/" + PATH
    if not exists(path):
        return None
    from mic.core.agent_settings import MAX_BYTES, parse_agent_settings

    with open(path, "rb") as stream:
        return parse_agent_settings(stream.read(MAX_BYTES + 1))


def wants(ws: Workspace, what: str, out: Output) -> bool:
    """Whether the project asks for something that happens by itself, and whoever works here lets it.

    The file comes with a clone: a project does not decide what somebody's machine sends.
    """
    if not getattr(settings_here(ws), what, False):
        return False
    if agent_config(ws.root).automatic:
        return True
    out.note(
        f"This project asks for {what} in {PATH.decode()}; `mic config set agent.automatic true` lets projects do so."
    )
    return False


def refuse_paths(ws: Workspace, session: LocalSession | None, agent: str, changes: list[LocalChange]) -> None:
    """Raises Protected when an agent's session changes what the file here denies. The forge asks the landed one."""
    who = session.agent if session is not None else agent
    settings = settings_here(ws) if who and changes else None
    if settings is not None:
        from mic.core.agent_settings import require_allowed

        require_allowed(settings, who, [change.path for change in changes])
