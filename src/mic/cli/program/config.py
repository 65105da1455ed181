"""`mic config`: what a person has set for `mic`, on this machine and in a workspace."""

from __future__ import annotations

import difflib
import os

import click

from mic.cli.settings import telemetry
from mic.cli.settings.user_config import (
    DEFAULT,
    DEFAULTS,
    MACHINE,
    OF_WORKSPACES,
    WORKSPACE,
    Setting,
    config_path,
    set_value,
    settings,
    telemetry_config,
    unset_value,
    workspace_path,
)  # fmt: skip
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output
from mic.core.errors import NotFound
from mic.workspace.place import find_root
from mic.workspace.workspace import Workspace

_REMOTE, _PROJECT, _USER = "remote.", "project.", "user."
_UPDATE = "`mic update --check` says whether there is a newer version, `mic update` brings it."
# What is said of where a setting is from.
_SAID = {WORKSPACE: "  (of this workspace)", MACHINE: "", DEFAULT: "  (not set)"}


@click.group(cls=Suggesting)
def config() -> None:
    """What you have set for mic on this machine, and in this workspace."""


@config.command("list", short_help="Every setting, and where it is from.")
@json_option
def list_(out: Output) -> None:
    """Every setting as it counts here, and whether it is this workspace's, yours or the one of the house."""
    root = _root()
    found = [*settings(root), *_project_settings(root), *_remote_settings(root)]
    width = max(len(each.key) for each in found if not each.key.startswith(_REMOTE))
    for each in found:
        out.line(f"{each.key:<{width}}  {_text(each.value)}{_SAID[each.where]}")
    out.line(f"The file is {config_path()}.")
    if root is not None:
        out.line(f"The file of this workspace is {workspace_path(root)}.")
    out.document(
        {
            "path": config_path(),
            "workspace_path": workspace_path(root) if root is not None else None,
            "settings": [_fields(each) for each in found],
        }
    )


@config.command(short_help="One setting.")
@click.argument("key")
@json_option
def get(out: Output, key: str) -> None:
    """The value of one setting as it counts here: `mic config get cache.max_size_gb`, `... remote.origin.url`."""
    root = _root()
    if key.startswith((_REMOTE, _PROJECT)):
        here = _remote_settings(root) if key.startswith(_REMOTE) else _project_settings(root)
        found = next((each for each in here if each.key == key), None)
        if found is None:
            raise WrongCommandLine(f"There is no setting {key[:100]!r} here.", hint=_hint_of_here(key, root))
    else:
        known = _known(key)
        found = next(each for each in settings(root) if each.key == known)
    out.line(_text(found.value))
    out.document(_fields(found))


@config.command("set", short_help="Set one setting.")
@click.argument("key")
@click.argument("value")
@click.option("--workspace", is_flag=True, help="For this workspace alone.")
@json_option
def set_(out: Output, key: str, value: str, workspace: bool) -> None:
    """Set one setting: `mic config set cache.max_size_gb 5`. The rest of the file stays as it is, comments too.

    With --workspace it counts in this working copy alone, before what is set on this machine.
    """
    if key.startswith((_REMOTE, _PROJECT)):
        raise _of_here(key, "`mic remote set-url {} URL` changes it.")
    if workspace:
        found = _set_here(_known(key), value)
    else:
        found = set_value(_known(key), _literal(key, value))
        if key == "telemetry.enabled":
            telemetry.turn(found.value is True)
    out.line(f"{found.key} = {_text(found.value)}{_SAID[found.where]}")
    out.document(_fields(found))


def _set_here(key: str, value: str) -> Setting:
    ws = Workspace.find()
    _require_of_workspaces(key, f"mic config set {key} {value[:100]}")
    with ws.lock():
        return set_value(key, _literal(key, value), ws.root)


@config.command(short_help="Take one setting back.")
@click.argument("key")
@click.option("--workspace", is_flag=True, help="The one of this workspace alone.")
@json_option
def unset(out: Output, key: str, workspace: bool) -> None:
    """Take one setting back: `mic config unset cache.max_size_gb`. The rest of the file stays as it is, comments too.

    What counts then is said: what is set elsewhere, or what mic does where nothing is set.
    """
    if key.startswith((_REMOTE, _PROJECT)):
        raise _of_here(key, "`mic remote remove {}` takes a remote away.")
    known = _known(key)
    found = _unset_here(known) if workspace else unset_value(known)
    if key == "telemetry.enabled":
        telemetry.turn(False)
    if found is None:
        raise _not_set(known, workspace)
    out.line(f"{found.key} = {_text(found.value)}{_SAID[found.where]}")
    out.document(_fields(found))


def _unset_here(key: str) -> Setting | None:
    ws = Workspace.find()
    _require_of_workspaces(key, f"mic config unset {key}")
    with ws.lock():
        return unset_value(key, ws.root)


def _not_set(key: str, workspace: bool) -> NotFound:
    where = next(each.where for each in settings(_root()) if each.key == key)
    hint = "`mic config list` says what is set, and where."
    if where == MACHINE:
        hint = f"`mic config unset {key}` takes away the one of this machine."
    elif where == WORKSPACE:
        hint = f"`mic config unset --workspace {key}` takes away the one of this workspace."
    return NotFound(f"{key} is not set {'in this workspace' if workspace else 'on this machine'}.", hint=hint)


def _require_of_workspaces(key: str, command: str) -> None:
    if key not in OF_WORKSPACES:
        raise WrongCommandLine(
            f"{key} is a setting of this machine, not of a workspace.",
            hint=f"`{command}`. A workspace has {' and '.join(OF_WORKSPACES)}.",
        )


def _hint_of_here(key: str, root: str | None) -> str:
    if key.startswith(_REMOTE):
        return "`mic remote list` lists remotes."
    if root is None:
        return "It is of a workspace, and this is none."
    return "`mic project show ORG/PROJECT --json` tells the id."


def _of_here(key: str, hint: str) -> WrongCommandLine:
    """The project and remotes have commands of their own; `{}` in the hint stands for the name of a remote."""
    name = key.split(".")[1] or "NAME"
    if name == "origin" or key.startswith(_PROJECT):
        hint = "That is the project of this workspace; `mic clone` gets a working copy of another one."
    return WrongCommandLine(f"{key[:100]!r} is not set here.", hint=hint.format(name))


def _root() -> str | None:
    """The workspace here; None outside of any."""
    found = find_root(os.fsencode(os.getcwd()))
    return None if found is None else os.fsdecode(found)


def _project_settings(root: str | None) -> list[Setting]:
    """The project of the workspace as settings."""
    if root is None:
        return []
    found = Workspace.find().config
    values = {"organization": found.organization, "handle": found.project}
    return [Setting(f"{_PROJECT}{name}", value, WORKSPACE) for name, value in values.items()]


def _remote_settings(root: str | None) -> list[Setting]:
    """The remotes as settings. `mic remote` changes them."""
    from mic.cli.remotes.configured import of_all_workspaces, origin_of, remotes  # what reads addresses

    if root is None:
        known = of_all_workspaces()
    else:
        ws = Workspace.find()
        known = [origin_of(ws), *remotes(ws)]
    found = []
    for each in known:
        where = MACHINE if each.everywhere else WORKSPACE
        values = {
            "url": each.url, "push": " ".join(each.push), "fetch": " ".join(each.fetch),
            "key_file": each.key_file, "key_env": each.key_env,
        }  # fmt: skip
        found += [Setting(f"{_REMOTE}{each.name}.{name}", value, where) for name, value in values.items() if value]
    return found


@config.command("telemetry", short_help="What would be told of your use of mic.")
@json_option
def telemetry_(out: Output) -> None:
    """What would be told of your use of mic, word for word, and to whom. It is off until you turn it on.

    Counted are commands by their names and exit codes, by day: no arguments, paths, projects, forges or people.
    `mic config set telemetry.enabled true` turns it on; without telemetry.address the counts stay here.
    """
    found = telemetry_config()
    would = telemetry.body().decode()
    if not found.enabled:
        out.line("Telemetry is off: nothing is counted, nothing is sent.")
    elif not found.address:
        out.line("Telemetry is on, and there is no telemetry.address: counts stay in this file, nothing is sent.")
    else:
        out.line(f"Telemetry is on. Once a day this is sent to {found.address}:")
    out.line(telemetry.path() if found.enabled else "If it were on, this would be sent:")
    out.line(would)
    out.document({"enabled": found.enabled, "address": found.address, "path": telemetry.path(), "body": would})


def _known(key: str) -> str:
    if key in DEFAULTS:
        return key
    if key.startswith(_USER):
        raise WrongCommandLine(
            f"{key[:100]!r} is what your account has, at each forge.",
            hint="`mic auth status` says who you are. The page of your account changes it.",
        )
    if key == "auto_update":
        raise WrongCommandLine("Nothing updates itself: there is no setting 'auto_update'.", hint=_UPDATE)
    near = difflib.get_close_matches(key, DEFAULTS, 1, 0.6)
    hint = f"Did you mean `{near[0]}`?" if near else "`mic config list` lists them."
    raise WrongCommandLine(f"There is no setting {key[:100]!r}.", hint=hint)


def _literal(key: str, text: str) -> str:
    """A value as the file has it; raises WrongCommandLine for what is neither true, false nor a number."""
    if isinstance(DEFAULTS[key], str):
        if not text.isprintable() or set(text) & set('"\\'):
            raise WrongCommandLine(f"{key} cannot be {text[:100]!r}.", hint="Use an address.")
        return f'"{text.strip()}"'
    word = text.strip().lower()
    if word in ("true", "false"):
        return word
    try:
        number = float(word)
    except ValueError:
        number = float("nan")
    if not 0 <= number < 1e15:
        kind = "true or false" if isinstance(DEFAULTS[key], bool) else "a number"
        raise WrongCommandLine(f"{key} cannot be {text[:100]!r}.", hint=f"Use {kind}.")
    return str(int(number)) if number == int(number) else repr(number)


def _text(value: bool | float | str) -> str:
    if isinstance(value, str):
        return value or "(none)"
    return str(value).lower() if isinstance(value, bool) else f"{value:g}"


def _fields(each: Setting) -> dict[str, object]:
    return {"key": each.key, "value": each.value, "set": each.where != DEFAULT, "from": each.where}
