"""Letting others in: who is in an organization, inviting and removing."""

from __future__ import annotations

from pathlib import Path

from forge_process import Forge
from transcript import Shell


def test_a_second_person_joins_and_leaves(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    shell("project", "create", f"{name}/garden")
    hidden = other("clone", f"{name}/garden")
    assert hidden.endswith("[4]\n")
    assert shell("org", "invite", name, f"v{name}") == f"v{name} is a member of {name}.\n"
    assert shell("org", "members", name) == f"u{name}  admin\nv{name}  member\n"
    assert other.json("org", "members", name) == {
        "organization": name,
        "members": [
            {"handle": f"u{name}", "name": f"u{name}", "role": "admin"},
            {"handle": f"v{name}", "name": f"v{name}", "role": "member"},
        ],
    }
    assert other("clone", f"{name}/garden") == f"Cloned {name}/garden @0 in HOME/garden: 0 files.\n"
    assert shell("org", "invite", name, f"v{name}", "--role", "admin") == f"v{name} is an admin of {name}.\n"
    assert shell.json("org", "remove", name, f"v{name}") == {"organization": name, "removed": f"v{name}"}
    assert shell("org", "members", name) == f"u{name}  admin\n"
    assert other("log", "--project", f"{name}/garden") == hidden


def test_who_cannot_be_invited_or_removed(shell: Shell, forge: Forge, name: str, tmp_path: Path) -> None:
    other = Shell(forge, tmp_path / "other", f"v{name}")
    assert shell("org", "invite", name, f"nobody-{name}").endswith("[4]\n")
    assert shell("org", "invite", name, f"v{name}", "--role", "owner").endswith("[2]\n")
    assert shell("org", "remove", name, f"v{name}") == (
        f"! mic: v{name} is not a member of {name}.\n!      List members first.\n[4]\n"
    )
    assert shell("org", "remove", name, f"u{name}") == (
        f"! mic: {name} would be left without an admin.\n!      Make somebody else an admin first.\n[5]\n"
    )
    assert other("org", "members", name).endswith("[5]\n")
    assert other("org", "invite", name, f"v{name}").endswith("[5]\n")
    shell("org", "invite", name, f"v{name}")
    assert other("org", "remove", name, f"v{name}") == f"v{name} is no longer in {name}.\n"
