"""Taking in the body of a Git request: bounded in bytes, as sent and inflated, and in silence; kept in a file.

git compresses what it asks for, and sends a push in chunks whose number nobody knows before the end.
"""

from __future__ import annotations

import asyncio
import errno
import tempfile
import zlib
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO, cast

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from mic.core.errors import InvalidInput, MicError, StorageFull, TooLarge

# What is written at once: each write costs a change of threads.
_BATCH = 1 << 20
# A body is in memory up to here. What a fetch asks for mostly is; a push goes to a file as soon as it is longer.
_IN_MEMORY = 1 << 18
# A client that says nothing for so long, in seconds, has gone without a word. A slow one says something.
SILENCE = 60.0
_INFLATED_AT_ONCE = 1 << 20
# A body of so few bytes is put into memory where it comes in.
_HERE = 1 << 16

# Runs a blocking function in one of the door's threads.
Run = Callable[..., Awaitable[None]]


class Gone(Exception):
    """The client has gone, so nobody waits for an answer."""


class Silent(MicError):
    """The client sent nothing for too long."""

    code = "unavailable"


async def take_body(receive: Receive, headers: Headers, limit: int, folder: Path, run: Run) -> BinaryIO:
    """The body of a request, inflated, at its beginning; whoever gets it closes it.

    Raises TooLarge beyond `limit` bytes, InvalidInput for an encoding that is unknown or damaged, StorageFull, Silent,
    and Gone.
    """
    body = _Body(headers.get("content-encoding", "").strip().lower(), limit, folder)
    try:
        batch = bytearray()
        more = True
        while more:
            data, more = await _next_part(receive)
            batch += data
            if not more and len(batch) <= _HERE and body.is_plain:
                body.write(bytes(batch))  # into memory
                body.finish()
            elif not more:
                await run(body.write_last, bytes(batch))
            elif len(batch) >= _BATCH:
                await run(body.write, bytes(batch))
                batch.clear()
    except BaseException:
        body.file.close()
        raise
    return cast(BinaryIO, body.file)


async def begun(receive: Receive, headers: Headers, limit: int) -> Receive:
    """Wait until the body begins; what gives all of it, its beginning first.

    Raises Silent, and TooLarge for one that says that it is larger than `limit` bytes.
    """
    stated = headers.get("content-length", "")
    if stated.isdigit() and int(stated) > limit:
        raise _too_large(limit)
    message: Message | None = await _next_message(receive)

    async def replayed() -> Message:
        nonlocal message
        if message is None:
            return await receive()
        first, message = message, None
        return first

    return replayed


async def _next_message(receive: Receive) -> Message:
    try:
        return await asyncio.wait_for(receive(), SILENCE)
    except TimeoutError:
        raise Silent(f"The request stopped for {SILENCE:.0f} seconds in its middle.", hint="Send it again.") from None


async def _next_part(receive: Receive) -> tuple[bytes, bool]:
    message = await _next_message(receive)
    if message["type"] != "http.request":
        raise Gone
    return message.get("body", b""), message.get("more_body", False)


class _Body:
    """A body on its way into a file that has no name: a process that dies leaves nothing behind."""

    def __init__(self, encoding: str, limit: int, folder: Path) -> None:
        if encoding not in ("", "identity", "gzip", "x-gzip"):
            raise InvalidInput(f"The request is encoded as {encoding[:40]!r}.", hint="Use gzip, or no encoding.")
        # 31: a gzip header and trailer around the deflated bytes (zlib's manual, inflateInit2).
        self._inflate = zlib.decompressobj(31) if encoding.endswith("gzip") else None
        self._left = self._limit = limit
        self.file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY, mode="w+b", dir=str(folder))  # noqa: SIM115

    def write(self, data: bytes) -> None:
        """Take some more bytes as they were sent."""
        try:
            if self._inflate is None:
                self._put(data)
            else:
                self._put_inflated(self._inflate, data)
        except zlib.error as error:
            raise InvalidInput(f"The request is no gzip: {error}.", hint="Send it again.") from error
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                words = "There is no space left in the forge for what was sent."
                raise StorageFull(words, hint="Nothing was changed; tell whoever runs the forge.") from error
            raise

    @property
    def is_plain(self) -> bool:
        """Whether nothing was written yet, and nothing has to be inflated."""
        return self._inflate is None and self._left == self._limit

    def write_last(self, data: bytes) -> None:
        """Take the last bytes, and go to the beginning."""
        self.write(data)
        self.finish()

    def finish(self) -> None:
        """All has come; go to its beginning."""
        if self._inflate is not None and not self._inflate.eof:
            raise InvalidInput("The request ends within its gzip.", hint="Send it again.")
        self.file.seek(0)

    def _put_inflated(self, inflate: zlib._Decompress, data: bytes) -> None:
        while data:
            if inflate.eof:
                raise InvalidInput("The request goes on behind its gzip.", hint="Send it again.")
            self._put(inflate.decompress(data, _INFLATED_AT_ONCE))
            data = inflate.unconsumed_tail or inflate.unused_data

    def _put(self, data: bytes) -> None:
        if len(data) > self._left:
            raise _too_large(self._limit)
        self._left -= len(data)
        self.file.write(data)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The request is larger than {limit:,} bytes, which is the limit.", hint="Send it in parts.")
