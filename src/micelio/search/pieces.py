"""Pieces of three characters, and the two shelves that they stand on: one interface over SQLite and PostgreSQL.

SQLite keeps them in two FTS5 tables that triggers fill, PostgreSQL in a column of numbers with two partial GIN indexes.
Either answers the same question: which documents hold all of these pieces? Whether the text is really in there, and
what of it is shown, is for whoever asks to see (`matching`).

Two shelves, because the time that a question takes grows with what stands on the shelf: whoever reads public projects
only is answered from their shelf, and learns nothing of the other one.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence

from django.db import connection
from django.db.models.expressions import RawSQL

from micelio.search.models import Document

LENGTH = 3


def pieces_of(text: str) -> set[str]:
    """Every run of three characters within a line, in lower case."""
    lower = text.lower()
    found = set(map("".join, zip(lower, lower[1:], lower[2:], strict=False)))
    return {piece for piece in found if "\n" not in piece}


def number_of(piece: str) -> int:
    """A piece as a signed number of 32 bits; ASCII is told apart, the rest mostly."""
    a, b, c = (ord(letter) for letter in piece)
    if a < 128 and b < 128 and c < 128:
        return a << 14 | b << 7 | c
    return (zlib.crc32(piece.encode("utf-8", "surrogatepass")) | 1 << 31) - (1 << 32)


def words_pieces(words: Iterable[str]) -> set[str]:
    """The pieces that a text has which holds all the words; those of less than three characters have none."""
    return {piece for word in words for piece in pieces_of(word)}


def add(rows: Sequence[Document]) -> None:
    """Write new rows with their pieces, inside the caller's transaction."""
    if connection.vendor != "postgresql":
        Document.objects.bulk_create(rows)
        return
    made = Document.objects.bulk_create(rows)
    numbers = [(sorted(map(number_of, pieces_of(f"{row.name}\n{row.text}"))), row.id) for row in made]
    with connection.cursor() as cursor:
        cursor.executemany("UPDATE search_document SET grams = %s::integer[] WHERE id = %s", numbers)


def holding(pieces: set[str], *, both_shelves: bool) -> RawSQL:
    """A part of a query: the ids of documents with all of the pieces, of public projects or of all."""
    shelves = (True, False) if both_shelves else (True,)
    if connection.vendor == "postgresql":
        numbers = sorted({number_of(piece) for piece in pieces})
        parts = [
            f"SELECT id FROM search_document WHERE {'' if shelf else 'NOT '}open AND grams @> %s::integer[]"  # noqa: S608
            for shelf in shelves
        ]
        return RawSQL(" UNION ALL ".join(parts), [numbers] * len(parts))  # noqa: S611  # our own words; values are bound
    match = " AND ".join('"{}"'.format(piece.replace('"', '""')) for piece in sorted(pieces))
    tables = ["search_open" if shelf else "search_closed" for shelf in shelves]
    parts = [f"SELECT rowid FROM {table} WHERE {table} MATCH %s" for table in tables]  # noqa: S608
    return RawSQL(" UNION ALL ".join(parts), [match] * len(parts))  # noqa: S611
