"""`mic config`: what a person has set for `mic` on this machine."""

from __future__ import annotations

import difflib

import click

from mic.cli import telemetry
from mic.cli.app import Suggesting, json_option
from mic.cli.exit_codes import WrongCommandLine
from mic.cli.output import Output
from mic.cli.user_config import DEFAULTS, Setting, config_path, set_value, settings, telemetry_config


@click.group(cls=Suggesting)
def config() -> None:
    """What you have set for mic on this machine."""


@config.command("list", short_help="Every setting, and whether you have set it.")
@json_option
def list_(out: Output) -> None:
    """Every setting as it counts, and whether it is yours or the one of the house."""
    found = settings()
    width = max(len(each.key) for each in found)
    for each in found:
        out.line(f"{each.key:<{width}}  {_text(each.value)}{'' if each.own else '  (not set)'}")
    out.line(f"The file is {config_path()}.")
    out.document({"path": config_path(), "settings": [_fields(each) for each in found]})


@config.command(short_help="One setting.")
@click.argument("key")
@json_option
def get(out: Output, key: str) -> None:
    """The value of one setting: `mic config get cache.max_size_gb`."""
    found = next(each for each in settings() if each.key == _known(key))
    out.line(_text(found.value))
    out.document(_fields(found))


@config.command("set", short_help="Set one setting.")
@click.argument("key")
@click.argument("value")
@json_option
def set_(out: Output, key: str, value: str) -> None:
    """Set one setting: `mic config set cache.max_size_gb 5`. The rest of the file stays as it is, comments too."""
    found = set_value(_known(key), _literal(key, value))
    if key == "telemetry.enabled":
        telemetry.turn(found.value is True)
    out.line(f"{found.key} = {_text(found.value)}")
    out.document(_fields(found))


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
    near = difflib.get_close_matches(key, DEFAULTS, 1, 0.5)
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
    return {"key": each.key, "value": each.value, "set": each.own}
