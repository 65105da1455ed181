"""Hooks of a working copy: programs of one's own in `.mic/hooks`, run around sessions and landings.

They are this machine's alone: no tree can hold a file below `.mic`, so none comes with a clone. Their output goes to
standard error, and the workspace is not locked while they run: they may call `mic`.
"""

from __future__ import annotations

import contextlib
import os
import sys

from mic.cli.forge.credentials import environment_token, stored
from mic.cli.terminal.ended import ended_in_order
from mic.cli.terminal.output import Output
from mic.core.errors import MicError, PreconditionFailed
from mic.core.ids import ulid_text
from mic.workspace.session import LocalSession
from mic.workspace.workspace import Workspace

PRE_SESSION, PRE_LAND, POST_LAND = "pre-session", "pre-land", "post-land"
# Tests may run in one; what hangs ends.
SECONDS = 600.0


class HookFailed(PreconditionFailed):
    """A hook said no, could not be run, or took too long."""

    code = "hook_failed"


def has_hook(ws: Workspace, name: str) -> bool:
    """Whether there is such a hook, and this is not run by one."""
    return os.path.lexists(os.path.join(ws.root, ".mic", "hooks", name)) and not os.environ.get("MIC_HOOK")


def run_hook(ws: Workspace, name: str, goal: str, session: LocalSession | None, position: int | None = None) -> bool:
    """Run a hook when there is one; whether there was. Raises HookFailed unless it ends with 0.

    It gets MIC_SESSION_ID (empty before a session has one), MIC_SESSION_GOAL, MIC_PROJECT_ORG, MIC_PROJECT_HANDLE,
    MIC_USER_HANDLE and, after a landing, MIC_LANDING_POSITION. A hook that calls `mic` runs no hooks again.
    """
    if not has_hook(ws, name):
        return False
    path = os.path.join(ws.root, ".mic", "hooks", name)
    import signal  # what no command without hooks needs
    import subprocess

    shown = f".mic/hooks/{name}"
    if not os.path.isfile(path):
        raise HookFailed(f"{shown} is no program: a folder, or a link to nothing.", hint="Take it away.")
    if not os.access(path, os.X_OK):
        raise HookFailed(f"{shown} cannot be run.", hint=f"`chmod +x {shown}`, or take it away.")
    environment = os.environ | {
        "MIC_HOOK": name,
        "MIC_SESSION_ID": ulid_text(session.id) if session is not None else "",
        "MIC_SESSION_GOAL": (session.goal if session is not None else goal).replace("\x00", ""),
        "MIC_PROJECT_ORG": ws.config.organization,
        "MIC_PROJECT_HANDLE": ws.config.project,
        "MIC_BRANCH": ws.config.branch or "main",
        "MIC_USER_HANDLE": _handle(ws.config.instance),
    }
    if position is not None:
        environment["MIC_LANDING_POSITION"] = str(position)
    sys.stdout.flush()
    try:
        process = subprocess.Popen(
            [path], cwd=ws.root, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr, start_new_session=True
        )
    except OSError as error:
        raise HookFailed(
            f"{shown} cannot be run: {error.strerror}.", hint="Does its first line name a shell?"
        ) from error
    try:
        with ended_in_order():  # the hook has a session of its own
            code = process.wait(SECONDS)
    except subprocess.TimeoutExpired as error:
        raise HookFailed(f"{shown} took more than {SECONDS:.0f} s and was ended.", hint="Make it quicker.") from error
    finally:
        if process.poll() is None:
            # With all that it started; also when somebody interrupts.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    if code:
        how = f"ended with {code}" if code > 0 else f"was ended by signal {-code}"
        raise HookFailed(f"{shown} {how}.", hint="What it said is above; nothing was done.")
    return True


def _handle(instance: str) -> str:
    """Who asks the forge; "" where nobody is signed in, or it cannot be asked whose a token of the environment is."""
    if not environment_token(instance):
        credential = stored(instance)
        return credential.handle if credential else ""
    from mic.cli.forge.connection import connect
    from mic.rpc.v1 import mic_pb2 as pb

    try:
        with connect(instance) as client:
            handle: str = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user.handle
            return handle
    except MicError:
        return ""


def after_landing(ws: Workspace, out: Output, session: LocalSession, position: int) -> None:
    """Run the hook behind a landing, which has landed whatever that says."""
    try:
        run_hook(ws, POST_LAND, session.goal, session, position)
    except HookFailed as error:
        out.note(f"Landed all the same: {error.message}")
