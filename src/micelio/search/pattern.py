"""Regular expressions that cannot be made to explode: RE2's, searched for in texts that hold what each match has."""

from __future__ import annotations

import re._constants as op  # type: ignore[import-not-found]  # Python's own reader of expressions, which has no types
import re._parser as parser  # type: ignore[import-not-found]
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import re2

from mic.core.errors import InvalidInput
from micelio.search.pieces import LENGTH

# Characters of an expression, and bytes that RE2 may take for it: `(x{1000}){1000}` is refused, not compiled.
LONGEST = 200
MEMORY = 4 << 20


@dataclass(frozen=True, slots=True)
class Pattern:
    """An expression that is compiled, and plain runs of characters that everything it matches has."""

    source: str
    compiled: Any
    literals: tuple[str, ...]


def parse_pattern(source: str) -> Pattern:
    """Upper and lower case are the same to it; `^` and `$` are those of a line. Raises InvalidInput."""
    source = source.replace("\\/", "/")
    if len(source) > LONGEST:
        raise InvalidInput(f"An expression has at most {LONGEST} characters.", hint="Look for a part of it.")
    options = re2.Options()
    options.max_mem = MEMORY
    options.log_errors = False
    options.case_sensitive = False
    try:
        compiled = re2.compile(f"(?m){source}", options)
    except re2.error as error:
        why = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        raise InvalidInput(
            f"`/{source[:60]}/` cannot be searched for: {why[:120]}.",
            hint="Expressions are RE2's: no references back, no looking around, nothing that takes too much memory.",
        ) from error
    literals = _literals(source)
    if not literals:
        raise InvalidInput(
            f"`/{source[:60]}/` matches too much: all that it finds needs {LENGTH} plain characters in a row.",
            hint="Such as `def` in `/def \\w+_id/`.",
        )
    return Pattern(source, compiled, literals)


def _literals(source: str) -> tuple[str, ...]:
    """Runs of plain characters that every match has; () as well when Python reads it differently or not at all."""
    try:
        parsed = parser.parse(source)
    except (parser.error, RecursionError, OverflowError, FutureWarning):
        return ()
    runs: list[str] = []
    _collect(parsed, runs)
    return tuple(dict.fromkeys(run.lower() for run in runs if len(run) >= LENGTH))


def _collect(items: Iterable[tuple[Any, Any]], runs: list[str]) -> None:
    current: list[str] = []

    def end() -> None:
        runs.append("".join(current))
        current.clear()

    for kind, value in items:
        if kind is op.LITERAL and value != ord("\n"):
            current.append(chr(value))
            continue
        if kind is op.AT:
            # `^`, `$` and `\\b` match no character: what stands around them stands together.
            continue
        end()
        if kind is op.SUBPATTERN:
            _collect(value[3], runs)
        elif kind in (op.MAX_REPEAT, op.MIN_REPEAT) and value[0] > 0:
            _collect(value[2], runs)
    end()
