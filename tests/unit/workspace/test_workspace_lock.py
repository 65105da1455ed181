"""The lock of a working copy: who waited for it goes by what stands there then."""

from __future__ import annotations

from mic.workspace.workspace import Workspace


def test_what_others_wrote_meanwhile_is_known_inside(ws: Workspace) -> None:
    """Both found the working copy at @7; the second acts on what the first has left."""
    first, second = Workspace.find(ws.root), Workspace.find(ws.root)
    assert second.config.position == 7
    with first.lock():
        first.set_base(8, "cd" * 32, "winter")
    with second.lock():
        assert (second.config.position, second.config.tree, second.config.branch) == (8, "cd" * 32, "winter")
