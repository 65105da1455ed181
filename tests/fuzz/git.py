"""`python -m tests.fuzz.git`: Git's wire and packs for FUZZ_SECONDS (600), by the seed FUZZ_SEED."""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
from pathlib import Path

_HERE = Path(__file__).parents[1]
sys.path[:0] = [str(_HERE), str(_HERE.parent)]
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "micelio.django_settings")
os.environ.setdefault("MICELIO_DATA_DIR", tempfile.mkdtemp(prefix="micelio-fuzz-git-"))

# What needs no server tries a hundred inputs where the door takes one.
PARSERS_SHARE = 1 / 3


def main() -> int:
    """0 when nothing was found."""
    import django

    django.setup()
    from fuzz.git_endpoint import GitEndpoint
    from fuzz.git_parsers import git_targets
    from fuzz.run import Shares

    seconds = float(os.environ.get("FUZZ_SECONDS", "600"))
    seed = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(1 << 32))
    print(f"FUZZ_SEED={seed} FUZZ_SECONDS={seconds:g}", flush=True)
    shares = Shares(Path(os.environ.get("FUZZ_FOLDER", "build/fuzz-git")), seed)
    shares.run(git_targets(), seconds * PARSERS_SHARE)
    with GitEndpoint(Path(os.environ["MICELIO_DATA_DIR"]) / "forge") as endpoint:
        shares.run(endpoint.targets(), seconds * (1 - PARSERS_SHARE))
        for trace in endpoint.failed():
            shares.count += 1
            print(f"in the log of the forge: {trace[-2500:]}", flush=True)
        said = endpoint.forge.run("verify")
        print(f"micelio verify: {said.splitlines()[-1] if said else 'nothing to say'}", flush=True)
    print(f"{shares.count} findings, and FUZZ_SEED={seed}" if shares.count else "Nothing was found.", flush=True)
    return 1 if shares.count else 0


if __name__ == "__main__":
    sys.exit(main())
