"""Where the pieces of three characters stand, which Django's models do not know of.

A later migration that makes the table anew, as altering a column does over SQLite, has to make the triggers again.
"""

from django.db import migrations

_TEXT = "{0}.name || char(10) || {0}.text"


def _sqlite() -> list[str]:
    made = []
    for shelf, condition in (("search_open", "{}.open"), ("search_closed", "NOT {}.open")):
        add = f"INSERT INTO {shelf}(rowid, text) VALUES (new.id, {_TEXT.format('new')});"  # noqa: S608  # our own names
        remove = f"INSERT INTO {shelf}({shelf}, rowid, text) VALUES ('delete', old.id, {_TEXT.format('old')});"  # noqa: S608
        new, old = condition.format("new"), condition.format("old")
        made += [
            # No content of its own, no positions: what is found is looked at in the row itself.
            f"CREATE VIRTUAL TABLE {shelf} USING fts5(text, content='', detail=none, columnsize=0, tokenize='trigram')",
            f"CREATE TRIGGER {shelf}_added AFTER INSERT ON search_document WHEN {new} BEGIN {add} END",
            f"CREATE TRIGGER {shelf}_gone AFTER DELETE ON search_document WHEN {old} BEGIN {remove} END",
            f"CREATE TRIGGER {shelf}_left AFTER UPDATE ON search_document WHEN {old} BEGIN {remove} END",
            f"CREATE TRIGGER {shelf}_came AFTER UPDATE ON search_document WHEN {new} BEGIN {add} END",
        ]
    # Leaving comes before coming: a row that stays on its shelf does both.
    return sorted(made, key=lambda statement: "_came" in statement)


_POSTGRES = [
    "ALTER TABLE search_document ADD COLUMN grams integer[]",
    "CREATE INDEX search_open ON search_document USING gin (grams) WHERE open",
    "CREATE INDEX search_closed ON search_document USING gin (grams) WHERE NOT open",
]


def make(apps, schema_editor):
    statements = _POSTGRES if schema_editor.connection.vendor == "postgresql" else _sqlite()
    for statement in statements:
        schema_editor.execute(statement, params=None)


def unmake(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE search_document DROP COLUMN grams", params=None)
        return
    for shelf in ("search_open", "search_closed"):
        for trigger in ("added", "gone", "left", "came"):
            schema_editor.execute(f"DROP TRIGGER {shelf}_{trigger}", params=None)
        schema_editor.execute(f"DROP TABLE {shelf}", params=None)


class Migration(migrations.Migration):
    dependencies = [("search", "0001_initial")]

    operations = [migrations.RunPython(make, unmake)]
