"""schemathesis against the REST door of a running forge: everything that its description allows, and what it does not.

`.venv/bin/python -m api_fuzz SECONDS` (`make fuzz-api`) starts a forge of its own and asks for so long.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from api_client import Api
from forge_process import Forge

# Well formed and still not meant: an abandoned session, a handle that is taken. That is for the action to say.
# And the links between calls that schemathesis makes up put the id of what was made where its handle belongs.
_NOT_ASKED = "positive_data_acceptance,ensure_resource_availability"


def prepare(forge: Forge) -> str:
    """An organization `acme` with a project `tool` and some landings; gives a token of their owner."""
    token = forge.token("fay")
    with Api(forge.base_url, token) as api:
        api.done("POST", "/orgs", 201, json={"handle": "acme"})
        api.done("POST", "/projects", 201, json={"owner": "acme", "handle": "tool", "visibility": "public"})
        for number in range(3):
            change = {"path": f"docs/{number}.txt", "text": f"{number}\n"}
            api.done("POST", "/projects/acme/tool/landings", 201, json={"goal": "Fill", "changes": [change]})
    return token


def ask(forge: Forge, token: str, folder: Path, seconds: int, *, pinned: bool, seed: int = 1) -> str:
    """Ask for so many seconds; `pinned`: about the project that is there. Gives what was found, "" for nothing."""
    places = '[parameters]\n"path.owner" = "acme"\n"path.project" = "tool"\n"path.org" = "acme"\n' if pinned else ""
    settings = folder / "schemathesis.toml"
    settings.write_text(places)
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(settings), "run",
            f"{forge.base_url}/api/openapi.json", "--header", f"Authorization: Bearer {token}",
            "--max-time", str(seconds), "--max-examples", "10", "--seed", str(seed),
            "--exclude-checks", _NOT_ASKED, "--warnings", "off", "--no-color",
            # It would leave nothing to ask about.
            "--exclude-operation-id", "delete_project", "--exclude-operation-id", "delete_organization",
            "--exclude-operation-id", "transfer_project", "--exclude-operation-id", "rename_project",
            "--exclude-operation-id", "archive_project", "--exclude-operation-id", "rename_organization",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        timeout=seconds + 240,
    )  # fmt: skip
    return "" if done.returncode == 0 else f"{done.stdout[-8000:]}\n{done.stderr[-2000:]}"


def main(seconds: int) -> int:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        forge = Forge(folder / "data", MICELIO_LIMITS="off")
        try:
            token = prepare(forge)
            found = "".join(ask(forge, token, folder, seconds // 2, pinned=pinned) for pinned in (True, False))
            # What is no HTTP at all uvicorn refuses by itself, and says so.
            said = "" if "Traceback" not in forge.log() else forge.log()
        finally:
            forge.end()
    print(found or said or "Nothing was found.")
    return 1 if found or said else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 600))
