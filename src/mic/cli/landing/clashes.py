"""What clashes with what landed, as an error that lists each path."""

from __future__ import annotations

from typing import Any

from mic.cli.landing.conflict_story import Stories, story_fields, story_lines
from mic.cli.terminal.output import path_fields
from mic.core.errors import Conflicted
from mic.core.ids import ulid_text
from mic.core.paths import display
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.session import LocalSession


def clash_error(session: LocalSession, clashes: list[pb.Clash], stories: Stories) -> Conflicted:
    """The error that lists each path with its three contents, and the landings in the way with what they decided."""
    lines = [f"This session clashes with what landed since @{session.base_position}; nothing was landed."]
    for clash in clashes:
        sides = f"base {_short(clash.base_hash)}, ours {_short(clash.ours_hash)}, theirs {_short(clash.theirs_hash)}"
        # Without one it stood there at the base already, outside of the part that is here.
        since = f", @{clash.theirs_position}" if clash.theirs_position else ""
        lines.append(f"  {display(clash.path)}: {_REASONS.get(clash.reason, clash.reason)}; {sides}{since}")
    positions = dict.fromkeys(clash.theirs_position for clash in clashes if clash.theirs_position)
    landings = [found for position in list(positions)[:_TOLD] if (found := stories.of(position)) is not None]
    lines += story_lines(landings)
    return Conflicted(
        "\n".join(lines),
        hint=_hint(clashes),
        document={
            "clashes": [_clash_fields(clash) for clash in clashes],
            "landings": [story_fields(each) for each in landings],
            "session": ulid_text(session.id),
        },
    )


def _hint(clashes: list[pb.Clash]) -> str:
    found = next((clash.theirs_position for clash in clashes if clash.theirs_position), 0)
    if found:
        return f"Run `mic sync`, mend what it marks, land again. `mic show @{found}` says what the other side meant."
    path = display(clashes[0].path)
    return f"What is there is not here: move {path} aside, then `mic sparse add {path}` brings it."


# Landings that are told; the others are named by their positions.
_TOLD = 5
_REASONS = {
    "changed": "changed on both sides",
    "file_over_directory": "a file here, a directory there",
    "directory_over_file": "a directory here, a file there",
}


def _short(content: bytes) -> str:
    return content.hex()[:10] or "absent"


def _clash_fields(clash: pb.Clash) -> dict[str, Any]:
    return {
        **path_fields(clash.path),
        "reason": clash.reason,
        "base": clash.base_hash.hex() or None,
        "ours": clash.ours_hash.hex() or None,
        "theirs": clash.theirs_hash.hex() or None,
        "position": clash.theirs_position or None,
    }
