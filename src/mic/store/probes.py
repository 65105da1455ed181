"""The promises that landing stands on, each tried on a store: what the doctor asks.

A probe returns what it found in words when all is well, and raises `Found` or the store's own error otherwise.
"""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

from mic.core.errors import AlreadyExists, MicError, NotFound, PreconditionFailed, Unavailable
from mic.store.port import ObjectStore
from mic.store.race import race

RACERS = 32
# What one writer asks, it asks this often.
_REPEATS = 4
_CLEANERS = 8
# A race is run this often, or until its seconds are over, whichever comes first; always at least three times.
ROUNDS = 20
LEAST_ROUNDS = 3
RACE_SECONDS = 1.0
# Swaps one after the other on one key, and the rate below which a store cannot carry a head (S3 does 15/s, a store
# that allows one write a second to a key does 1).
PACE_SWAPS = 50
PACE_SECONDS = 1.5
LEAST_PACE = 3.0
# HTTP's ways to say that a method or a header is not known.
UNKNOWN = (405, 501)


class Outcome(enum.StrEnum):
    """What a probe found."""

    OK = "ok"
    NOTE = "note"  # good to know; landing does not depend on it
    SLOW = "slow"  # true, but too slow or too poor for a head that is swapped
    LIE = "lie"  # a promise was broken
    UNCLEAR = "unclear"  # the store could not be asked


class Found(Exception):
    """Ends a probe that has seen enough."""

    def __init__(self, outcome: Outcome, words: str) -> None:
        super().__init__(words)
        self.outcome = outcome
        self.words = words


class Patient:
    """A store and `scratch`, the place where it is tried now."""

    def __init__(
        self,
        store: ObjectStore,
        clock: Callable[[], float],
        delete_if: Callable[[str, str], bool | None] | None,
    ) -> None:
        self.store = store
        self.scratch = ""
        self.clock = clock
        self.delete_if = delete_if
        self._made: set[str] = set()

    def key(self, name: str) -> str:
        """A key of the scratch place, remembered for the cleaning."""
        key = f"{self.scratch}{name}"
        self._made.add(key)
        return key

    def start(self, name: str, data: bytes) -> str:
        """A key that holds `data`."""
        key = self.key(name)
        self.store.put(key, data)
        return key

    def rounds(self) -> Iterator[int]:
        """Numbers of the rounds of a race."""
        end = self.clock() + RACE_SECONDS
        for number in range(ROUNDS):
            if number >= LEAST_ROUNDS and self.clock() > end:
                return
            yield number

    def clean(self) -> None:
        """Remove what was made. What cannot be removed harms nobody: nothing else lies below this name."""
        with ThreadPoolExecutor(_CLEANERS) as pool:
            list(pool.map(self._remove, self._made))

    def _remove(self, key: str) -> None:
        with contextlib.suppress(MicError):
            self.store.delete(key)


def _judge_race(outcomes: list[MicError | None], refusal: type[MicError], left: bytes, what: str) -> int:
    """How many got no clear answer. Raises Found unless one racer won and its bytes are there. Racer n wrote n.

    An unclear answer is no lie: who got it reads the object back. When nobody's bytes are there it is raised.
    """
    winners = [b"%d" % which for which, error in enumerate(outcomes) if error is None]
    unclear = {b"%d" % which: error for which, error in enumerate(outcomes) if error and not isinstance(error, refusal)}
    if len(winners) > 1:
        raise Found(Outcome.LIE, f"{len(winners)} of {RACERS} writers at once were told that they {what}.")
    if winners and left != winners[0]:
        raise Found(Outcome.LIE, f"One writer was told that it {what}, and another's bytes are there.")
    if not winners and left not in unclear:
        if unclear:
            raise next(iter(unclear.values()))
        raise Found(Outcome.NOTE, f"All of {RACERS} writers at once were told that they had not {what}; one had.")
    return len(unclear)


def _raced(what: str, rounds: int, unclear: int) -> str:
    words = f"Of {RACERS} writers at once one {what} the object, {rounds} times out of {rounds}."
    if not unclear:
        return words
    return f"{words} {unclear} others got an error instead of a refusal; each is settled by reading."


# ------------------------------------------------------------ probes


def _reachable(patient: Patient) -> str:
    key = patient.start("reachable", b"here")
    if patient.store.get(key).data != b"here":
        raise Found(Outcome.LIE, "What was just written was read back as something else.")
    patient.store.delete(key)
    try:
        patient.store.get(key)
    except NotFound:
        return "Objects are written, read and deleted."
    raise Found(Outcome.LIE, "A deleted object could still be read.")


def _create_once(patient: Patient) -> str:
    denied = 0
    for number in range(_REPEATS):
        key = patient.key(f"once/{number}")
        try:
            patient.store.put_new(key, b"first")
        except AlreadyExists:
            denied += 1
        except Unavailable as error:
            if error.details.get("status") not in (412, *UNKNOWN):
                raise
            raise Found(Outcome.LIE, f"A new object could not be created: {error.message}.") from None
        try:
            patient.store.put_new(key, b"second")
        except AlreadyExists:
            pass
        else:
            raise Found(Outcome.LIE, "An object that exists was created again.")
        try:
            left = patient.store.get(key).data
        except NotFound:
            raise Found(Outcome.LIE, "A new object was refused as existing, and does not exist.") from None
        if left != b"first":
            raise Found(Outcome.LIE, "A create that was refused replaced the object.")
    if denied:
        words = f"{denied} of {_REPEATS} writes were made and denied; each was found by reading back."
        raise Found(Outcome.NOTE, words)
    return "An object is created once; the second writer is refused."


def _create_race(patient: Patient) -> str:
    count = unclear = 0
    for count in patient.rounds():
        key = patient.key(f"create/{count}")
        outcomes = race(RACERS, lambda which, key=key: patient.store.put_new(key, b"%d" % which))  # type: ignore[misc]
        unclear += _judge_race(outcomes, AlreadyExists, patient.store.get(key).data, "created the same object")
    return _raced("created", count + 1, unclear)


def _swap(patient: Patient) -> str:
    key = patient.start("swap", b"0")
    lost = 0
    for number in range(1, _REPEATS + 1):
        tag = patient.store.get(key).tag
        try:
            patient.store.put_if(key, b"%d" % number, tag)
        except PreconditionFailed:
            lost += 1
        if patient.store.get(key).data != b"%d" % number:
            raise Found(Outcome.LIE, "An update with the object's own tag did not replace it.")
    if lost:
        raise Found(Outcome.NOTE, f"{lost} of {_REPEATS} updates were made and denied; each was found by reading back.")
    return "An update with the object's own tag replaces it."


def _swap_race(patient: Patient) -> str:
    key = patient.start("race", b"start")
    count = unclear = 0
    for count in patient.rounds():
        patient.store.put(key, b"start %d" % count)
        tag = patient.store.get(key).tag
        outcomes = race(RACERS, lambda which, tag=tag: patient.store.put_if(key, b"%d" % which, tag))  # type: ignore[misc]
        unclear += _judge_race(outcomes, PreconditionFailed, patient.store.get(key).data, "replaced the same object")
    return _raced("replaced", count + 1, unclear)


def _absent(patient: Patient) -> str:
    tag = patient.store.get(patient.start("other", b"x")).tag
    key = patient.key("absent")
    try:
        patient.store.put_if(key, b"x", tag)
    except PreconditionFailed:
        pass
    else:
        raise Found(Outcome.LIE, "An object that does not exist was updated.")
    try:
        patient.store.get(key)
    except NotFound:
        return "An update of an absent object is refused."
    raise Found(Outcome.LIE, "A refused update of an absent object made it.")


def _stale_tag(patient: Patient) -> str:
    key = patient.start("stale", b"one")
    old = patient.store.get(key).tag
    patient.store.put_if(key, b"two", old)
    for tag in (old, "0" * 32):
        try:
            patient.store.put_if(key, b"three", tag)
        except PreconditionFailed:
            continue
        raise Found(Outcome.LIE, "An update with a tag that the object no longer has took place.")
    return "An update with an old tag is refused."


def _read_after_refusal(patient: Patient) -> str:
    for number in range(_REPEATS):
        key = patient.start(f"refusal/{number}", b"old")
        tag = patient.store.get(key).tag
        patient.store.put_if(key, b"new", tag)
        with contextlib.suppress(PreconditionFailed):
            patient.store.put_if(key, b"late", tag)
        if (left := patient.store.get(key).data) != b"new":
            raise Found(Outcome.LIE, f"After a refused update the object was read as {_described(left)}.")
        with contextlib.suppress(AlreadyExists):
            patient.store.put_new(key, b"late")
        if (left := patient.store.get(key).data) != b"new":
            raise Found(Outcome.LIE, f"After a refused create the object was read as {_described(left)}.")
    return "Who was refused reads what won."


def _described(left: bytes) -> str:
    return {b"old": "it was before", b"late": "the refused write wanted it"}.get(left, "something else")


def _list_after_put(patient: Patient) -> str:
    keys = [patient.start(f"list/{number:02}", b"x") for number in range(12)]
    folder = f"{patient.scratch}list/"
    for _ in range(3):
        if [item.key for item in patient.store.list(folder)] != keys:
            raise Found(Outcome.LIE, "A list did not show, in order, the objects that had just been written.")
        if [item.key for item in patient.store.list(folder, keys[4])] != keys[5:]:
            raise Found(Outcome.LIE, "A list that should go on behind a key did not.")
        patient.store.delete(keys.pop())
        if [item.key for item in patient.store.list(folder)] != keys:
            raise Found(Outcome.LIE, "A list showed an object that had just been deleted.")
    return "Lists are sorted and show what was just written and deleted."


def _conditional_delete(patient: Patient) -> str:
    if patient.delete_if is None:
        raise Found(Outcome.NOTE, "Conditional deletes are not asked of this kind of store.")
    key = patient.start("delete", b"x")
    tag = patient.store.get(key).tag
    refused = patient.delete_if(key, "0" * 32)
    try:
        patient.store.get(key)
    except NotFound:
        raise Found(Outcome.NOTE, "Conditional deletes are ignored: an object with another tag was deleted.") from None
    if refused is None or not patient.delete_if(key, tag):
        raise Found(Outcome.NOTE, "Conditional deletes are not known to this store.")
    return "An object is deleted only with its own tag."


def _same_bytes(patient: Patient) -> str:
    key = patient.start("same", b"one")
    before = patient.store.get(key).tag
    patient.store.put(key, b"two")
    patient.store.put(key, b"one")
    if patient.store.get(key).tag == before:
        raise Found(Outcome.NOTE, "Equal bytes have equal tags, as at Amazon. A head never repeats, so this is safe.")
    return "Equal bytes written again have another tag."


def _answers(patient: Patient) -> str:
    """Are writes without a condition, and reads, answered? Those with one are looked at by the other probes."""
    lost = 0
    for number in range(20):
        key = patient.key(f"answers/{number}")
        try:
            patient.store.put_new(key, b"%d" % number)
        except (Unavailable, AlreadyExists):
            lost += 1
            with contextlib.suppress(NotFound):
                if patient.store.get(key).data != b"%d" % number:
                    raise Found(Outcome.LIE, "A write without an answer left something else.") from None
    if lost > 10:
        raise Found(Outcome.UNCLEAR, f"{lost} of 20 writes got no true answer.")
    if lost:
        raise Found(Outcome.NOTE, f"{lost} of 20 writes got no true answer; each is settled by reading back.")
    return "Every write was answered."


def _pacing(patient: Patient) -> str:
    key = patient.start("pace", b"0")
    started = patient.clock()
    rate = 0.0
    for number in range(1, PACE_SWAPS + 1):
        # Made and denied is another probe's affair.
        with contextlib.suppress(PreconditionFailed):
            patient.store.put_if(key, b"%d" % number, patient.store.get(key).tag)
        elapsed = patient.clock() - started
        rate = number / max(elapsed, 1e-6)
        if elapsed > PACE_SECONDS:
            break
    if rate < LEAST_PACE:
        raise Found(Outcome.SLOW, f"One object takes {rate:.1f} updates a second.")
    return f"One object takes {min(rate, 9999):.0f} updates a second, one after the other."


PROBES: tuple[tuple[str, Callable[[Patient], str]], ...] = (
    ("reachable", _reachable),
    ("create-once", _create_once),
    ("create-race", _create_race),
    ("swap", _swap),
    ("swap-race", _swap_race),
    ("absent", _absent),
    ("stale-tag", _stale_tag),
    ("read-after-refusal", _read_after_refusal),
    ("list-after-put", _list_after_put),
    ("conditional-delete", _conditional_delete),
    ("same-bytes", _same_bytes),
    ("answers", _answers),
    ("pacing", _pacing),
)
