"""A person whose commands run in this process: hundreds of them cost what ten processes do."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import urllib.request

from mic.cli.main import main
from mic.cli.transfer.content_cache import content_cache
from transcript import Shell

# Nobody listens there; what is asked through it is refused at once, on any machine.
NOBODY = "http://127.0.0.1:1"


class Inside(Shell):
    """As `Shell`, but for what only a process shows: signals, the shell's own environment."""

    # The organization of theirs.
    own = ""

    def run(self, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """`mic` with these arguments, here."""
        streams = [io.TextIOWrapper(io.BytesIO(), "utf-8", write_through=True) for _ in range(2)]
        kept, environment, folder = (sys.stdin, sys.stdout, sys.stderr), dict(os.environ), os.getcwd()
        sys.stdin, (sys.stdout, sys.stderr) = io.TextIOWrapper(io.BytesIO(stdin.encode())), streams
        os.environ.clear()
        os.environ.update(self.environment)
        content_cache.cache_clear()  # that of whoever was here before
        os.chdir(self.cwd)
        urllib.request.install_opener(None)  # type: ignore[arg-type]  # it remembers the proxies of the command before
        try:
            code = main(list(arguments), here=True)
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        finally:
            os.chdir(folder)
            os.environ.clear()
            os.environ.update(environment)
            sys.stdin, sys.stdout, sys.stderr = kept
        said, complained = (stream.buffer.getvalue().decode("utf-8", "replace") for stream in streams)  # type: ignore[attr-defined]
        return subprocess.CompletedProcess(["mic", *arguments], code, said, complained)

    def go_off_line(self) -> None:
        """Without a network: no forge is reached."""
        self.environment |= {"http_proxy": NOBODY, "no_proxy": ""}

    def go_on_line(self) -> None:
        """With the network again."""
        self.environment.pop("http_proxy", None)
        self.environment.pop("no_proxy", None)
