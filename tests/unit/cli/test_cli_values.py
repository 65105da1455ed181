"""What the commands read and print, without a forge."""

from __future__ import annotations

import subprocess
import sys

import click
import pytest

from mic.cli.context.file_diff import FileDiff, patch
from mic.cli.forge.connection import parse_address
from mic.cli.terminal.output import Output, iso, path_fields, plural, safe
from mic.cli.transfer.import_source import is_url, label
from mic.cli.working_copy.place_text import as_text, plain_endings
from mic.core.errors import InvalidInput
from mic.core.merge3 import Clash
from mic.rpc.discovery import is_local, normal_instance


@pytest.fixture(autouse=True)
def _default_instance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MICELIO_INSTANCE", "https://forge.example")


@pytest.mark.parametrize(
    ("text", "instance", "name"),
    [
        ("acme/garden", "https://forge.example", "acme/garden"),
        ("Acme/Garden/", "https://forge.example", "acme/garden"),
        ("other.example/acme/garden", "https://other.example", "acme/garden"),
        ("localhost:4000/acme/garden", "http://localhost:4000", "acme/garden"),
        ("127.0.0.1/acme/garden", "http://127.0.0.1", "acme/garden"),
        ("https://Other.Example:8443/acme/garden", "https://other.example:8443", "acme/garden"),
        ("http://[::1]:4000/acme/garden", "http://[::1]:4000", "acme/garden"),
    ],
)
def test_addresses_of_projects(text: str, instance: str, name: str) -> None:
    address = parse_address(text)
    assert (address.instance, str(address)) == (instance, name)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a",
        "a//b",
        "/a",
        "a/b/c/d",
        "https://x.example/a",
        "ftp://x.example/a/b",
        "https://u:p@x/a/b",
        "https://[x/a/b",
    ],
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_address(text)


@pytest.mark.parametrize("text", ["http://", "http://x:99999", "file:///x", "http://a b:x", "\x1b[31m", "http://[x"])
def test_what_is_no_instance(text: str) -> None:
    with pytest.raises(InvalidInput):
        normal_instance(text)


@pytest.mark.parametrize(
    "text", ["https://ada:s3cret@x", "ada:s3cret@x", "https://ada:s3cret@x:99999", "http://a:s3cret@["]
)
def test_a_password_in_an_address_is_not_said_back(text: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        normal_instance(text)
    assert "s3cret" not in refused.value.message + refused.value.hint


def test_which_hosts_are_this_machine() -> None:
    assert [is_local(host) for host in ("localhost", "localhost:1", "[::1]:1", "127.0.0.1:1")] == [True] * 4
    assert [is_local(host) for host in ("localhost.example", "localhost.example:1", "10.0.0.1")] == [False] * 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain żółć", "plain żółć"),
        ("two\nlines\tand a tab", "two\nlines\tand a tab"),
        ("bell\x07", "bell\\x07"),
        ("title\x1b]0;x\x07", "title\\x1b]0;x\\x07"),
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\x1b[8mhidden", "\\x1b[8mhidden"),
        ("\x1b[31;40mblack", "\\x1b[31;40mblack"),
        ("over\rwritten", "over\\x0dwritten"),
        ("bidi\u202e", "bidi\\u202e"),
        ("half \udcff", "half \ufffd"),
    ],
)
def test_text_for_a_terminal(text: str, shown: str) -> None:
    assert safe(text) == shown


def test_colours_are_ours_alone() -> None:
    """A goal with colours in it does not go on over what follows it, nor pass for what we say."""
    out = Output(colour=True)
    assert safe(f"{out.paint('@2', 'yellow')} \x1b[33m@3") == "\x1b[33m@2\x1b[0m \\x1b[33m@3"
    assert safe(out.paint("\x1b[31mclash", "red")) == "\x1b[31m\\x1b[31mclash\x1b[0m"
    assert safe(Output(colour=False).paint("plain", "red")) == "plain"


@pytest.mark.parametrize(
    ("sides", "lines", "text"),
    [
        ((b"a\r\n", b"b\r\n", b""), b"b\r\nc\r\n", "b\nc\n"),
        ((b"a\r\n", b"b\r\n", b""), b"b\r\nc\n", "b\r\nc\n"),
        ((b"a\r\n", b"a\n", b""), b"a\r\n", "a\r\n"),
        ((b"a\n", b"b\n", b"\xff\n"), b"\xff\n", "\ufffd\n"),
    ],
)
def test_line_ends_are_shown_where_they_differ(sides: tuple[bytes, bytes, bytes], lines: bytes, text: str) -> None:
    assert as_text(lines, plain_endings(Clash(*sides))) == text


def test_small_words() -> None:
    assert [plural(count, "file") for count in (0, 1, 2, 5000)] == ["0 files", "1 file", "2 files", "5,000 files"]
    assert iso(1_700_000_000_000) == "2023-11-14T22:13:20Z"
    assert iso(1 << 62) == "1970-01-01T00:00:00Z"
    assert path_fields(b"a/b") == {"path": "a/b"}
    assert path_fields(b"\xff") == {"path": "\ufffd", "path_bytes": "/w=="}


def test_with_json_nothing_but_the_document(capsys: pytest.CaptureFixture[str]) -> None:
    out = Output(as_json=True)
    out.line("for people")
    out.document({"a": "ż"})
    assert capsys.readouterr().out == '{"a": "ż"}\n'
    out = Output()
    out.line("for people")
    out.document({"a": 1})
    assert capsys.readouterr().out == "for people\n"


def test_sources_of_imports() -> None:
    assert [is_url(text) for text in ("https://x/y", "git@host:y.git", "file:///y", "ssh://h/y")] == [True] * 4
    assert [is_url(text) for text in ("path/y", "./a:b", "C:", "y.git", "/abs")] == [False] * 5
    assert label("https://user:secret@host.example/y.git?token=1") == "https://host.example/y.git"
    assert label("/home/ada/garden") == "garden"
    assert label("git@host:y.git") == "git@host:y.git"


def test_a_changed_type_is_two_patches() -> None:
    """As Git prints it: the symlink goes, a file comes."""
    assert patch(FileDiff(b"x", 1, 0o120000, 0o100644, b"target", b"text\n")) == (
        b"diff --git a/x b/x\ndeleted file mode 120000\n--- a/x\n+++ /dev/null\n"
        b"@@ -1 +0,0 @@\n-target\n\\ No newline at end of file\n"
        b"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+text\n"
    )


def test_a_content_too_large_to_hold_is_only_named() -> None:
    assert patch(FileDiff(b"x y", 1, 0o100644, 0o100755, None, b"1")) == (
        b"diff --git a/x y b/x y\nold mode 100644\nnew mode 100755\nBinary files a/x y and b/x y differ\n"
    )


def test_help_imports_no_command() -> None:
    """`mic --help` lists from a table; no command and no gRPC is loaded."""
    code = (
        "import sys; from mic.cli.terminal.app import run; assert run(['--help']) == 0;"
        "print(sorted(m for m in sys.modules if m in ('grpc', 'pygit2', 'zstandard', 'rich', 'mic.cli.landing.land')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "  clone       Get a working copy of a project\n" in done.stdout


def test_every_command_of_the_table_loads() -> None:
    """And says the same about itself as the table does; every one of them takes --json."""

    from mic.cli.table import COMMANDS
    from mic.cli.terminal.app import LazyGroup, root

    assert isinstance(root, LazyGroup)
    context = click.Context(root)
    for name, (_, short) in COMMANDS.items():
        command = root.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            leaves = [item for item in command.commands.values() if not isinstance(item, click.Group)]
            inner = [item for item in command.commands.values() if isinstance(item, click.Group)]
            leaves += [item for group in inner for item in group.commands.values()]
        else:
            assert command.short_help == short
            leaves = [command]
        for leaf in leaves:
            # What is hidden is called by a program, in that program's own words.
            assert leaf.hidden or any("--json" in parameter.opts for parameter in leaf.params), leaf.name
