"""`mic auth token`: tokens for scripts and agents, which do less than their account."""

from __future__ import annotations

import sys
from typing import Any

import click

from mic.cli.context.open_session import address_of, require_open
from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.forge.made_once import Once, made_once
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, iso, when
from mic.core.errors import AlreadyExists
from mic.core.ids import ulid_text
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.workspace import Workspace

SCOPES = ("project:read", "project:write", "session:read", "session:write", "org:read", "org:admin")


@click.group(cls=Suggesting)
def token() -> None:
    """Make, list, renew and revoke tokens for scripts and agents.

    A token is shown once. Give it to a program as MICELIO_TOKEN, with MICELIO_INSTANCE beside it.
    """


@token.command(short_help="Make a token; it is shown once.")
@click.option("--name", default="", help="What will use it.")
@click.option(
    "--scope", "scopes", multiple=True, metavar="SCOPE[,SCOPE]",
    help=f"What it may do: {', '.join(SCOPES)}. What writes reads too.",
)  # fmt: skip
@click.option("--project", "projects", multiple=True, metavar="ORG/PROJECT", help="Only for this project; repeatable.")
@click.option("--days", type=click.IntRange(1, 366), default=30, show_default=True, help="How long it is good for.")
@click.option(
    "--mix-private-and-public", "mixes", is_flag=True,
    help="Let it read private projects and write to public ones. Not for agents that read what strangers write.",
)  # fmt: skip
@click.option(
    "--from-anywhere", "anywhere", is_flag=True,
    help="Let it come from outside the networks of organizations that allow it to tokens of their admins.",
)  # fmt: skip
@click.option(
    "--for-session", is_flag=True, help="For an agent: to land the session open here and nothing else, for 15 minutes."
)
@instance_option
@json_option
def create(
    out: Output,
    name: str,
    scopes: tuple[str, ...],
    projects: tuple[str, ...],
    days: int,
    mixes: bool,
    anywhere: bool,
    for_session: bool,
    instance: str | None,
) -> None:
    """Make a token: with scopes, or --for-session for an agent.

    Without --project it is for all projects that you reach.
    """
    if for_session:
        if scopes or projects or mixes or anywhere or instance:
            raise WrongCommandLine(
                "A token for a session has its own limits.", hint="Use --for-session with --name or alone."
            )
        _show(out, _for_session(name))
    else:
        words = [word.strip() for item in scopes for word in item.split(",") if word.strip()]
        if not words or not name.strip():
            raise WrongCommandLine(
                "A token needs a name and a scope.",
                hint='For example: `mic auth token create --name "Nightly build" --scope project:read`.',
            )
        request = pb.CreateTokenRequest(
            name=name, scopes=words, projects=projects, days=days, mixes=mixes, anywhere=anywhere
        )
        instance = named_instance(instance)
        what = instance.encode() + b"\0" + request.SerializeToString(deterministic=True)
        with connect(instance, signed_in=True) as client, made_once(what) as once:
            # Killed before it was shown, a token stands for nobody; the same command again replaces it.
            _show(out, _made(client, request, once))


def _made(client: Client, request: pb.CreateTokenRequest, once: Once) -> pb.CreateTokenResponse:
    request.id = once.id
    try:
        made: pb.CreateTokenResponse = client.call(client.account.CreateToken, request)
    except AlreadyExists:
        if not once.again:
            raise
        # It was shown, and is in use, or it is another account's.
        once.renew()
        request.id = once.id
        made = client.call(client.account.CreateToken, request)
    return made


def _show(out: Output, made: pb.CreateTokenResponse) -> None:
    out.shown_once(made.value)
    out.note(
        f"This is shown once. {made.token.name}: {_limits(made.token)}; good until {when(made.token.expires_at_ms)}."
    )
    out.document({"value": made.value, "token": _fields(made.token)})
    sys.stdout.flush()


def _for_session(name: str) -> pb.CreateTokenResponse:
    ws = Workspace.find()
    session = require_open(ws)
    request = pb.CreateSessionTokenRequest(project=address_of(ws).ref, session_id=session.id, name=name)
    with connect(ws.config.instance, signed_in=True) as client:
        made: pb.CreateTokenResponse = client.call(client.account.CreateSessionToken, request)
    return made


@token.command("list")
@instance_option
@json_option
def list_(out: Output, instance: str | None) -> None:
    """Your tokens that are good, newest first."""
    with connect(named_instance(instance), signed_in=True) as client:
        found = client.call(client.account.ListTokens, pb.ListTokensRequest()).tokens
    if not found:
        out.line("You have no token. `mic auth token create` makes one.")
    for item in found:
        used = f"last used {when(item.last_used_at_ms)}" if item.last_used_at_ms else "never used"
        out.line(f"{item.id}  {item.name}")
        out.line(f"    {_limits(item)}")
        out.line(f"    until {when(item.expires_at_ms)}, {used}")
    out.document({"tokens": [_fields(item) for item in found]})


@token.command()
@click.argument("token_id", metavar="ID")
@instance_option
@json_option
def renew(out: Output, token_id: str, instance: str | None) -> None:
    """Give the token of a session 15 more minutes from now."""
    with connect(named_instance(instance), signed_in=True) as client:
        renewed = client.call(client.account.RenewSessionToken, pb.RenewSessionTokenRequest(id=token_id)).token
    out.line(f"{renewed.name} is good until {when(renewed.expires_at_ms)}.")
    out.document({"token": _fields(renewed)})


@token.command()
@click.argument("token_id", metavar="ID")
@instance_option
@json_option
def revoke(out: Output, token_id: str, instance: str | None) -> None:
    """End a token at once. Its ID is in `mic auth token list`."""
    with connect(named_instance(instance), signed_in=True) as client:
        client.call(client.account.RevokeToken, pb.RevokeTokenRequest(id=token_id))
    out.line("Revoked.")
    out.document({"revoked": token_id})


def _limits(item: pb.Token) -> str:
    if item.session_id:
        return f"session {ulid_text(item.session_id)} in {', '.join(item.projects)}"
    where = "all projects" if item.all_projects else ", ".join(item.projects)
    mixed = "; reads private and writes public" if item.mixes else ""
    anywhere = "; from anywhere" if item.anywhere else ""
    return f"{' '.join(item.scopes)}; {where}{mixed}{anywhere}"


def _fields(item: pb.Token) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "scopes": list(item.scopes),
        "projects": None if item.all_projects else list(item.projects),
        "session": ulid_text(item.session_id) if item.session_id else None,
        "mix_private_and_public": item.mixes,
        "from_anywhere": item.anywhere,
        "created_at": iso(item.created_at_ms),
        "expires_at": iso(item.expires_at_ms),
        "last_used_at": iso(item.last_used_at_ms) if item.last_used_at_ms else None,
    }
