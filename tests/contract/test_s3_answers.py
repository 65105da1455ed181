"""What the S3 adapter makes of every answer, and of none: never a lie, never "empty", never a secret."""

from __future__ import annotations

import io
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mic.core.errors import AlreadyExists, MicError, NotFound, PreconditionFailed, StorageFull, Unavailable
from mic.store import ObjectStore
from mic.store.s3 import S3Store
from mic.store.s3_answers import read_answer
from scripted_s3 import PLAIN, ScriptedS3, Step

THROTTLED = Step(429, "SlowDown")
BUSY = Step(503, "SlowDown")
CONFLICT = Step(409, "ConditionalRequestConflict")
STALE = Step(412, "PreconditionFailed")
BROKEN = Step(500, "InternalError")
BROKEN_AFTER = Step(500, "InternalError", applied=True)
LOST = Step(0)
LOST_AFTER = Step(0, applied=True)
CUT = Step(cut=True)


@pytest.fixture
def server() -> Iterator[ScriptedS3]:
    running = ScriptedS3()
    yield running
    running.stop()


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def store(server: ScriptedS3, pauses: list[float]) -> S3Store:
    """A store whose pauses are noted, not waited."""
    return S3Store(server.place, pauses.append)


# ------------------------------------------------------------------ reading


@pytest.mark.parametrize("step", [THROTTLED, BUSY, BROKEN, LOST, CUT, Step(408)])
def test_a_read_is_asked_again_and_then_right(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """Three failures in a row, of any passing kind: the fourth answer is given."""
    server.objects["a/b"] = (b"0123456789", "")
    server.script.extend([step] * 3)
    assert store.get("a/b").data == b"0123456789"
    server.script.extend([step] * 3)
    assert store.get_range("a/b", 0, 100) == b"0123456789"
    assert len(server.asked) == 8


@pytest.mark.parametrize("step", [THROTTLED, BUSY, BROKEN, LOST, CUT])
def test_a_read_that_keeps_failing_is_unavailable(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """After four attempts; never NotFound, never empty, never half an object."""
    server.objects["a/b"] = (b"0123456789", "")
    server.script.extend([step] * 8)
    with pytest.raises(Unavailable, match="a/b"):
        store.get("a/b")
    assert len(server.asked) == 4
    with pytest.raises(Unavailable, match="a/b"):
        store.get_range("a/b", 2, 3)


@pytest.mark.parametrize(
    ("step", "hint"),
    [
        (Step(404, "NoSuchBucket"), "S3_BUCKET"),
        (Step(404, body="<html>Not Found</html>"), "S3_"),
        (Step(403, "AccessDenied"), "allow these keys"),
        (Step(403, "InvalidAccessKeyId"), "S3_ACCESS_KEY_ID"),
        (Step(403, "SignatureDoesNotMatch"), "S3_SECRET_ACCESS_KEY"),
        (Step(301, "PermanentRedirect"), "S3_REGION"),
        (Step(400, "AuthorizationHeaderMalformed"), "S3_REGION"),
    ],
)
def test_only_no_such_key_means_absent(server: ScriptedS3, store: S3Store, step: Step, hint: str) -> None:
    """Any other answer is Unavailable at once, with what to correct. That goes for all eight calls."""
    calls: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: store.get_range("a", 0, 1),
        lambda: store.put("a", b"x"),
        lambda: store.put_file("a", io.BytesIO(b"x")),
        lambda: store.put_new("a", b"x"),
        lambda: store.put_if("a", b"x", "0123"),
        lambda: list(store.list("")),
        lambda: store.delete("a"),
    ]
    for call in calls:
        server.script.append(step)
        with pytest.raises(Unavailable) as caught:
            call()
        assert hint in caught.value.hint
        assert not server.script
    assert len(server.asked) == len(calls)
    with pytest.raises(NotFound, match="a does not exist"):
        store.get("a")


def test_a_long_list_is_read_page_by_page(server: ScriptedS3, store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lazily, and a page that fails is asked for again behind the last key."""
    monkeypatch.setattr("mic.store.s3._PAGE", 3)
    names = [f"l/{number:02}" for number in range(10)]
    server.objects.update({name: (b"x", "") for name in names})
    found = store.list("l/")
    assert next(found).key == "l/00"
    assert len(server.asked) < 4
    server.script.extend([BROKEN, LOST])
    assert [item.key for item in found] == names[1:]
    server.script.extend([PLAIN, BROKEN, BROKEN, BROKEN, BROKEN])
    found = store.list("l/")
    assert [next(found).key for _ in range(3)] == names[:3]
    with pytest.raises(Unavailable):
        next(found)


# ------------------------------------------------------------------ writing without a condition


@pytest.mark.parametrize("step", [BROKEN, BROKEN_AFTER, LOST, LOST_AFTER, BUSY])
def test_an_unconditional_write_is_repeated(server: ScriptedS3, store: S3Store, step: Step) -> None:
    server.script.extend([step] * 3)
    store.put("a", b"x")
    assert server.objects["a"][0] == b"x"
    server.script.extend([step] * 3)
    store.delete("a")
    assert server.objects == {}
    server.script.extend([BROKEN] * 4)
    with pytest.raises(Unavailable, match="a: the store answered 500 InternalError"):
        store.put("a", b"x")


def test_no_room_is_storage_full(server: ScriptedS3, store: S3Store) -> None:
    for step in (Step(507, "InsufficientStorage"), Step(403, "QuotaExceeded")):
        for call in (lambda: store.put("a", b"x"), lambda: store.put_new("a", b"x")):
            server.script.append(step)
            with pytest.raises(StorageFull, match="no space left to write a"):
                call()
    assert server.objects == {}


# ------------------------------------------------------------------ create-only


@pytest.mark.parametrize("step", [BROKEN_AFTER, LOST_AFTER, Step(applied=True, twice=True), Step(409, "X", True)])
def test_a_created_object_is_known_as_ours(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """An error after the write, a lost answer, a repetition below us that met our own write: all are success."""
    server.script.append(step)
    store.put_new("a", b"ours")
    assert server.objects["a"][0] == b"ours"
    assert server.asked == ["PUT a", "GET a"]


def test_the_same_bytes_of_somebody_else_are_not_ours(server: ScriptedS3, store: S3Store) -> None:
    """The stamp tells them apart; where a store keeps no stamp, the same bytes are taken for ours."""
    server.objects["a"] = (b"ours", "another stamp")
    with pytest.raises(AlreadyExists):
        store.put_new("a", b"ours")
    server.objects["a"] = (b"ours", "")
    store.put_new("a", b"ours")
    with pytest.raises(AlreadyExists):
        store.put_new("a", b"mine")


def test_a_conflict_on_create_is_not_exists(server: ScriptedS3, store: S3Store, pauses: list[float]) -> None:
    """409 with nothing there: asked again after a pause. With something of somebody else's there: exists."""
    server.script.extend([CONFLICT, PLAIN, THROTTLED])
    server.script.extend([PLAIN, BUSY])
    store.put_new("a", b"ours")
    assert server.objects["a"][0] == b"ours"
    assert [call.split()[0] for call in server.asked] == ["PUT", "GET", "PUT", "GET", "PUT", "GET", "PUT"]
    assert len(pauses) == 3
    assert max(pauses) == pauses[1]
    server.script.append(CONFLICT)
    with pytest.raises(AlreadyExists, match="a exists already"):
        store.put_new("a", b"other")
    server.script.extend([CONFLICT, PLAIN] * 4)
    with pytest.raises(Unavailable, match="b: the store did not say whether it was written"):
        store.put_new("b", b"x")
    assert "b" not in server.objects


@pytest.mark.parametrize("step", [BROKEN, LOST])
def test_an_unanswered_create_that_left_nothing_is_unclear(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """It may still arrive: no success, no AlreadyExists, and no second attempt."""
    server.script.append(step)
    with pytest.raises(Unavailable, match="did not say whether"):
        store.put_new("a", b"x")
    assert server.asked == ["PUT a", "GET a"]


def test_an_unanswered_create_that_met_another_is_unclear(server: ScriptedS3, store: S3Store) -> None:
    """Ours may have been there and been replaced since."""
    server.objects["a"] = (b"theirs", "")
    server.script.append(LOST)
    with pytest.raises(Unavailable, match="did not say whether"):
        store.put_new("a", b"ours")


# ------------------------------------------------------------------ compare-and-swap


@pytest.mark.parametrize("step", [BROKEN_AFTER, LOST_AFTER, Step(applied=True, twice=True), Step(409, "X", True)])
def test_a_swap_is_known_as_ours(server: ScriptedS3, store: S3Store, step: Step) -> None:
    store.put("head", b"one")
    tag = store.get("head").tag
    server.script.append(step)
    store.put_if("head", b"two", tag)
    assert server.objects["head"][0] == b"two"


def test_a_refused_swap_has_lost(server: ScriptedS3, store: S3Store) -> None:
    """412 with another's object there, 404 with none, 409 with a newer one: PreconditionFailed, nothing written."""
    store.put("head", b"one")
    tag = store.get("head").tag
    store.put("head", b"newer")
    for script in ([], [CONFLICT]):
        server.script.extend(script)
        with pytest.raises(PreconditionFailed, match="head has changed"):
            store.put_if("head", b"two", tag)
    with pytest.raises(PreconditionFailed):
        store.put_if("absent", b"two", tag)
    assert server.objects["head"][0] == b"newer"
    assert "absent" not in server.objects


@pytest.mark.parametrize("step", [BROKEN, LOST])
def test_an_unanswered_swap_is_unclear_unless_it_is_there(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """Not repeated, not lost, not won: the old object may still be replaced, a newer one may have replaced ours."""
    store.put("head", b"one")
    tag = store.get("head").tag
    server.asked.clear()
    server.script.append(step)
    with pytest.raises(Unavailable, match="did not say whether"):
        store.put_if("head", b"two", tag)
    assert server.asked == ["PUT head", "GET head"]
    store.put("head", b"newer")
    server.script.append(step)
    with pytest.raises(Unavailable, match="did not say whether"):
        store.put_if("head", b"two", tag)


def test_a_store_that_cannot_be_asked_afterwards_is_unavailable(server: ScriptedS3, store: S3Store) -> None:
    """A refusal alone is not believed: it may have been our own write that was met."""
    server.objects["head"] = (b"one", "")
    server.script.extend([STALE, BROKEN, BROKEN, BROKEN, BROKEN])
    with pytest.raises(Unavailable, match="cannot be asked"):
        store.put_if("head", b"two", "0123")


def test_tags_without_quotes_are_learned_once(server: ScriptedS3, store: S3Store) -> None:
    """A store that wants If-Match without quotes is found out on an object of its own, and served so from then on."""
    server.quotes = False
    store.put("head", b"0")
    store.put_if("head", b"1", store.get("head").tag)
    assert list(server.objects) == ["head"]
    server.asked.clear()
    for number in range(2, 5):
        store.put_if("head", b"%d" % number, store.get("head").tag)
    assert server.objects["head"][0] == b"4"
    assert server.asked == ["GET head", "PUT head"] * 3
    with pytest.raises(PreconditionFailed):
        store.put_if("head", b"9", "0123")


@pytest.mark.parametrize("tag", ["", "*", '"', 'a", "b', "a b", "é"])
def test_a_tag_that_could_mean_another_is_never_sent(server: ScriptedS3, store: S3Store, tag: str) -> None:
    server.objects["head"] = (b"one", "")
    with pytest.raises(PreconditionFailed):
        store.put_if("head", b"two", tag)
    assert server.asked == []


def test_a_conditional_delete_needs_the_tag(server: ScriptedS3, store: S3Store) -> None:
    """Deleted, refused, not known to the store; or the port's error, without the signed address in it."""
    store.put("a/b", b"x")
    assert store.delete_if("a/b", "0123") is False
    assert "a/b" in server.objects
    server.script.append(Step(501, "NotImplemented"))
    assert store.delete_if("a/b", "0123") is None
    for step, words in ((LOST, "no answer"), (BROKEN, "answered 500")):
        server.script.append(step)
        with pytest.raises(Unavailable, match=words) as caught:
            store.delete_if("a/b", "0123")
        assert "Signature" not in "".join(traceback.format_exception(caught.value))
    assert store.delete_if("a/b", store.get("a/b").tag) is True
    assert server.objects == {}
    unsigned = S3Store(replace(server.place, unsigned=True, access_key_id="", secret_access_key="", session_token=""))
    unsigned.put("a", b"x")
    assert unsigned.get("a").data == b"x"


# ------------------------------------------------------------------ no answer at all, and secrets


def test_a_store_that_is_not_there_says_so(server: ScriptedS3) -> None:
    """Every call is Unavailable and says what is wrong with the connection."""
    gone = S3Store(replace(server.place, endpoint="http://127.0.0.1:9"), lambda _: None)
    with pytest.raises(Unavailable, match="a: the store gave no answer: it cannot be reached"):
        gone.get("a")
    with pytest.raises(Unavailable, match="cannot be reached"):
        gone.put_new("a", b"x")
    with pytest.raises(Unavailable, match="cannot be reached"):
        list(gone.list(""))
    nowhere = S3Store(replace(server.place, endpoint="http://no-such-host.invalid"), lambda _: None)
    with pytest.raises(Unavailable, match="no answer"):
        nowhere.get("a")


def test_a_store_that_never_answers_is_given_up(server: ScriptedS3) -> None:
    store = S3Store(replace(server.place, timeout=0.2), lambda _: None)
    with server.lock, pytest.raises(Unavailable, match="it did not answer in time"):
        store.get("a")


@pytest.mark.parametrize("step", [Step(403, "InvalidAccessKeyId"), BROKEN, LOST, Step(404, "NoSuchBucket"), STALE])
def test_no_secret_leaves_the_adapter(server: ScriptedS3, store: S3Store, step: Step) -> None:
    """Not in messages, hints, details, chained exceptions or representations; the server's answer quotes a key."""
    calls: list[Callable[[], object]] = [
        lambda: store.get("a"),
        lambda: store.put_if("a", b"x", "0123"),
        lambda: list(store.list("")),
    ]
    told = repr(store) + repr(store.place) + str(store) + repr(vars(store)) + store.place.address
    for call in calls:
        server.script.clear()
        server.script.extend([step] * 8)
        with pytest.raises(MicError) as caught:
            call()
        told += "".join(traceback.format_exception(caught.value)) + repr(caught.value.details) + caught.value.hint
    for secret in ("AKIA-TEST-KEY", "very-secret", "token-secret", "Signature"):
        assert secret not in told


def test_variables_of_other_tools_do_not_change_where_we_go(
    server: ScriptedS3, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {
        "AWS_ENDPOINT": "http://127.0.0.1:9",
        "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
        "AWS_BUCKET": "other",
        "AWS_SKIP_SIGNATURE": "true",
        "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
        "AWS_CONDITIONAL_PUT": "disabled",
    }.items():
        monkeypatch.setenv(name, value)
    store = S3Store(server.place)
    store.put_new("a", b"x")
    store.put_if("a", b"y", store.get("a").tag)
    assert server.objects["a"][0] == b"y"


@given(st.text(), st.integers(0, 999))
def test_any_answer_can_be_read(text: str, status: int) -> None:
    """Whatever a server writes, it is a status, a code or silence, and becomes one of the port's errors."""
    for said in (text, f"Server returned non-2xx status code: {status} : {text}", f"<Code>{text}</Code>"):
        answer = read_answer(OSError(said))
        assert isinstance(answer.error("k"), NotFound | Unavailable)
        assert answer.words


def test_a_status_in_the_body_is_not_the_status() -> None:
    """What the server writes behind its status cannot pass for another."""
    answer = read_answer(OSError("status code: 500 Internal: <Code>InternalError</Code> status code: 404 NoSuchKey"))
    assert (answer.status, answer.code) == (500, "InternalError")


def test_a_prefix_keeps_objects_apart(server: ScriptedS3) -> None:
    """Two stores in one bucket see only what is below their own prefix, under keys without it."""
    one: ObjectStore = S3Store(replace(server.place, prefix="forges/one"))
    two: ObjectStore = S3Store(replace(server.place, prefix="forges/two"))
    one.put("a/b", b"1")
    two.put("a/c", b"2")
    assert sorted(server.objects) == ["forges/one/a/b", "forges/two/a/c"]
    assert [item.key for item in one.list("")] == ["a/b"]
    assert [item.key for item in two.list("a/", "a/b")] == ["a/c"]
    with pytest.raises(NotFound, match="^a/c does not exist"):
        one.get("a/c")
