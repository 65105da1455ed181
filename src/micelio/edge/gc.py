"""`micelio gc`: what lies in the store and nothing names, and one round of removing it."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import msgspec
from django.template.defaultfilters import filesizeformat

from mic.core.errors import InvalidInput
from mic.core.leavings import Stage
from mic.ledger.collect import DAY, GRACE, Move, Round
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import lines_called

# Leavings of a project that are shown one by one, the largest first.
_SHOWN = 20


def gc(names: list[str], keep_days: float, *, dry: bool, as_json: bool) -> int:
    """One round for these projects (`owner/handle`, `owner/handle@branch`), or for all; 0.

    Raises NotFound for a name that there is not, InvalidInput for days below 1: what waits for its landing must not go
    meanwhile; and what reading a project raises, before anything of it is removed.
    """
    if not keep_days >= 1:
        raise InvalidInput(f"--keep is {keep_days:g} days.", hint="Uploads wait for their landing: give at least 1.")
    wanted = lines_called(names, "looked at")
    told = []
    for name, project in sorted(wanted.items()):
        found = _one(project, keep_days, dry)
        told.append(_document(name, found))
        if not as_json:
            _say(name, found, keep_days, dry)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode({"dry_run": dry, "projects": told})).decode())
    return 0


def _one(project: UUID, keep_days: float, dry: bool) -> Round:
    return open_ledger(project).collect(int(min(keep_days, 36_500) * DAY), GRACE, dry=dry)


def _document(name: str, found: Round) -> dict[str, object]:
    return {
        "project": name,
        "objects": found.listed,
        "removed": found.removed,
        "freed_bytes": found.freed,
        "stuck": {stuck: str(why) for stuck, why in found.stuck.items()},
        "leavings": [
            {"name": move.name, "bytes": move.size, "stage": move.stage.name.lower(), "since": _when(move.since)}
            for move in found.left
        ],
    }


def _say(name: str, found: Round, keep_days: float, dry: bool) -> None:
    left = sorted(found.left, key=lambda move: (-move.size, move.name))
    size = sum(move.size for move in left)
    rest = f", {len(left):,} that nothing names ({_bytes(size)})" if left else "; everything is named"
    print(f"{name}: {_count(found.listed, 'object')}{rest}.")
    for move in left[:_SHOWN]:
        print(f"  {_bytes(move.size):>10}  {move.name}: {_why(move)}, {_fate(move, found, keep_days, dry)}")
    if len(left) > _SHOWN:
        print(f"  and {len(left) - _SHOWN:,} smaller ones; --json has them all")
    if found.removed:
        print(f"  Removed: {_count(found.removed, 'object')}, {_bytes(found.freed)}.")
    elif dry and any(move.stage is Stage.GONE for move in left):
        print("  Nothing was removed: this is what would be.")


def _why(move: Move) -> str:
    return "an upload that was not landed" if move.name.startswith("packs/") else "a landing that lost its race"


def _fate(move: Move, found: Round, keep_days: float, dry: bool) -> str:
    if move.name in found.stuck:
        return f"cannot be removed: {found.stuck[move.name]}"
    if move.stage is Stage.SEEN:
        return f"seen on {_day(move.since)}, condemned after {keep_days:g} days"
    if move.stage is Stage.CONDEMNED:
        return f"condemned on {_day(move.since)}, removed a day later"
    return "would be removed" if dry else "removed"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _bytes(size: int) -> str:
    return filesizeformat(size).replace("\N{NO-BREAK SPACE}", " ")


def _when(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds")


def _day(ms: int) -> str:
    return _when(ms)[:10]
