"""`mic auth`: the device grant of RFC 8628, or a token from standard input."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from mic.cli.forge.connection import connect, instance_option, named_instance
from mic.cli.forge.credentials import (
    SIGN_IN,
    Credential,
    default_instance,
    environment_token,
    forget,
    from_answer,
    kept_handles,
    store,
    stored,
    switch_to,
)
from mic.cli.forge.git_credential import git_credential, setup_git
from mic.cli.people.tokens import token
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.output import Output
from mic.core.errors import InvalidInput, PermissionDenied, Unauthenticated, Unavailable
from mic.rpc.client import Client
from mic.rpc.discovery import Forge, discover, post_form
from mic.rpc.v1 import mic_pb2 as pb

_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
_SLOWER = 5.0  # seconds that each `slow_down` adds to the interval (RFC 8628, section 3.5)


@click.group(cls=Suggesting)
def auth() -> None:
    """Sign in, sign out, see who you are.

    MICELIO_TOKEN and MICELIO_INSTANCE, when set, come before what is stored.
    """


auth.add_command(token)
auth.add_command(setup_git)
auth.add_command(git_credential)


@auth.command()
@instance_option
@click.option("--token-stdin", is_flag=True, help="Read a token from standard input instead of asking in a browser.")
@json_option
def login(out: Output, instance: str | None, token_stdin: bool) -> None:
    """Sign in at a forge. The command line never sees your password."""
    chosen = named_instance(instance)
    forge = discover(chosen)
    if token_stdin:
        token = sys.stdin.readline().strip()
        if not token or not token.isascii() or not token.isprintable():
            raise InvalidInput("There is no token on standard input.", hint="Put it on the first line.")
        credential = Credential(token)
    else:
        credential = from_answer(_ask_in_browser(forge, out))
    with Client(forge.grpc, credential.access_token, insecure=not forge.tls) as client:
        user = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest()).user
    credential.handle = user.handle
    store(chosen, credential)
    out.line(f"Signed in at {chosen} as {user.handle}.")
    out.document({"instance": chosen, "user": _user(user)})


@auth.command()
@instance_option
@json_option
def status(out: Output, instance: str | None) -> None:
    """Who you are, and where."""
    chosen = named_instance(instance)
    with connect(chosen, signed_in=True) as client:
        answer = client.call(client.auth.GetCurrentUser, pb.GetCurrentUserRequest())
    source = "MICELIO_TOKEN" if environment_token(chosen) else "stored"
    out.line(f"{answer.user.handle} at {chosen}")
    if source != "stored":
        out.line("The token is from MICELIO_TOKEN.")
    others = {} if instance else {where: handle for where, handle in kept_handles().items() if where != chosen}
    for where, handle in others.items():
        out.line(f"Also signed in: {handle or 'somebody'} at {where}")
    out.document(
        {
            "instance": chosen, "user": _user(answer.user), "token": source, "forge_version": answer.forge_version,
            "others": [{"instance": where, "handle": handle} for where, handle in others.items()],
        }
    )  # fmt: skip


@auth.command()
@click.argument("instance", metavar="URL")
@json_option
def switch(out: Output, instance: str) -> None:
    """Have commands go to another forge that you are signed in at.

    What is about a working copy goes to its own forge all the same.
    """
    chosen = named_instance(instance)
    if not switch_to(chosen):
        raise Unauthenticated(
            f"You are not signed in at {chosen}.", hint=f"Sign in with `mic auth login --instance {chosen}`."
        )
    _say_default(out, chosen)
    if default_instance() != chosen:
        out.note(f"Not in this shell: MICELIO_INSTANCE is {default_instance()}.")
    out.document({"instance": chosen, "handle": kept_handles()[chosen]})


def _say_default(out: Output, instance: str) -> None:
    handle = kept_handles()[instance]
    out.line(f"Commands go to {instance} now" + (f", as {handle}." if handle else "."))


@auth.command()
@instance_option
@json_option
def logout(out: Output, instance: str | None) -> None:
    """Revoke the stored token and forget it."""
    chosen = named_instance(instance)
    credential = stored(chosen)
    if credential is None:
        raise Unauthenticated(f"You are not signed in at {chosen}.", hint=SIGN_IN)
    revoked = _revoke(chosen, credential)
    before = default_instance()
    forget(chosen)
    out.line(f"Signed out at {chosen}.")
    if before != default_instance() in kept_handles():
        _say_default(out, default_instance())
    if not revoked:
        out.note("The forge did not answer, so the token stays valid there until it expires.")
    out.document({"instance": chosen, "revoked": revoked})


def _revoke(instance: str, credential: Credential) -> bool:
    try:
        forge = discover(instance)
        token = credential.refresh_token or credential.access_token
        fields = {"client_id": forge.client_id, "token": token}
        done = post_form(forge.revocation_endpoint, fields)[0] == 200
        if done and credential.refresh_token:
            fields["token"] = credential.access_token
            done = post_form(forge.revocation_endpoint, fields)[0] == 200
        return done
    except (Unavailable, InvalidInput):
        return False


def _user(user: pb.User) -> dict[str, Any]:
    return {"handle": user.handle, "name": user.name, "email": user.email, "is_admin": user.is_admin}


def _ask_in_browser(forge: Forge, out: Output) -> dict[str, Any]:
    """The token endpoint's answer, once somebody has approved the code that is shown here."""
    fields = {"client_id": forge.client_id, "scope": forge.scope}
    status, asked = post_form(forge.device_authorization_endpoint, fields)
    if status != 200 or "device_code" not in asked:
        raise Unavailable(f"The forge {forge.instance} gives no codes for signing in.", hint="Try again.")
    # On standard error in both modes: with --json the document comes when the sign-in is through.
    out.note(f"Open {asked.get('verification_uri_complete') or asked['verification_uri']}")
    out.note(f"and compare the code: {asked['user_code']}")
    out.note("Waiting for your approval ...")
    interval = float(asked.get("interval") or 5)
    ends = time.monotonic() + float(asked.get("expires_in") or 600)
    poll = {"client_id": forge.client_id, "grant_type": _GRANT, "device_code": str(asked["device_code"])}
    while time.monotonic() < ends:
        time.sleep(interval)
        status, said = post_form(forge.token_endpoint, poll)
        if status == 200 and "access_token" in said:
            return said
        problem = said.get("error")
        if problem == "slow_down":
            interval += _SLOWER
        elif problem == "access_denied":
            raise PermissionDenied("The sign-in was refused in the browser.", hint="Run `mic auth login` again.")
        elif problem != "authorization_pending":
            break
    raise Unauthenticated("The code has expired before it was approved.", hint="Run `mic auth login` again.")
