"""What is said of a list of owners that cannot be read to whoever wanted to land it."""

from __future__ import annotations

import json

from mic.core.errors import InvalidOwners
from micelio.owners.rules import PATH, parse_owners

# Bytes that problems may take in the trailing metadata of an answer, beside its message.
_DOCUMENT = 4_000


def require_readable(content: bytes) -> None:
    """Raises InvalidOwners, naming each line, for a list of owners that cannot be read."""
    problems = parse_owners(content).problems
    if not problems:
        return
    rows, size = [], 0
    for problem in problems:
        row = {"line": problem.line, "message": problem.message}
        size += len(json.dumps(row).encode()) + 2
        if size > _DOCUMENT:
            break
        rows.append(row)
    first = problems[0]
    more = f" {len(problems) - 1} more lines are wrong." if len(problems) > 2 else ""
    more = " One more line is wrong." if len(problems) == 2 else more
    where = f"line {first.line}: " if first.line else ""
    raise InvalidOwners(
        f"{PATH.decode()} cannot be read, so nothing landed; {where}{first.message}{more}",
        hint="Mend the line: a pattern, then @handle, @organization or an e-mail address, with blanks between.",
        document={"problems": rows, "count": len(problems)},
    )
