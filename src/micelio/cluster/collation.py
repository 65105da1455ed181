"""Texts are compared by code point in PostgreSQL, as SQLite does.

A database usually sorts by the rules of a language: then `a-b` stands behind `ab`, lists differ from one forge to
another, and an upgrade of the operating system's rules breaks indexes without a word.
"""

from __future__ import annotations

from typing import Any

from django.db import connections

# Columns of texts in this schema that go by the database's own rule.
_FIND = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod)
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_collation l ON l.oid = a.attcollation
WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND NOT a.attisdropped
  AND a.atttypid IN ('varchar'::regtype, 'text'::regtype) AND l.collname = 'default'
ORDER BY c.relname, a.attnum
"""


def by_code_point(using: str = "default", **_: Any) -> None:
    """Give every text column the collation "C". Runs after migrations, and finds work only when they made columns."""
    connection = connections[using]
    if connection.vendor != "postgresql":
        return
    quote = connection.ops.quote_name
    changes: dict[str, list[str]] = {}
    with connection.cursor() as cursor:
        cursor.execute(_FIND)
        for table, column, kind in cursor.fetchall():
            changes.setdefault(table, []).append(f'ALTER COLUMN {quote(column)} TYPE {kind} COLLATE "C"')
        for table, parts in changes.items():
            # The names come from the database's own catalogue.
            cursor.execute(f"ALTER TABLE {quote(table)} {', '.join(parts)}")
