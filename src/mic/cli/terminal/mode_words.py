"""What a change of mode alone says: a file that became executable, or is no longer."""

from __future__ import annotations

_KIND = 0o170000
_FILE = 0o100000
_EXECUTABLE = 0o100


def mode_words(old: int, new: int) -> str:
    """` (now executable)`, ` (no longer executable)`, or nothing; for two Git modes, 0 where there is no file."""
    if old & _KIND != _FILE or new & _KIND != _FILE or not (old ^ new) & _EXECUTABLE:
        return ""
    return " (now executable)" if new & _EXECUTABLE else " (no longer executable)"
