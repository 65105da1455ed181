"""What goes in and out: the bases of all bodies, and the kinds of values that many of them hold."""

from __future__ import annotations

import base64
import re
from typing import Annotated, Any, ClassVar, Generic, TypeVar
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, JsonValue

from micelio.api.limits import LONGEST_LIST

T = TypeVar("T")
# Signed 64 bits, which is what the database counts in.
LAST_POSITION = (1 << 63) - 1
_DIGITS = re.compile(r"[0-9]{1,19}\Z")


class Sent(BaseModel):
    """A body that comes in: nothing unknown, and nothing of another type than it says."""

    model_config = ConfigDict(extra="forbid", strict=True)

    def given(self) -> dict[str, Any]:
        """Only what was sent; what was left out stays as it is."""
        return self.model_dump(exclude_unset=True)


class Asked(BaseModel):
    """What stands behind the question mark."""

    model_config = ConfigDict(frozen=True)


class Told(BaseModel):
    """A body that goes out. `changeable` names what a PATCH of it may change, for its ETag."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    changeable: ClassVar[tuple[str, ...]] = ()


class Page(Told, Generic[T]):
    """One page of a list."""

    items: list[T]
    next: str | None = Field(description="The `cursor` of the next page; null on the last one.")


def _whole(value: Any) -> Any:
    """A number in an address is digits and nothing else: `1.0`, ` 1` and `1_0` are no numbers here."""
    if isinstance(value, str) and not _DIGITS.match(value):
        raise ValueError("must be a whole number in digits")
    return value


def _yes_or_no(value: Any) -> Any:
    if isinstance(value, str) and value not in ("true", "false"):
        raise ValueError("must be true or false")
    return value


Whole = BeforeValidator(_whole)
Flag = Annotated[bool, BeforeValidator(_yes_or_no)]
# What bounds a number stands before what reads it: then the description says it too.
Position = Annotated[int, Field(ge=0, le=LAST_POSITION), Whole]
Limit = Annotated[
    int, Field(ge=1, le=LONGEST_LIST, description=f"How many at most, 1 to {LONGEST_LIST}.", examples=[50]), Whole
]
Cursor = Annotated[str, Field(description="`next` of the page before; leave it out for the first page.")]


# Told to whoever reads the description; the actions themselves judge, with a better sentence.
HANDLE: dict[str, JsonValue] = {"pattern": "^[A-Za-z0-9][A-Za-z0-9-]{0,38}$"}
PROJECT_HANDLE: dict[str, JsonValue] = {"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"}
ULID: dict[str, JsonValue] = {"pattern": "^[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}$"}
WORDS: dict[str, JsonValue] = {"minLength": 1, "pattern": "\\S"}
SessionId = Annotated[
    str, Field(description="A ULID.", examples=["01J8Z3T5ZK9Q0V7XH2M4N6P8RS"], json_schema_extra=ULID)
]
OwnSessionId = Annotated[str, Field(json_schema_extra=ULID)]


class OnLine(Asked):
    """On which line of the project."""

    branch: Annotated[str, Field(description="A branch; left out: main.", examples=["main"])] = ""

    @property
    def query(self) -> str:
        """What leads back to it, behind an address."""
        return f"?{urlencode({'branch': self.branch})}" if self.branch else ""


class AskedPage(Asked):
    """Which page of a list, and how long."""

    limit: Limit = 50
    cursor: Cursor = ""


def _base64(value: str) -> str:
    try:
        base64.b64decode(value, validate=True)
    except ValueError as error:
        raise ValueError("must be base64") from error
    return value


Base64 = Annotated[str, AfterValidator(_base64), Field(json_schema_extra={"contentEncoding": "base64"})]


def path_fields(path: bytes) -> dict[str, str | None]:
    """A path of a tree: `path`, and `path_bytes` in base64 when it is not valid UTF-8."""
    try:
        return {"path": path.decode(), "path_bytes": None}
    except UnicodeDecodeError:
        return {"path": path.decode("utf-8", "replace"), "path_bytes": base64.b64encode(path).decode()}


PathBytes = Annotated[
    str | None, Field(description="The path in base64, when it is not valid UTF-8 and `path` only resembles it.")
]
