"""Where a command looks: the project, the working copy that it has, and what a ref is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import click

from mic.cli.context.open_session import address_of
from mic.cli.context.refs import Ref, read_ref
from mic.cli.forge.connection import Address, parse_address
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.core.errors import InvalidInput
from mic.core.ids import ulid_text
from mic.core.paths import display, parse_path
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.paths import tree_path
from mic.workspace.workspace import Workspace


def project_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--project`, for looking without a working copy."""
    return click.option("--project", metavar="ORG/PROJECT", help="Another project than the one of this directory.")(
        command
    )


def read_own_ref(text: str) -> Ref:
    """A ref of the line that is followed here; raises WrongCommandLine for one of another branch."""
    ref = read_ref(text)
    if ref.branch:
        raise WrongCommandLine(
            f"{text[:100]} is on another line than the one followed here.",
            hint=f"`mic branch switch {ref.branch}` follows that one.",
        )
    return ref


class Place:
    """Where a command looks: a project, and the workspace when it is that of this directory."""

    def __init__(self, project: str | None, start: str = ".", address: Address | None = None) -> None:
        self.ws = None if project else Workspace.find(start)
        self.address: Address = address or (parse_address(project) if project else address_of(Workspace.find(start)))

    def position(self, client: Client, text: str | None) -> int:
        """The position of the ref that is named, else the base of this workspace, else the newest.

        Raises WrongCommandLine for what is no ref, NotFound, InvalidInput for a session that has not landed.
        """
        return self.resolve(client, read_ref(text)) if text else self._head(client)

    def resolve(self, client: Client, ref: Ref) -> int:
        """The position of a ref; 0 is the empty beginning. Raises as `position`.

        From a ref of another branch on, the place is on that.
        """
        if ref.branch:
            self.address = self.address.on(ref.branch)
        if ref.position is not None:
            position = ref.position
        elif ref.session:
            position = self._landed(client, ref.session)
        else:
            position = self._newest(client) if ref.latest or ref.branch else self._head(client)
        if ref.back > position:
            raise WrongCommandLine(
                f"{ref.text} is before the beginning: that is {ref.back:,} landings before @{position}."
            )
        return position - ref.back

    def session(self, client: Client, ref: Ref) -> pb.Session:
        """The session of a ref, whole, landed or not; of no other than a session may it be an open one."""
        if ref.session and not ref.back:
            request = pb.GetSessionRequest(project=self.address.ref, id_prefix=ref.session)
        else:
            position = self.resolve(client, ref)
            request = pb.GetSessionRequest(project=self.address.ref, position=position)
        answer: pb.SessionResponse = client.call(client.sessions.GetSession, request)
        return answer.session

    def _head(self, client: Client) -> int:
        return self.ws.config.position if self.ws is not None else self._newest(client)

    def _newest(self, client: Client) -> int:
        request = pb.GetProjectRequest(project=self.address.ref)
        return int(client.call(client.projects.GetProject, request).project.head_position)

    def _landed(self, client: Client, session: str) -> int:
        request = pb.GetSessionRequest(project=self.address.ref, id_prefix=session)
        found = client.call(client.sessions.GetSession, request).session
        if not found.landed_position:
            name = ulid_text(found.id)
            raise InvalidInput(f"Session {name} has not landed: it is no moment.", hint=f"`mic show {name}` shows it.")
        return int(found.landed_position)

    def listing(self, position: int, path: bytes = b"") -> str:
        """The command that lists the files of a position, or of a directory there, from here."""
        base = self.ws.config.position if self.ws else None
        words = ["mic ls", display(path)] if path else ["mic ls"]
        if position != base:
            words.append(f"--at @{position}")
        if self.ws is None:
            words.append(f"--project {self.address}")
        return " ".join(words)

    def path(self, text: str) -> bytes:
        """A path as the tree names it; b"" for the root."""
        if self.ws is not None:
            return tree_path(self.ws, text)
        path = os.fsencode(text).strip(b"/")
        return b"" if path in (b"", b".") else parse_path(path)
