"""Does a store keep the promises that landing stands on? Found out by trying, in a scratch place of its own.

Two writers who are both told that they won lose somebody's work without a trace, and several stores have told them
so. So a store is asked before it is trusted: each probe is one promise, tried where possible by 32 writers at once.
"""

from __future__ import annotations

import enum
import json
import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass

from mic.core.errors import MicError
from mic.store.port import ObjectStore
from mic.store.probes import PROBES, UNKNOWN, Found, Outcome, Patient

# Raised when a probe is added or judges otherwise: a verdict kept from an older one does not count.
VERSION = 1
# A probe without a clear end is tried again this often: one lost answer says nothing about a store.
_TIMES = 3


class Verdict(enum.StrEnum):
    """What a store is good for."""

    SOUND = "sound"
    SEQUENCED_LOG = "sequenced-log"
    UNSAFE = "unsafe"
    UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Finding:
    """One probe: its name, what it found, in words, and the seconds that it took."""

    probe: str
    outcome: Outcome
    words: str
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """All findings about the store at `address`."""

    address: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst finding decides; a lie is worse than silence, silence worse than slowness."""
        found = {finding.outcome for finding in self.findings}
        if Outcome.LIE in found:
            return Verdict.UNSAFE
        if Outcome.UNCLEAR in found:
            return Verdict.UNCLEAR
        return Verdict.SEQUENCED_LOG if Outcome.SLOW in found else Verdict.SOUND

    @property
    def words(self) -> str:
        """The verdict as a sentence, with the reason."""
        causes = {
            Verdict.UNSAFE: Outcome.LIE,
            Verdict.UNCLEAR: Outcome.UNCLEAR,
            Verdict.SEQUENCED_LOG: Outcome.SLOW,
        }
        verdict = self.verdict
        if verdict is Verdict.SOUND:
            return "The store keeps every promise that landing needs."
        reason = " ".join(finding.words for finding in self.findings if finding.outcome is causes[verdict])
        if verdict is Verdict.UNSAFE:
            return f"The store is not safe to land on: {reason}"
        if verdict is Verdict.UNCLEAR:
            return f"The store could not be examined: {reason}"
        return f"The store is true. Landings are committed there by a sequence of new objects: {reason}"

    @property
    def lands(self) -> bool:
        """Whether the store may be landed on."""
        return self.verdict in (Verdict.SOUND, Verdict.SEQUENCED_LOG)

    def as_json(self) -> str:
        """The report as one line of JSON, which `read_report` reads."""
        return json.dumps(
            {
                "version": VERSION,
                "address": self.address,
                "verdict": self.verdict,
                "words": self.words,
                "findings": [asdict(finding) for finding in self.findings],
            }
        )


def read_report(text: str) -> Report | None:
    """A report as `as_json` wrote it; None for anything else, an older version's included."""
    try:
        value = json.loads(text)
        if value["version"] != VERSION:
            return None
        findings = tuple(
            Finding(str(item["probe"]), Outcome(item["outcome"]), str(item["words"]), float(item["seconds"]))
            for item in value["findings"]
        )
        return Report(str(value["address"]), findings) if findings else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def examine(
    store: ObjectStore,
    address: str,
    delete_if: Callable[[str, str], bool | None] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Report:
    """Try every probe, each below a `doctor/{random}/` of its own that is removed afterwards. Raises nothing expected.

    `delete_if(key, tag)` deletes only an object with this tag: True deleted, False refused, None unknown to the store.
    """

    def probed(probe: str, ask: Callable[[Patient], str]) -> Finding:
        started = clock()
        patient = Patient(store, clock, delete_if)
        try:
            for _ in range(_TIMES):
                patient.scratch = f"doctor/{secrets.token_hex(8)}/"
                finding = _tried(patient, probe, ask)
                if finding.outcome is not Outcome.UNCLEAR:
                    break
        finally:
            patient.clean()
        return Finding(probe, finding.outcome, finding.words, round(clock() - started, 3))

    # Side by side, since a bucket is far away; but the first one alone, in case there is no store, and the last one
    # alone, because it looks at the clock.
    first, *others, last = PROBES
    findings = [probed(*first)]
    if findings[0].outcome is Outcome.OK:
        with ThreadPoolExecutor(len(others)) as pool:
            findings += pool.map(lambda item: probed(*item), others)
        findings.append(probed(*last))
    return Report(address, tuple(findings))


def _tried(patient: Patient, probe: str, ask: Callable[[Patient], str]) -> Finding:
    try:
        return Finding(probe, Outcome.OK, ask(patient))
    except Found as found:
        return Finding(probe, found.outcome, found.words)
    except MicError as error:
        return _not_tried(probe, error)


def _not_tried(probe: str, error: MicError) -> Finding:
    """What an answer means that is neither yes nor no."""
    status = error.details.get("status")
    if status == 429:
        return Finding(probe, Outcome.SLOW, "Writes of one object are throttled (429).")
    if status in UNKNOWN:
        return Finding(probe, Outcome.SLOW, f"It does not know conditional updates ({status}).")
    return Finding(probe, Outcome.UNCLEAR, f"It could not be tried: {error.message}.")
