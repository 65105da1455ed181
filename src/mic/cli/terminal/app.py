"""The command tree: lazy groups, suggestions, and the one place where errors become text, JSON and exit codes."""

from __future__ import annotations

import contextlib
import importlib
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import click

from mic.cli.settings import telemetry
from mic.cli.table import COMMANDS
from mic.cli.terminal.exit_codes import OK, USAGE, WrongCommandLine
from mic.cli.terminal.failure import tell
from mic.cli.terminal.output import Output
from mic.cli.terminal.pager import paged
from mic.cli.terminal.suggestions import GIT_WORDS, OTHER_WORDS, alike, no_such_option, shown
from mic.core.errors import InvalidInput, MicError
from mic.daemon import door
from mic.workspace import elsewhere

_QUIET = "mic.quiet"
INTERRUPTED = 130  # 128 + SIGINT, as shells have it
BROKEN_PIPE = 141  # 128 + SIGPIPE

# Whether this command line asks for help, which alone reads the examples.
_helping = False
SETTINGS: dict[str, Any] = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class Suggesting(click.Group):
    """A group that answers a mistyped command with the ones that look like it, and ends each help with an example."""

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        name = OTHER_WORDS.get((context.command_path, name), name)
        return with_example(context, super().get_command(context, name), name)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if self.get_command(context, name) is None and not name.startswith("-"):
            near = alike(name, self.list_commands(context))
            hint = f"Did you mean {' or '.join(f'`{context.command_path} {word}`' for word in near)}?" if near else ""
            if context.parent is not None and name in COMMANDS:
                hint = f"It is `mic {name}`."
            if context.parent is None:
                hint = GIT_WORDS.get(name, hint)
            hint = hint or f"`{context.command_path} --help` lists the commands."
            raise UnknownCommand(f"There is no command `{context.command_path} {shown(name)}`.", hint)
        return super().resolve_command(context, arguments)


def with_example(context: click.Context, command: click.Command | None, name: str) -> click.Command | None:
    """The command; where help was asked for, with its example."""
    if command is not None and _helping and not isinstance(command, click.Group):
        from mic.cli.terminal.examples import example_of

        words = f"{context.command_path} {name}".partition(" ")[2]
        found = example_of(words)
        command.epilog = f"\b\nExample:\n  {found}" if found else None
    return command


class UnknownCommand(click.UsageError):
    """A word that is no command, with a hint at what was meant."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class LazyGroup(Suggesting):
    """The root: commands are imported when they are called, never to be listed."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with _read_on():
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, context: click.Context) -> Any:
        with _read_on():
            return super().invoke(context)

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return with_example(context, command, name)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, short) for name, (_, short) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings=SETTINGS, no_args_is_help=True)
def root() -> None:
    """Version control whose unit is the session: a change, and why it was made.

    `mic` alone says what can be done next in this directory. Every command takes --json.
    """


@contextlib.contextmanager
def _read_on() -> Iterator[None]:
    """Where nobody reads any more: click would end with 1, which says that something is wrong."""
    try:
        yield
    except BrokenPipeError as error:
        raise click.exceptions.Exit(BROKEN_PIPE) from error


def json_option(command: Callable[..., Any]) -> Callable[..., Any]:
    """`--json` and `--quiet` for a command; it gets an `out: Output`."""

    def hush(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        context.meta[_QUIET] = value

    def given(context: click.Context, parameter: click.Parameter, value: bool) -> Output:
        return Output(as_json=value, quiet=context.meta[_QUIET])

    quiet = click.option(
        "--quiet", is_flag=True, is_eager=True, callback=hush, expose_value=False, help="Say nothing but errors."
    )
    option = click.option(
        "--json", "out", is_flag=True, callback=given, expose_value=True, help="Print one JSON document."
    )
    return option(quiet(command))


def run(argv: Sequence[str]) -> int:
    """Run one command line (without the program's name). Returns the exit code; prints errors.

    Errors of the operating system are for the caller, `mic.cli.main`, to say.
    """
    code = _run(argv)
    telemetry.note(list(argv), code)
    return code


def _run(argv: Sequence[str]) -> int:
    global _helping
    elsewhere.changes = door.changes
    as_json = "--json" in argv
    if argv and argv[0] == "help":
        argv = [*argv[1:], "--help"]
    _helping = not {"-h", "--help"}.isdisjoint(argv)
    try:
        with paged(argv):
            code = root.main(args=list(argv), prog_name="mic", standalone_mode=False)
            sys.stdout.flush()
        return code if isinstance(code, int) else OK
    except MicError as error:
        return tell(error, as_json)
    except click.exceptions.NoArgsIsHelpError as error:
        sys.stderr.write(error.ctx.get_help() + "\n" if error.ctx else "")
        return USAGE
    except click.ClickException as error:
        return _usage(error, as_json)
    except UnicodeEncodeError:
        odd = next((given for given in argv if not _is_utf8(given)), None)
        if odd is None:
            raise
        shown = os.fsencode(odd)[:100]
        return tell(WrongCommandLine(f"{shown!r} is not UTF-8.", hint="Only names of files need not be."), as_json)
    except click.Abort as error:
        # click has ended the line that the terminal wrote ^C into. What the interrupted part has to say comes along.
        sys.stdout.flush()
        sys.stderr.write(f"Interrupted. {error.__cause__ or ''}".rstrip() + "\n")
        return INTERRUPTED


def _is_utf8(given: str) -> bool:
    """Python keeps what is not as lone surrogates (PEP 383), which nothing that is sent can hold."""
    try:
        given.encode()
    except UnicodeEncodeError:
        return False
    return True


def _usage(error: click.ClickException, as_json: bool) -> int:
    hint = getattr(error, "hint", "")
    context = getattr(error, "ctx", None)
    if not hint and context is not None:
        hint = f"See `{context.command_path} --help`."
    kind = WrongCommandLine if isinstance(error, click.UsageError) else InvalidInput
    # click lists choices one a line.
    message = re.sub(r"\s*\n\s*", " ", error.format_message())
    if isinstance(error, click.NoSuchOption) and context is not None:
        message = no_such_option(error.option_name, [each for item in context.command.params for each in item.opts])
        if os.path.lexists(error.option_name):
            hint = f"The file of that name is `./{shown(error.option_name)}`."
    return tell(kind(message, hint=hint), as_json)
