"""`python -m tests.fuzz`: every parser for its share of FUZZ_SECONDS (600), by the seed FUZZ_SEED."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parents[1]
sys.path[:0] = [str(_HERE), str(_HERE.parent)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "micelio.django_settings")
os.environ.setdefault("MICELIO_DATA_DIR", tempfile.mkdtemp(prefix="micelio-fuzz-"))

# A third of the time is for what needs no server, which tries ten thousand inputs where a door takes a few hundred.
PARSERS_SHARE = 1 / 3


def main() -> int:
    """0 when nothing was found."""
    import django

    django.setup()
    from fuzz.archives import archive_targets
    from fuzz.doors import Doors
    from fuzz.parsers import parsers
    from fuzz.run import Shares, parsing

    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(1 << 32))
    print(f"FUZZ_SEED={seed} FUZZ_SECONDS={seconds:g}", flush=True)
    shares = Shares(Path(os.environ.get("FUZZ_FOLDER", "build/fuzz")), seed)
    shares.run([*(parsing(parser) for parser in parsers()), *archive_targets()], seconds * PARSERS_SHARE)
    with Doors(Path(os.environ["MICELIO_DATA_DIR"]) / "forge") as doors:
        shares.run(doors.targets(), seconds * (1 - PARSERS_SHARE))
        shares.count += doors.complain()
    print(f"{shares.count} findings" if shares.count else "Nothing was found.", flush=True)
    return 1 if shares.count else 0


if __name__ == "__main__":
    sys.exit(main())
