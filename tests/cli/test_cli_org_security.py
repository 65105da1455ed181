"""What an organization asks of its members: a second factor, and networks that they come from."""

from __future__ import annotations

from transcript import Shell


def test_a_second_factor_is_shown_and_asked_for(shell: Shell, name: str) -> None:
    """Who has none is told what to do first; stopping what is not asked changes nothing."""
    assert shell("org", "second-factor", name) == (
        f"{name} does not ask its members for a second factor.\nWithout one: u{name}.\n"
    )
    assert shell("org", "second-factor", name, "ask") == (
        "! mic: Your own account has no second factor, so this would shut you out.\n"
        "!      Set one up at /-/account/second-factor first.\n[1]\n"
    )
    assert shell.json("org", "second-factor", name, "stop") == {
        "asks": False,
        "lacking": [f"u{name}"],
        "lacking_in_all": 1,
    }
    assert shell("org", "second-factor", name, "perhaps").endswith("[2]\n")


def test_networks_are_added_and_removed(shell: Shell, name: str) -> None:
    """Each in one step of the forge; a list that would shut one out is refused, and what is not in it cannot go."""
    assert shell("org", "networks", "list", name) == f"Members of {name} come from everywhere.\n"
    refused = shell("org", "networks", "add", name, "192.0.2.0/24")
    assert "this would shut you out" in refused
    assert refused.endswith(
        "!      Add it first, or say --leave. Then it is changed back from one of the networks,"
        f" or by whoever runs the forge: `micelio networks-off {name}`.\n[1]\n"
    )
    assert shell("org", "networks", "add", name, "127.0.0.0/8", "--note", "here") == "127.0.0.0/8  here\n"
    assert shell("org", "networks", "add", name, "192.0.2.7") == "127.0.0.0/8   here\n192.0.2.7/32\n"
    assert shell("org", "networks", "tokens", name, "pass") == (
        "127.0.0.0/8   here\n192.0.2.7/32\nTokens of admins that were made --from-anywhere pass.\n"
    )
    assert shell("org", "networks", "remove", name, "192.0.2.8").endswith("[4]\n")
    assert shell.json("org", "networks", "remove", name, "192.0.2.7")["networks"] == [
        {"network": "127.0.0.0/8", "note": "here"}
    ]
    assert shell("org", "networks", "remove", name, "127.0.0.0/8") == f"Members of {name} come from everywhere.\n"
