"""The store doctor: sound stores pass, and each way to lie is caught by the probe that asks for that promise."""

from __future__ import annotations

import itertools
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lying_stores import (
    EveryCreatorWins,
    ForgetsDeletes,
    IgnoresIfMatch,
    InvertedCreate,
    LaggingList,
    LastWriteWins,
    MakesWhatItRefuses,
    ReplacesThoughRefused,
    StaleAfterRefusal,
    Throttled,
    UpdatesTheAbsent,
    WithoutUpdates,
    error_after_create,
    lost_before_create,
    repeated_create,
    repeated_update,
    unreachable,
)
from mic.core.errors import PreconditionFailed, Unavailable
from mic.store import DirectoryStore, MemoryStore, ObjectStore
from mic.store.doctor import Finding, Outcome, Report, Verdict, examine, read_report
from mic.store.faults import Fault, FaultyStore
from mic.store.s3 import S3Store
from mic.store.s3_place import S3Place
from radosgw import Radosgw
from s3_server import S3Server

PROBES = [
    "reachable",
    "create-once",
    "create-race",
    "swap",
    "swap-race",
    "absent",
    "stale-tag",
    "read-after-refusal",
    "list-after-put",
    "conditional-delete",
    "same-bytes",
    "answers",
    "pacing",
]


def _outcomes(report: Report) -> dict[str, Outcome]:
    return {finding.probe: finding.outcome for finding in report.findings}


@pytest.mark.parametrize("kind", ["memory", "directory", "s3", pytest.param("radosgw", marks=pytest.mark.radosgw)])
def test_a_sound_store_passes_every_probe(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Nothing is worse than a note, what is not ours is untouched, and the scratch place is clean afterwards."""
    store: ObjectStore = MemoryStore() if kind == "memory" else DirectoryStore(tmp_path)
    if kind in ("s3", "radosgw"):
        server: S3Server | Radosgw = request.getfixturevalue("s3_server" if kind == "s3" else "radosgw")
        store = S3Store(server.new_place())
    store.put("projects/x/head", b"mine")
    report = examine(store, "here")
    assert [finding.probe for finding in report.findings] == PROBES
    assert {finding.outcome for finding in report.findings} <= {Outcome.OK, Outcome.NOTE}, report.words
    assert report.verdict is Verdict.SOUND
    assert [item.key for item in store.list("")] == ["projects/x/head"]


@pytest.mark.parametrize(
    ("make", "probe", "says"),
    [
        (EveryCreatorWins, "create-race", "4 of 32 writers at once were told that they created the same object"),
        (IgnoresIfMatch, "swap-race", "32 of 32 writers at once were told that they replaced the same object"),
        (IgnoresIfMatch, "stale-tag", "a tag that the object no longer has took place"),
        (UpdatesTheAbsent, "absent", "An object that does not exist was updated"),
        (MakesWhatItRefuses, "absent", "A refused update of an absent object made it"),
        (InvertedCreate, "create-once", "refused as existing, and does not exist"),
        (ReplacesThoughRefused, "create-once", "A create that was refused replaced the object"),
        (StaleAfterRefusal, "read-after-refusal", "After a refused update the object was read as it was before"),
        (LaggingList, "list-after-put", "A list did not show, in order"),
        (LastWriteWins, "stale-tag", "a tag that the object no longer has took place"),
        (LastWriteWins, "create-once", "An object that exists was created again"),
        (ForgetsDeletes, "reachable", "A deleted object could still be read"),
    ],
)
def test_a_lie_is_caught(make: Callable[[], ObjectStore], probe: str, says: str) -> None:
    """By the probe that asks for that promise, in words; and then the store is not landed on."""
    report = examine(make(), "there")
    found = next(finding for finding in report.findings if finding.probe == probe)
    assert found.outcome is Outcome.LIE
    assert says in found.words
    assert report.verdict is Verdict.UNSAFE
    assert not report.lands
    assert report.words.startswith("The store is not safe to land on: ")
    assert says in report.words


@pytest.mark.parametrize(
    ("make", "probe", "says"),
    [
        (Throttled, "pacing", "throttled (429)"),
        (WithoutUpdates, "swap", "It does not know conditional updates (501)"),
    ],
)
def test_a_true_store_that_cannot_carry_a_head(make: Callable[[], ObjectStore], probe: str, says: str) -> None:
    """It is told apart from a liar, and landed on in another way."""
    report = examine(make(), "there")
    found = next(finding for finding in report.findings if finding.probe == probe)
    assert (found.outcome, report.verdict) == (Outcome.SLOW, Verdict.SEQUENCED_LOG)
    assert says in found.words
    assert report.lands
    assert report.words.startswith("The store is true. Landings are committed there by a sequence of new objects: ")


def test_one_update_a_second_is_too_slow() -> None:
    """By the clock: half a second passes at each look at it, so few updates fit into the probe's time."""
    ticks = itertools.count(0, 0.5)
    report = examine(MemoryStore(), "there", clock=lambda: next(ticks))
    assert _outcomes(report)["pacing"] is Outcome.SLOW
    assert report.verdict is Verdict.SEQUENCED_LOG
    assert "One object takes 2.0 updates a second" in report.words


@pytest.mark.parametrize(
    ("make", "probe"),
    [
        (error_after_create, "answers"),
        (lost_before_create, "answers"),
        (repeated_create, "create-once"),
        (repeated_update, "swap"),
    ],
)
def test_answers_that_get_lost_are_told(make: Callable[[], ObjectStore], probe: str) -> None:
    """An error after the write, and a repetition below us, are settled by reading; the report says that they occur."""
    report = examine(make(), "there")
    found = next(finding for finding in report.findings if finding.probe == probe)
    assert found.outcome is Outcome.NOTE
    assert "settled by reading back" in found.words or "found by reading back" in found.words
    assert report.verdict is not Verdict.UNSAFE


def test_losers_without_a_clear_answer_are_no_liars() -> None:
    """Ceph answers some losers of a race with an error. One won and is there: true, and told."""

    class Erring(MemoryStore):
        def put_if(self, key: str, data: bytes, tag: str) -> None:
            try:
                super().put_if(key, data, tag)
            except PreconditionFailed:
                if "/race" in key:
                    raise Unavailable(f"{key}: the store answered 500 UnknownError", status=500) from None
                raise

    report = examine(Erring(), "there")
    found = next(finding for finding in report.findings if finding.probe == "swap-race")
    assert found.outcome is Outcome.OK
    assert "620 others got an error instead of a refusal" in found.words
    assert report.verdict is Verdict.SOUND


@pytest.mark.s3rver
def test_a_real_liar_is_caught(tmp_path: Path) -> None:
    """s3rver says yes to every conditional write: all 32 of a race win, and the doctor says so."""
    script = Path(".tools/s3rver/node_modules/s3rver/bin/s3rver.js").absolute()
    command = ["node", str(script), "-d", str(tmp_path), "-a", "127.0.0.1", "-p", "0", "--configure-bucket", "bucket"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            assert server.stdout is not None
            port = next(line for line in server.stdout if "listening" in line).rpartition(":")[2].strip()
            place = S3Place(
                "bucket",
                "us-east-1",
                f"http://127.0.0.1:{port}",
                access_key_id="S3RVER",
                secret_access_key="S3RVER",
            )
            report = examine(S3Store(place), place.address)
        finally:
            server.kill()
    assert report.verdict is Verdict.UNSAFE
    lies = [probe for probe, outcome in _outcomes(report).items() if outcome is Outcome.LIE]
    assert lies == ["create-once", "create-race", "swap-race", "absent", "stale-tag", "read-after-refusal"]
    assert "32 of 32 writers at once were told that they replaced the same object." in report.words


def test_equal_tags_of_equal_bytes_are_told() -> None:
    """Amazon does so too: a note, no more."""
    assert _outcomes(examine(MemoryStore(), "there"))["same-bytes"] is Outcome.NOTE
    assert _outcomes(examine(LastWriteWins(), "there"))["same-bytes"] is Outcome.OK


def test_one_lost_answer_says_nothing() -> None:
    """A probe that ends without a clear answer is tried again in a fresh place."""
    calls = itertools.count()

    def plan(call: str, key: str) -> Fault:
        return Fault.AFTER if call == "put_if" and next(calls) == 3 else Fault.NONE

    store = FaultyStore(MemoryStore(), plan)
    report = examine(store, "here")
    assert store.done[Fault.AFTER] == 1
    assert report.verdict is Verdict.SOUND
    assert list(store.list("")) == []


def test_a_store_that_is_not_there_is_not_called_a_liar() -> None:
    """One probe, the reason, and no verdict about its honesty."""
    report = examine(unreachable(), "there")
    assert [finding.probe for finding in report.findings] == ["reachable"]
    assert report.verdict is Verdict.UNCLEAR
    assert report.words.startswith("The store could not be examined: ")
    assert "the store gave no answer" in report.words


@pytest.mark.parametrize(
    ("answers", "outcome", "says"),
    [
        ([False, True], Outcome.OK, "only with its own tag"),
        ([None, None], Outcome.NOTE, "not known"),
        ([True, True], Outcome.NOTE, "are ignored"),
    ],
)
def test_conditional_deletes_are_reported(answers: list[bool | None], outcome: Outcome, says: str) -> None:
    """Landing does not need them, so they decide nothing."""
    store = MemoryStore()
    given = iter(answers)

    def delete_if(key: str, tag: str) -> bool | None:
        answer = next(given)
        if answer:
            store.delete(key)
        return answer

    report = examine(store, "here", delete_if)
    found = next(finding for finding in report.findings if finding.probe == "conditional-delete")
    assert found.outcome is outcome
    assert says in found.words
    assert report.verdict is Verdict.SOUND


def test_a_report_is_kept_and_read_again() -> None:
    report = Report("there", (Finding("swap", Outcome.LIE, "It was wrong.", 0.5),))
    assert read_report(report.as_json()) == report
    assert read_report(report.as_json().replace('"version": 1', '"version": 0')) is None


@given(st.text() | st.recursive(st.none() | st.text() | st.floats(), st.lists).map(repr))
def test_a_spoiled_report_is_no_report(text: str) -> None:
    """Whatever the kept file holds, the answer is a report or none."""
    assert read_report(text) is None


@given(st.integers(0, 400), st.integers(0, 255))
def test_a_flipped_report_is_a_report_or_none(place: int, value: int) -> None:
    raw = bytearray(Report("there", (Finding("swap", Outcome.OK, "Good.", 0.5),)).as_json().encode())
    raw[place % len(raw)] = value
    found = read_report(raw.decode("utf-8", "replace"))
    assert found is None or isinstance(found.verdict, Verdict)
