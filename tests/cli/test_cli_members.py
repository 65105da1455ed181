"""Letting others in: inviting, accepting and declining, roles, leaving; and roles in one project alone."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from forge_process import Forge
from transcript import Shell


@pytest.fixture
def other(forge: Forge, tmp_path: Path, name: str) -> Shell:
    """Somebody else at another machine; the account is `v` and the organization's name."""
    return Shell(forge, tmp_path / "other", f"v{name}")


def test_a_second_person_joins_and_leaves(shell: Shell, other: Shell, name: str) -> None:
    shell("project", "create", f"{name}/garden")
    hidden = other("clone", f"{name}/garden")
    assert hidden.endswith("[4]\n")
    assert shell("org", "invite", name, f"v{name}") == (
        f"Invited v{name} to be a member of {name}.\n"
        f"They accept with `mic org accept {name}` or on their page, within a week.\n"
    )
    assert other("clone", f"{name}/garden") == hidden
    assert other("org", "invitations") == f"{name}  member  by u{name}, until WHEN\n"
    assert other("org", "accept", name) == f"You are a member of {name}.\n"
    assert other("org", "invitations") == "You are invited nowhere.\n"
    assert shell("org", "members", name) == f"u{name}  owner\nv{name}  member\n"
    assert other.json("org", "members", name) == {
        "organization": name,
        "members": [
            {"handle": f"u{name}", "name": f"u{name}", "role": "owner"},
            {"handle": f"v{name}", "name": f"v{name}", "role": "member"},
        ],
    }
    assert other("clone", f"{name}/garden") == f"Cloned {name}/garden @0 in HOME/garden: 0 files.\n"
    assert shell("org", "role", name, f"v{name}", "admin") == f"v{name} is an admin of {name}.\n"
    assert shell.json("org", "remove", name, f"v{name}") == {"organization": name, "removed": f"v{name}"}
    assert shell("org", "members", name) == f"u{name}  owner\n"
    assert other("log", "--project", f"{name}/garden") == hidden
    shell("org", "invite", name, f"v{name}", "--role", "reader")
    other("org", "accept", name)
    assert other("org", "leave", name) == f"You have left {name}.\n"
    assert other("org", "leave", name) == (
        f"! mic: You are not a member of {name}.\n!      `mic org list` lists your organizations.\n[4]\n"
    )
    assert other("org", "accept", name) == (
        f"! mic: You have no open invitation to {name}.\n!      `mic org invitations` lists yours.\n[4]\n"
    )


def test_an_invitation_by_e_mail(shell: Shell, other: Shell, name: str) -> None:
    """The link is shown to whoever invites, and accepted once."""
    said = shell("org", "invite", name, "bea@example.org", "--role", "reader")
    assert re.sub(r"(?<=/-/invitations/)\S{43}$", "TOKEN", said, flags=re.M) == (
        f"Invited bea@example.org to be a reader of {name}.\n"
        "Hand them this link; whoever is signed in with it accepts, once, within a week:\n"
        "FORGE/-/invitations/TOKEN\n"
    )
    link = said.splitlines()[-1].replace("FORGE", shell.forge.base_url)
    shell("org", "invite", name, f"v{name}", "--role", "admin")
    rows = shell("org", "invitations", name).splitlines()
    assert (
        len({(row.index("  admin") if "admin" in row else row.index("  reader"), row.index("  by ")) for row in rows})
        == 1
    )
    other("org", "decline", name)
    (listed,) = shell.json("org", "invitations", name)["invitations"]
    assert (listed["email"], listed["handle"], listed["role"]) == ("bea@example.org", None, "reader")
    assert other("org", "accept", link) == f"You are a reader of {name}.\n"
    assert other("org", "accept", link) == (
        "! mic: This invitation is good no more: it was answered, taken back, or is older than a week.\n"
        "!      Ask whoever invited you for another.\n[4]\n"
    )


def test_declined_and_taken_back(shell: Shell, other: Shell, name: str) -> None:
    shell("org", "invite", name, f"v{name}")
    assert other("org", "decline", name) == "Declined.\n"
    link = shell.json("org", "invite", name, "bea@example.org")["link"]
    (listed,) = shell.json("org", "invitations", name)["invitations"]
    assert shell("org", "invitations", name, "--revoke", listed["id"]) == f"Took the invitation to {name} back.\n"
    assert shell("org", "invitations", name) == "Nobody has an open invitation.\n"
    assert other("org", "accept", link).endswith("[4]\n")
    assert other("org", "invitations", name).endswith("[5]\n")
    assert shell("org", "invitations", "--revoke", listed["id"]).endswith("[2]\n")


def test_who_cannot_be_invited_or_removed(shell: Shell, other: Shell, name: str) -> None:
    assert shell("org", "invite", name, f"nobody-{name}").endswith("[4]\n")
    assert shell("org", "invite", name, f"v{name}", "--role", "chief").endswith("[2]\n")
    assert shell("org", "remove", name, f"v{name}") == (
        f"! mic: 'v{name}' is not a member of {name}.\n!      `mic org members {name}` lists them.\n[4]\n"
    )
    assert shell("org", "leave", name) == (
        f"! mic: {name} would be left without an owner.\n!      Make somebody else an owner first.\n[5]\n"
    )
    assert other("org", "members", name).endswith("[5]\n")
    assert other("org", "invite", name, f"u{name}").endswith("[5]\n")
    assert shell("org", "invite", name, f"u{name}") == (
        f"! mic: u{name} is a member of {name} already.\n!      `mic org role` gives another role.\n[1]\n"
    )


def test_a_role_in_one_project(shell: Shell, other: Shell, name: str) -> None:
    """It opens this project, and nothing else of the organization."""
    garden = f"{name}/garden"
    shell("project", "create", garden)
    shell("project", "create", f"{name}/shed")
    assert shell("project", "members", "list", garden) == (
        f"Nobody has a role in {garden} alone. `mic org members {name}` lists the others.\n"
    )
    assert other("project", "members", "list", garden).endswith("[4]\n")
    assert shell("project", "members", "add", garden, f"v{name}", "--role", "reader") == (
        f"v{name} is a reader of {garden}.\n"
    )
    assert other("project", "list", name) == f"{garden}  private\n"
    assert other("org", "projects", name) == f"{garden}  private\n"
    assert shell.json("project", "members", "role", garden, f"v{name}", "admin") == {
        "project": garden,
        "member": {"handle": f"v{name}", "name": f"v{name}", "role": "admin"},
    }
    assert other("project", "members", "list", garden) == f"v{name}  admin\n"
    assert other("project", "delete", garden).startswith(f"! {garden} with 0 landings will be gone for everybody.\n")
    shell("project", "members", "role", garden, f"v{name}", "member")
    assert other("project", "delete", garden) == (
        f"! mic: Only admins of {garden} may delete it.\n!      Ask an admin of {name}.\n[5]\n"
    )
    shell("project", "members", "role", garden, f"v{name}", "admin")
    assert other("project", "members", "role", garden, f"v{name}", "owner").endswith("[5]\n")
    assert other("project", "members", "remove", garden, f"v{name}") == (
        f"v{name} has no role in {garden} alone any more.\n"
    )
    assert other("project", "members", "list", garden).endswith("[4]\n")


def test_renamed_handed_over_and_deleted(shell: Shell, other: Shell, name: str) -> None:
    """Commands that name the old handle go on to work."""
    shell("project", "create", f"{name}/garden")
    assert shell("clone", f"{name}/garden").startswith("Cloned")
    assert shell("org", "rename", name, f"n{name}") == f"{name} is n{name} now; the old handle leads to it.\n"
    assert shell("org", "show", name) == f"n{name}\nmade WHEN; you are an owner\n"
    assert shell("org", "update", name, "--name", "Garden Club", "--description", "We dig.") == (
        f"n{name} is called Garden Club.\nWe dig.\n"
    )
    assert other("org", "show", f"n{name}") == f"n{name}  Garden Club\nWe dig.\nmade WHEN\n"
    assert other("org", "create", name).endswith("[1]\n")
    shell("org", "invite", name, f"v{name}")
    other("org", "accept", name)
    assert shell("org", "transfer", name, f"v{name}") == (
        f"v{name} is an owner of n{name} now, and you are an admin.\n"
    )
    assert shell("org", "delete", f"n{name}", "--yes").endswith("[5]\n")
    # Nobody is asked to type a handle in vain.
    assert (
        shell("org", "delete", f"n{name}") == f"! mic: Only an owner of n{name} may delete it.\n!      Ask one.\n[5]\n"
    )
    assert other("org", "delete", f"n{name}", "--yes").startswith(f"! mic: n{name} still has projects")
    shell("org", "create", f"e{name}")
    assert shell("org", "delete", f"e{name}", stdin="no\n") == (
        f"! e{name} will be gone for good.\n! Type its handle to delete it: "
        f"mic: Nothing was deleted: 'no' is not e{name}.\n!      Or add --yes.\n[2]\n"
    )
    assert shell("org", "delete", f"e{name}", stdin=f"E{name}\n").startswith(f"Deleted e{name}.\n")
    assert shell("org", "show", f"e{name}").endswith("[4]\n")
