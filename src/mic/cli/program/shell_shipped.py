"""What `mic shell-init` prints, made together with this version: no shell waits until every command is loaded.

The files are those of `make completions`, which `make check` compares with the commands.
"""

from __future__ import annotations

import os
from typing import Any

SHELLS = ("bash", "zsh", "fish")
FOLDER = os.path.join(os.path.dirname(__file__), "shells")


def shipped(shell: str) -> str:
    """The script for bash, zsh or fish; also out of the one-file archive. Raises OSError."""
    loader: Any = globals()["__loader__"]
    return str(loader.get_data(os.path.join(FOLDER, shell)).decode())
