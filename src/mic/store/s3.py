"""A store in an S3 bucket, at Amazon or wherever S3 is spoken.

A conditional write is asked once, never repeated below us: a repetition that nobody sees turns our own success into
"somebody was faster". Every answer but yes is settled by reading the object back. Each conditional write carries a
stamp of its own in the object's metadata, so that a write is known again even among equal bytes.

Who is in a hurry (`patience.hurried`) asks less often, waits less long, and not at all after a silence.
"""

from __future__ import annotations

import random
import re
import secrets
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, TypeVar
from urllib.parse import urlsplit

import obstore
from obstore.store import S3Store as Client

from mic.core.errors import AlreadyExists, MicError, NotFound, PreconditionFailed, Unavailable
from mic.store.patience import HURRIED_SECONDS, Reach, in_a_hurry
from mic.store.port import MAX_TAGGED, Listed, Tagged, check_key
from mic.store.s3_answers import ERRORS, Answer, read_answer
from mic.store.s3_place import S3Place

if TYPE_CHECKING:
    from obstore import GetResult, PutMode
    from obstore.store import ClientConfig, S3Config, S3Credential

T = TypeVar("T")

# Asked this often: reads and writes without a condition; writes with one, and these only when the store has said
# that it did nothing. Pauses are jittered around 0.1, 0.2, 0.4 s; after "too many requests" eight times that.
_TIMES = 4
_PAUSE = 0.1
_THROTTLED = 8.0
_CONNECT_SECONDS = 5.0
# In a hurry: a second time after what passes quickly, such as a connection that was closed; not after silence.
_HURRIED_TIMES = 2
_HURRIED_CONNECT_SECONDS = 1.0
# What is sent in parts: each of 8 MiB, more where there were more than S3's 10,000 of them; so many are in memory.
_PART, _MOST_PARTS, _PARTS_AT_ONCE = 8 << 20, 9_000, 3
# S3's own size of a page.
_PAGE = 1000
_STAMP = "mic-write"
# Tags that can stand in If-Match with or without quotes and mean themselves; `*` would mean "any".
_TAG = re.compile(r"[A-Za-z0-9._~+/=:-]{1,256}")


class _Found(NamedTuple):
    data: bytes
    tag: str
    stamp: str


class S3Store:
    """Objects of `place`. `pause` is called with seconds between two attempts."""

    def __init__(self, place: S3Place, pause: Callable[[float], None] = time.sleep) -> None:
        self.place = place
        self._client = _client(place)
        self._quick = _client(place, quick=True)
        self._reach = Reach()
        self._pause = pause
        # Whether If-Match wants the tag in quotes, as HTTP has it. Ceph before 17 knows it only without.
        self._quoted = True

    def __repr__(self) -> str:
        return f"S3Store({self.place.address})"

    # ------------------------------------------------------------ reading

    def get(self, key: str) -> Tagged:
        found = self._get(check_key(key))
        return Tagged(found.data, found.tag if len(found.data) <= MAX_TAGGED else "")

    def get_range(self, key: str, start: int, length: int) -> bytes:
        check_key(key)
        try:
            # A range of nothing cannot be asked for; one byte tells whether there is an object.
            found = self._repeated(
                key, lambda client: obstore.get_range(client, key, start=start, length=max(length, 1)).to_bytes()
            )
        except Unavailable as error:
            if error.details.get("status") != 416:
                raise
            return b""  # the object ends before `start`
        return found[:length]

    def list(self, prefix: str, start_after: str = "") -> Iterator[Listed]:
        if prefix:
            check_key(prefix.rstrip("/"))
        last = start_after
        failures = 0
        client, times = self._asked_by(prefix)
        while True:
            try:
                for page in obstore.list(client, prefix or None, offset=_offset(last), chunk_size=_PAGE):
                    failures = 0
                    self._reach.heard(True)
                    for item in page:
                        key = item["path"]
                        if key <= start_after:
                            continue
                        if key <= last and last != start_after:
                            raise Unavailable(
                                f"{prefix}: the store lists {key} behind {last}",
                                hint="a store without sorted lists cannot hold projects",
                            )
                        last = key
                        yield Listed(key, item["size"])
                self._reach.heard(True)
                return
            except ERRORS as error:
                answer = read_answer(error)
            failures += 1
            if not answer.passing or failures >= times or (answer.late and in_a_hurry()):
                self._reach.heard(answer.status != 0)
                raise answer.error(prefix or self.place.bucket)
            self._wait(failures, answer)

    # ------------------------------------------------------------ writing

    def put(self, key: str, data: bytes) -> None:
        check_key(key)
        self._repeated(key, lambda client: obstore.put(client, key, data, use_multipart=False))

    def put_file(self, key: str, file: BinaryIO) -> None:
        """In parts where it is larger than one. What a failed one leaves behind is for the bucket's lifecycle rule."""
        check_key(key)
        size = file.seek(0, 2)
        part = max(_PART, -(-size // _MOST_PARTS))

        def send(client: Client) -> None:
            file.seek(0)
            obstore.put(client, key, file, use_multipart=size > part, chunk_size=part, max_concurrency=_PARTS_AT_ONCE)

        self._repeated(key, send)

    def put_new(self, key: str, data: bytes) -> None:
        self._settled(check_key(key), data, None)

    def put_if(self, key: str, data: bytes, tag: str) -> str:
        if not _TAG.fullmatch(tag):
            check_key(key)
            raise PreconditionFailed(f"{key} has changed")
        return self._settled(check_key(key), data, tag)

    def delete(self, key: str) -> None:
        check_key(key)
        try:
            self._repeated(key, lambda client: obstore.delete(client, key))
        except NotFound:
            return

    def delete_if(self, key: str, tag: str) -> bool | None:
        """Delete the object if it has this tag: True deleted, False refused, None when the store knows no such thing.

        Not part of the port: not every store has it. The library does not either, so the request is signed by it and
        sent by us, once.
        """
        try:
            url = urlsplit(obstore.sign(self._client, "DELETE", check_key(key), timedelta(minutes=1)))
        except ERRORS:
            return None  # unsigned stores cannot be asked in this way
        kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        connection = kind(url.netloc, timeout=self.place.timeout)
        try:
            # Conditions need not be signed: only the host and Amazon's own headers are.
            wanted = f'"{tag}"' if self._quoted else tag
            connection.request("DELETE", f"{url.path}?{url.query}", headers={"If-Match": wanted})
            status = connection.getresponse().status
        except (OSError, HTTPException):
            raise Unavailable(f"{key}: the store gave no answer to a conditional delete", hint="try again") from None
        finally:
            connection.close()
        if status in (400, 405, 501):
            return None
        if status in (404, 409, 412):
            return False
        if not 200 <= status < 300:
            raise Unavailable(f"{key}: the store answered {status} to a conditional delete", hint="try again")
        return True

    # ------------------------------------------------------------ conditional writes

    def _settled(self, key: str, data: bytes, tag: str | None) -> str:
        """Write when the object is absent (`tag` None) or has this tag; whatever the store says, the answer is true.

        Gives the new tag, "" when the store did not say it.

        Asking again is safe as long as a read shows that the condition still holds: of all attempts, late ones
        included, the condition lets one through, and the stamp tells whether it was one of ours.
        """
        stamp = secrets.token_hex(12)
        unclear = False
        answer = Answer(0, "", "it was not asked")
        for attempt in range(1, _TIMES + 1):
            said = self._attempt(key, data, tag, stamp)
            if isinstance(said, str):
                return said
            answer = said
            if answer.refused:
                raise answer.error(key)
            unclear = unclear or answer.status not in (404, 409, 412)
            found = self._read_back(key, answer)
            if found is not None and (found.stamp == stamp or (not found.stamp and found.data == data)):
                return found.tag
            holds = found is None if tag is None else found is not None and found.tag == tag
            if not holds:
                if unclear:
                    break  # ours may have been written and overtaken since
                raise (
                    AlreadyExists(f"{key} exists already") if tag is None else PreconditionFailed(f"{key} has changed")
                )
            if answer.status == 412:
                if tag is not None and not self._learn_quotes():
                    break
            elif not answer.not_done:
                break
            self._wait(attempt, answer)
        raise Unavailable(
            f"{key}: the store did not say whether it was written ({answer.words})",
            hint="read it again to learn what it holds",
            status=answer.status,
            store_code=answer.code,
        )

    def _attempt(self, key: str, data: bytes, tag: str | None, stamp: str) -> Answer | str:
        """One conditional write; the new tag when the store says yes."""
        mode: PutMode = "create" if tag is None else {"e_tag": f'"{tag}"' if self._quoted else tag}
        try:
            result = obstore.put(self._client, key, data, mode=mode, attributes={_STAMP: stamp}, use_multipart=False)
        except ERRORS as error:
            return read_answer(error)
        return _bare(result["e_tag"])

    def _read_back(self, key: str, answer: Answer) -> _Found | None:
        try:
            return self._get(key)
        except NotFound:
            return None
        except MicError as error:
            raise Unavailable(
                f"{key}: the store did not say whether it was written ({answer.words}), and cannot be asked",
                hint="read it again to learn what it holds",
                status=answer.status or error.details.get("status", 0),
            ) from None

    def _learn_quotes(self) -> bool:
        """After a refusal of a tag that is the object's own: does this store want tags without quotes?

        Found out on an object of its own, where a store that ignores the condition does no harm. True when the way
        of asking changed, or when quotes work after all and the refusal must have been a race.
        """
        key = f"doctor/{secrets.token_hex(8)}/quotes"
        self.put(key, b"one")
        tag = self._get(key).tag
        try:
            for quoted in (True, False):
                good, bad = (f'"{text}"' if quoted else text for text in (tag, "0" * 32))
                if self._takes(key, bad):
                    continue
                if self._takes(key, good):
                    self._quoted = quoted
                    return True
        finally:
            self.delete(key)
        return False

    def _takes(self, key: str, e_tag: str) -> bool:
        try:
            # The same bytes, so that a store with tags made of the content keeps its tag.
            obstore.put(self._client, key, b"one", mode={"e_tag": e_tag}, use_multipart=False)
        except ERRORS:
            return False
        return True

    # ------------------------------------------------------------ asking

    def _get(self, key: str) -> _Found:
        return self._repeated(key, lambda client: _whole(obstore.get(client, key)))

    def _asked_by(self, key: str) -> tuple[Client, int]:
        """The client for who asks, and how often it may. Raises Unavailable for who need not even try."""
        if not in_a_hurry():
            return self._client, _TIMES
        if not self._reach.may_ask():
            raise Unavailable(f"{key}: the store gave no answer a moment ago", hint="try again in some seconds")
        return self._quick, _HURRIED_TIMES

    def _repeated(self, key: str, ask: Callable[[Client], T]) -> T:
        """The answer to something that may be asked any number of times."""
        client, times = self._asked_by(key)
        for attempt in range(1, times + 1):
            try:
                found = ask(client)
            except ERRORS as error:
                answer = read_answer(error)
            else:
                self._reach.heard(True)
                return found
            if not answer.passing or (answer.late and client is self._quick):
                break
            if attempt < times:
                self._wait(attempt, answer)
        self._reach.heard(answer.status != 0)
        raise answer.error(key)

    def _wait(self, attempt: int, answer: Answer) -> None:
        seconds = _PAUSE * 2 ** (attempt - 1) * random.uniform(0.5, 1.5)  # noqa: S311 - jitter, no secret
        self._pause(seconds * (_THROTTLED if answer.status == 429 else 1.0))


def _client(place: S3Place, *, quick: bool = False) -> Client:
    """Everything is said here: variables of Amazon's own tools change nothing but where credentials come from.

    A quick one gives up when no byte comes for a while; what is long and comes takes the time it takes.
    """
    host = place.endpoint or f"https://s3.{place.region}.amazonaws.com"
    if place.virtual_host:
        scheme, _, name = host.partition("://")
        host = f"{scheme}://{place.bucket}.{name}"
    settings: S3Config = {
        "bucket": place.bucket,
        "region": place.region,
        "endpoint": host,
        "aws_endpoint_url_s3": host,  # its variable would win over "endpoint"
        "virtual_hosted_style_request": place.virtual_host,
        "skip_signature": place.unsigned,
        "conditional_put": "etag",
        # One DELETE an object: not every store knows the form for many.
        "disable_bulk_delete": True,
        "s3_express": False,
    }
    options: ClientConfig = {
        "allow_http": host.startswith("http://"),
        "timeout": timedelta(seconds=place.timeout),
        "connect_timeout": timedelta(
            seconds=min(_HURRIED_CONNECT_SECONDS if quick else _CONNECT_SECONDS, place.timeout)
        ),
        "user_agent": "micelio",
    }
    if quick:
        options["read_timeout"] = timedelta(seconds=min(HURRIED_SECONDS, place.timeout))
    key: S3Credential = {
        "access_key_id": place.access_key_id,
        "secret_access_key": place.secret_access_key,
        "token": place.session_token or None,
        "expires_at": None,
    }
    return Client(
        config=settings,
        client_options=options,
        retry_config={"max_retries": 0},
        credential_provider=(lambda: key) if place.access_key_id else None,
        prefix=place.prefix or None,
    )


def _whole(result: GetResult) -> _Found:
    data = result.bytes().to_bytes()
    if len(data) != result.meta["size"]:
        raise ValueError("the body is shorter than the answer says")
    return _Found(data, _bare(result.meta["e_tag"]), result.attributes.get(_STAMP, ""))


def _bare(tag: str | None) -> str:
    """A tag as `put_if` wants it, "" for none."""
    return (tag or "").removeprefix("W/").strip('"')


def _offset(start_after: str) -> str | None:
    """A start that the library takes: it wants no slash at the end, and what comes too early is left out here."""
    return start_after.rstrip("/") or None
