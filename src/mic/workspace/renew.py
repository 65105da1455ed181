"""A scan that writes the index again when stat data changed and contents did not."""

from __future__ import annotations

from mic.workspace.columns import Columns
from mic.workspace.place import FOLDER, read_columns, write_columns
from mic.workspace.scan import Scan, scan


def scan_and_renew(root: bytes, columns: Columns, forks: bool = False) -> Scan:
    """Scans (`forks` as there), and saves what was renewed.

    Not while another command is at work, nor where the workspace cannot be written.
    """
    result = scan(root, columns, forks)
    if result.dirty:
        _save(root, columns)
    return result


def _save(root: bytes, columns: Columns) -> None:
    from mic.core.errors import Busy
    from mic.workspace.lock import Lock

    try:
        with Lock(root + b"/" + FOLDER, 0):
            # A landing or an update may have put another index there since this one was read.
            if read_columns(root).check == columns.check:
                write_columns(root, columns)
    except (Busy, OSError):
        # Only time is lost: the next status reads the same files again.
        return
