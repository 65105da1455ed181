"""Writes what `mic shell-init` prints for each shell, or with --check fails when it is not made of today's commands."""

from __future__ import annotations

import sys
from pathlib import Path

from mic.cli.program.shell import init_script
from mic.cli.program.shell_shipped import FOLDER, SHELLS


def main(arguments: list[str]) -> int:
    for shell in SHELLS:
        path, made = Path(FOLDER) / shell, init_script(shell)
        if path.exists() and path.read_text() == made:
            continue
        if "--check" in arguments:
            print(
                f"{path.name}: `mic shell-init` does not know today's commands; run `make completions`.",
                file=sys.stderr,
            )
            return 1
        path.parent.mkdir(exist_ok=True)
        path.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
