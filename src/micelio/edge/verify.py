"""`micelio verify` and `micelio repair`: what lies in the store, and what can be done about it."""

from __future__ import annotations

import sys
import time
from uuid import UUID

import msgspec

from mic.ledger.repair import repair as repaired
from mic.ledger.verify import Finding, Verifier
from micelio.projects.ledgers import ledger
from micelio.projects.queries import lines_called
from micelio.sessions import projector


def verify(names: list[str], as_json: bool) -> int:
    """Check these projects (`owner/handle`, or `owner/handle@branch`), or all. Returns 0 when all is sound, else 1.

    Raises NotFound for a name that there is not.
    """
    wanted = lines_called(names, "checked")
    told = []
    sound = True
    for name, project in sorted(wanted.items()):
        found = _one(name, project, quiet=as_json)
        harm = [finding for finding in found if finding.kind != "unreachable"]
        sound = sound and not harm
        told.append({"project": name, "sound": not harm, "findings": [finding._asdict() for finding in found]})
        if not as_json:
            _say(name, found, harm)
    if as_json:
        print(msgspec.json.format(msgspec.json.encode({"projects": told})).decode())
    return 0 if sound else 1


def repair(name: str, accept_loss: bool) -> int:
    """Repair a project and check it again, while no forge runs. Returns 0 when all is sound then, 1 otherwise.

    Raises NotFound, InvalidInput.
    """
    ((name, project),) = lines_called([name], "checked").items()
    before = _one(name, project, quiet=False)
    done = ledger().driver.run(repaired(project.hex, before, projector.derived(project), accept_loss))
    for line in done:
        print(f"{name}: {line}.")
    found = _one(name, project, quiet=False)
    harm = [finding for finding in found if finding.kind != "unreachable"]
    _say(name, found, harm)
    if harm:
        print("What is named above cannot be derived from anything; it comes back from a backup only.")
    if done:
        print(f"Lists derived again: {projector.rebuild_project(project):,} landings.")
    return 1 if harm else 0


def _one(name: str, project: UUID, quiet: bool) -> list[Finding]:
    shown = [0.0]

    def progress(what: str, done: int, of: int) -> None:
        now = time.monotonic()
        if not quiet and sys.stderr.isatty() and (now - shown[0] > 0.2):
            shown[0] = now
            print(f"\r\x1b[K{name}: {what} {done:,} of {of:,}", end="", file=sys.stderr, flush=True)

    found = list(Verifier(project.hex, ledger().driver.run, progress).findings())
    if shown[0]:
        print("\r\x1b[K", end="", file=sys.stderr, flush=True)
    return found


def _say(name: str, found: list[Finding], harm: list[Finding]) -> None:
    for finding in harm:
        print(f"{name}: {finding.kind}: {finding.object}: {finding.message.removeprefix(finding.object).strip(': ')}")
    loose = [finding for finding in found if finding.kind == "unreachable"]
    verdict = "sound" if not harm else f"{len(harm)} finding{'s' if len(harm) > 1 else ''}"
    rest = f"; {len(loose)} object{'s' if len(loose) > 1 else ''} that nothing names" if loose else ""
    print(f"{name}: {verdict}{rest}.")
