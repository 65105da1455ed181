"""From what a person names (an instance, a project, this workspace) to a client that can be called."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

import click

from mic.cli.forge.credentials import SIGN_IN, Tokens, default_instance, environment_token
from mic.cli.forge.told import passed_on_by_daemon, told_by_daemon
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, MicError, Unauthenticated
from mic.rpc.client import Client, Move
from mic.rpc.discovery import discover, normal_instance
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.workspace import Workspace

MAIN = "main"
_FROM_ENVIRONMENT = "MICELIO_TOKEN is set; unset it or replace it."


instance_option = click.option("--instance", metavar="URL", help="The forge; default: where you signed in last.")


class Address(NamedTuple):
    """A project on an instance, on its main line or on a branch."""

    instance: str
    organization: str
    project: str
    branch: str = ""

    def __str__(self) -> str:
        return f"{self.organization}/{self.project}" + (f"@{self.branch}" if self.branch else "")

    @property
    def ref(self) -> pb.ProjectRef:
        """The project as calls name it."""
        return pb.ProjectRef(organization=self.organization, handle=self.project, branch=self.branch)

    def on(self, branch: str) -> Address:
        """The same project on another branch; `main` is main."""
        return self._replace(branch="" if branch == MAIN else branch)


def connect(
    instance: str,
    *,
    signed_in: bool = False,
    waiting: Callable[[float], None] | None = None,
    only_looks: bool = False,
) -> Client:
    """A client of the forge at `instance`, with the token kept for it. Who `only_looks` may need no connection.

    Raises Unauthenticated when `signed_in` is asked for and there is no token; Unavailable, InvalidInput.
    """
    tokens = Tokens(instance)
    if not tokens.current() and signed_in:
        hint = SIGN_IN if instance == default_instance() else f"Sign in with `mic auth login --instance {instance}`."
        raise Unauthenticated(f"You are not signed in at {instance}.", hint=hint)
    told = told_by_daemon(instance)
    forge = told or discover(instance)
    client = Client(
        forge.grpc,
        tokens,
        insecure=not forge.tls,
        refused=_FROM_ENVIRONMENT if environment_token(instance) else "",
        waiting=waiting or _say_waiting,
        pass_on=passed_on_by_daemon(told) if told and only_looks else None,
    )
    client.on_move = _Moves(instance)
    return client


def _say_waiting(seconds: float) -> None:
    click.echo(f"The forge takes no more requests just now. Going on in {max(1, round(seconds))} s ...", err=True)


class _Moves:
    """Says once of each project that it has moved, and lets the workspace here follow it."""

    def __init__(self, instance: str) -> None:
        self._instance = instance
        self._told: set[Move] = set()

    def __call__(self, move: Move) -> None:
        if move in self._told:
            return
        self._told.add(move)
        old, new = f"{move.organization}/{move.project}", f"{move.new_organization}/{move.new_project}"
        Output().note(f"{old} is {new} now. The old address leads there.")
        try:
            ws = Workspace.find()
        except MicError:  # not in one, or in one that the command itself has something to say about
            return
        if ws.config[:3] == (self._instance, *move[:2]):
            ws.follow(move.new_organization, move.new_project)


def named_instance(text: str | None) -> str:
    """The instance that `--instance` names, else the default one; raises WrongCommandLine."""
    if not text:
        return default_instance()
    try:
        return normal_instance(text)
    except InvalidInput as error:
        raise WrongCommandLine(error.message, hint=error.hint) from error


def parse_address(text: str) -> Address:
    """`ORG/PROJECT`, `HOST/ORG/PROJECT`, `HOST:ORG/PROJECT` or the URL of a project; raises WrongCommandLine.

    Behind a project, but not behind a URL, `@BRANCH` is one of its branches.
    """
    named, _, branch = text.strip().partition("@") if "://" not in text else (text.strip(), "", "")
    parts = named.rstrip("/").split("/")
    if len(parts) == 2 and ":" in parts[0] and "://" not in text:
        parts = [*parts[0].rsplit(":", 1), parts[1]]
    if "://" in text:
        scheme, _, rest = text.strip().partition("://")
        host, _, path = rest.partition("/")
        instance = named_instance(f"{scheme}://{host}")
        parts = re.split("[?#]", path)[0].strip("/").split("/")
    elif len(parts) == 3:
        instance = named_instance(parts.pop(0))
    else:
        instance = ""
    if len(parts) != 2 or not all(parts):
        raise WrongCommandLine(
            f"{text[:200]!r} does not name a project.", hint="Use ORG/PROJECT, HOST/ORG/PROJECT or a URL."
        )
    return Address(instance or default_instance(), parts[0].lower(), parts[1].lower()).on(branch)
