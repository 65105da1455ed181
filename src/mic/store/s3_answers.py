"""What an S3 store says instead of yes, read out of the client library's exceptions and said as the port's errors.

The library tells apart less than we need: it takes a 409 on create for "exists", and a missing bucket for a missing
object. Its messages quote the answer, so status and error code are read from there. They also quote addresses and
whole documents, among them access key ids: neither message nor exception is passed on.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from obstore.exceptions import BaseError

from mic.core.errors import MicError, NotFound, StorageFull, Unavailable

# Everything that the library raises for an answer or for the lack of one.
ERRORS = (BaseError, OSError, ValueError)

# The first match is the library's own words: before them it quotes only our key and address.
_STATUS = re.compile(r"status code: ([1-5][0-9]{2})\b")
_CODE = re.compile(r"<Code>([A-Za-z0-9]{1,64})</Code>")
_LATE = "it did not answer in time"
# What the library calls a failed connection, and what we say. Order counts: the first that is met.
_SILENCE = (
    ("dns error", "its name cannot be resolved"),
    ("certificate", "its certificate is not trusted"),
    ("kind: Connect", "it cannot be reached"),
    ("kind: Timeout", _LATE),
    ("timed out", _LATE),
    ("body", "the answer was cut off"),
)
_FULL = frozenset({"QuotaExceeded", "InsufficientStorage", "XMinioStorageFull", "XMinioAdminBucketQuotaExceeded"})
_HINTS = {
    "NoSuchBucket": "make the bucket, or correct S3_BUCKET and S3_ENDPOINT_URL",
    "AccessDenied": "allow these keys to list, read, write and delete in the bucket",
    "InvalidAccessKeyId": "correct S3_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "correct S3_SECRET_ACCESS_KEY and S3_REGION",
    "ExpiredToken": "give a new S3_SESSION_TOKEN",
    "RequestTimeTooSkewed": "set the clock of this machine",
    "PermanentRedirect": "correct S3_REGION: the bucket is in another one",
    "AuthorizationHeaderMalformed": "correct S3_REGION: the bucket is in another one",
}


class Answer(NamedTuple):
    """`status` is 0 when there was none, and `silence` says why; `code` is S3's own word, "" when it gave none."""

    status: int
    code: str
    silence: str

    @property
    def passing(self) -> bool:
        """Asking again may help: no answer, too busy, or a fault of the store's own."""
        return self.status in (0, 408, 409, 429) or (self.status >= 500 and self.status not in (501, 507))

    @property
    def late(self) -> bool:
        """It was waited for as long as anybody should; asking again would take as long."""
        return not self.status and self.silence == _LATE

    @property
    def not_done(self) -> bool:
        """It says that it did nothing and wants to be asked again: a conflict under way, or too many requests."""
        return self.status in (409, 429, 503)

    @property
    def refused(self) -> bool:
        """It says that it will not do this at all, whatever the object holds: rights, bucket, method, room."""
        return not self.passing and self.status not in (304, 412) and self.code != "NoSuchKey"

    @property
    def words(self) -> str:
        """What the store did, for a message."""
        if not self.status:
            return f"the store gave no answer: {self.silence}"
        return f"the store answered {self.status} {self.code}".rstrip()

    def error(self, key: str) -> MicError:
        """As the port's error. Only a plain "no such key" is NotFound; everything unknown is Unavailable."""
        if self.status == 404 and self.code == "NoSuchKey":
            return NotFound(f"{key} does not exist")
        if self.status == 507 or self.code in _FULL:
            return StorageFull(f"no space left to write {key}", hint="make room in the bucket; nothing was changed")
        hint = _HINTS.get(self.code, "try again; if it lasts, look at the store and its settings (S3_...)")
        return Unavailable(f"{key}: {self.words}", hint=hint, status=self.status, store_code=self.code)


def read_answer(error: Exception) -> Answer:
    """What the store said, from what the library raised."""
    text = str(error)
    status = _STATUS.search(text)
    if status is not None:
        code = _CODE.search(text)
        return Answer(int(status[1]), code[1] if code else "", "")
    if "redirect without LOCATION" in text:
        return Answer(301, "PermanentRedirect", "")
    return Answer(0, "", next((words for sign, words in _SILENCE if sign in text), "the connection failed"))
