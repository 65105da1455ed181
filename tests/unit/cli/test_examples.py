"""Each command ends its help with an example, which is one that it takes."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import click
import pytest

from mic.cli.terminal.app import root, run
from mic.cli.terminal.examples import EXAMPLES


def _commands(group: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    if not isinstance(group, click.Group):
        yield " ".join(path), group
        return
    context = click.Context(group)
    for name in group.list_commands(context):
        found = group.get_command(context, name)
        assert found is not None
        yield from _commands(found, (*path, name))


def test_every_command_has_one_and_takes_it() -> None:
    found = dict(_commands(root))
    assert set(found) == set(EXAMPLES)
    for path, command in found.items():
        example = EXAMPLES[path]
        begin = f"mic {path}"
        if not example.startswith(begin):
            assert begin in example, example
            continue
        words = shlex.split(example.partition(" > ")[0][len(begin) :])
        with command.make_context(path, words) as context:
            assert not context.args, example


def test_help_ends_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    for line, ends in (
        (["goto", "--help"], "  Example:\n    mic goto @7\n"),
        (["session", "note", "--help"], '  Example:\n    mic session note "Noon burned the leaves"\n'),
        (["org", "networks", "add", "--help"], "  Example:\n    mic org networks add acme 203.0.113.0/24\n"),
    ):
        assert run(line) == 0
        assert capsys.readouterr().out.endswith(ends)


def test_no_line_of_a_list_of_commands_is_cut_short() -> None:
    """What a command is for is said whole in the help of its group, at 80 columns."""

    def groups(group: click.Group, context: click.Context) -> Iterator[str]:
        yield group.get_help(context)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            if isinstance(found, click.Group):
                yield from groups(found, click.Context(found, context, name))

    lines = [line for text in groups(root, click.Context(root, info_name="mic")) for line in text.splitlines()]
    assert len(lines) > 300
    assert [line for line in lines if line.endswith("...") and "Usage:" not in line] == []
