"""A transcript from its bytes: line by line, whichever of the forms they have."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from mic.core.errors import InvalidInput, TooLarge
from mic.core.transcript.claude_code import ClaudeCode
from mic.core.transcript.codex import Codex
from mic.core.transcript.turns import MAX_DAMAGED, MAX_TURNS, Damage, Transcript

# A day of work with pictures in it has some 50 MB.
MAX_BYTES = 256 << 20
# Lines that may stand before the first that tells the form.
_LOOK = 200
# The year 9999; nothing of ours goes further (Unix milliseconds).
_LATEST = 253_402_300_799_000

# What some programs write before UTF-8.
_MARK = b"\xef\xbb\xbf"

_decoder = msgspec.json.Decoder()


def read_transcript(data: bytes) -> Transcript:
    """A transcript of Claude Code or Codex.

    A line that is no JSON object is named in `damaged` and read over, the last one without a word when the file was
    still being written. Raises InvalidInput when no line is of a form that is known, TooLarge.
    """
    if len(data) > MAX_BYTES:
        raise TooLarge(f"A transcript of {len(data):,} bytes; the limit is {MAX_BYTES:,}.")
    reader = _reader(data)
    found = reader.transcript
    for number, value in _lines(data, found):
        try:
            reader.line(value, time_of(value.get("timestamp")))
        except (TypeError, ValueError, AttributeError, KeyError, IndexError) as error:  # a form that changed
            _damage(found, number, f"it has another form than it had ({type(error).__name__})")
        if len(found.turns) > MAX_TURNS:
            raise TooLarge(
                f"The transcript has more than {MAX_TURNS:,} turns.",
                hint="Attach it in parts, such as `split -l 10000` makes.",
            )
    reader.end()
    return found


def _reader(data: bytes) -> ClaudeCode | Codex:
    for at, (_, value) in enumerate(_lines(data, Transcript(""))):
        if Codex.knows(value):
            return Codex()
        if ClaudeCode.knows(value):
            return ClaudeCode()
        if at >= _LOOK:
            break
    raise InvalidInput(
        "This is no transcript of Claude Code or Codex.",
        hint="Claude Code keeps them in ~/.claude/projects, Codex in ~/.codex/sessions, both as .jsonl files.",
    )


def _lines(data: bytes, found: Transcript) -> Iterator[tuple[int, dict[str, Any]]]:
    at, number = len(_MARK) if data.startswith(_MARK) else 0, 0
    while at < len(data):
        end = data.find(b"\n", at)
        line = data[at : end if end >= 0 else len(data)].strip()
        number += 1
        at = end + 1 if end >= 0 else len(data)
        if not line:
            continue
        found.lines += 1
        try:
            value = _decoder.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            unfinished = end < 0
            _damage(found, number, "it was not written to its end" if unfinished else _why(line, error))
            continue
        if not isinstance(value, dict):
            _damage(found, number, "it is no object")
            continue
        yield number, value


def _damage(found: Transcript, number: int, why: str) -> None:
    found.damaged_count += 1
    if len(found.damaged) < MAX_DAMAGED:
        found.damaged.append(Damage(number, why))


def _why(line: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return "it is not UTF-8"
    words = str(error).partition(" - at ")[0]  # behind that, msgspec says where, without names
    return "".join(char if char.isprintable() else "?" for char in words)[:200]


def time_of(value: object) -> int:
    """Unix milliseconds of a time as RFC 3339 has it, or of seconds or milliseconds as a number; 0 for what is none."""
    if isinstance(value, bool):
        return 0
    if isinstance(value, int | float):
        number = value if value > 1e11 else value * 1000
        return int(number) if 0 < number <= _LATEST else 0
    if not isinstance(value, str) or len(value) > 40:
        return 0
    try:
        moment = datetime.fromisoformat(value)
        ms = int(moment.timestamp() * 1000) if moment.tzinfo is not None else 0
    except (ValueError, OverflowError):
        return 0
    return ms if 0 < ms <= _LATEST else 0
