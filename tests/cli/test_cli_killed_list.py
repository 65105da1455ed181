"""Every command of the table is killed by a test, or changes nothing that could be left half done."""

from __future__ import annotations

from pathlib import Path

from every_command import commands
from mic.cli.terminal.app import root
from test_cli_killed_forge import ACTS

# They only look. What they keep for themselves (contents, addresses, names for completion) is written whole.
LOOKS = """
auth git-credential, auth status, auth token list, org list, org members, org networks list, org projects, org show,
project deleted, project explore, project list, project show, project stars, project members list, import status,
export list, session list, session show, session status, branch list, sparse list, remote list, remote show, op log,
pending list, secrets list, status, diff, log, show, cat, blame, ls, search, owners, config get, config list,
config telemetry, daemon status, completion, shell-init, cache path, cache size
"""
# Why a command that changes something is not killed.
NOT = {
    "auth login": "it keeps one file, as `config set` does; the account is another one's business",
    "auth switch": "it writes one file whole, as `config set` does",
    "auth setup-git": "one `git config`, which writes its file whole",
    "auth token renew": "who has lost the token of a session makes another one",
    "import cancel": "one call; test_git_imports.py kills the forge while it lets go",
    "export cancel": "one call that takes away a file that would go by itself",
    "daemon run": "test_daemon.py ends it in every way",
    "daemon start": "test_daemon.py ends it in every way",
    "daemon stop": "test_daemon.py ends it in every way",
    "update": "tests/unit/cli/test_update.py: the new program takes the place of the old one in one rename",
    "session land": "`land` by another name",
}
# file::test -> the commands that it kills.
KILLED_BY = {
    "cli/test_cli_killed.py::test_goto": "goto",
    "cli/test_cli_killed.py::test_push": "session push",
    "cli/test_cli_killed.py::test_switch_puts_aside_what_is_pushed": "session switch",
    "cli/test_cli_killed.py::test_resume": "session resume",
    "cli/test_cli_killed.py::test_revert": "revert",
    "cli/test_cli_killed.py::test_undo_and_redo": "undo",
    "cli/test_cli_killed.py::test_redo": "redo",
    "cli/test_cli_killed.py::test_part_of_a_project": "sparse set",
    "cli/test_cli_killed.py::test_a_folder_more_and_less": "sparse add, sparse remove",
    "cli/test_cli_killed.py::test_the_whole_project": "sparse all",
    "cli/test_cli_killed.py::test_words": "session note",
    "cli/test_cli_killed.py::test_words_are_taken_back": "session undecide",
    "cli/test_cli_killed.py::test_who_wrote": "session wrote",
    "cli/test_cli_killed.py::test_attach": "session attach",
    "cli/test_cli_killed.py::test_a_session_begins_and_ends": "session start, session decide, session abandon",
    "cli/test_cli_killed.py::test_sync_gently": "sync",
    "cli/test_cli_killed.py::test_switch_of_a_branch": "branch switch",
    "cli/test_cli_killed.py::test_land": "land",
    "cli/test_cli_killed.py::test_a_working_copy_is_made": "clone, checkout, link, init",
    "cli/test_cli_killed.py::test_settings_and_remotes": "push, fetch",
    "cli/test_cli_killed.py::test_settings_of_this_machine":
        "config set, config unset, remote add, remote set-url, remote remove, cache clear",
    "cli/test_cli_remotes.py::test_killed_while_settings_are_written": "remote rename",
    "cli/test_cli_killed.py::test_a_project_goes_out_and_comes_in": "export archive, import micelio",
    "cli/test_cli_killed.py::test_what_waits_is_dropped": "pending drop",
    "cli/test_cli_killed.py::test_a_secret_is_allowed": "secrets allow",
    "cli/test_cli_resolve.py::test_killed": "resolve",
    "cli/test_cli_killed_forge.py::test_files_that_are_written": "export json, export user, export git, export bundle",
    "cli/test_cli_killed_forge.py::test_signing_out": "auth logout",
    "flow/test_coming.py::test_killed_at_a_terminal": "import archive, export issues",
}  # fmt: skip


def words(text: str) -> list[str]:
    return [" ".join(each.split()) for each in text.split(",")]


def test_every_command_is_there() -> None:
    """A new command is killed by a test, or it is said here why not."""
    acts = [" ".join(word for word in act.command.removeprefix("bea ").split() if word.islower()) for act in ACTS]
    table = {" ".join(path) for path, _ in commands(root)}
    named = [*words(LOOKS), *NOT, *(each for line in KILLED_BY.values() for each in words(line))]
    missing = {each for each in table - set(named) if not any(act.startswith(each) for act in acts)}
    assert missing == set()
    assert set(named) - table == set()
    assert len(named) == len(set(named))
    for place in KILLED_BY:
        file, _, test = place.partition("::")
        assert f"\ndef {test}(" in (Path(__file__).parents[1] / file).read_text(), place
