"""Rows of a fork's history: copied from its origin's while those tell exactly that history.

A fork is usually looked at right after it was made. Reading its log again would tell the same rows, one session
object after the other; the database copies them in one statement.
"""

from __future__ import annotations

from uuid import UUID

from django.db import connection, transaction

from micelio.projects.forks import fork_point
from micelio.sessions.models import Landing, LastChange, Projection


def inherit(project_id: UUID) -> int:
    """Copy the origin's rows for a fork that has none; the position they reach, 0 when that cannot be done.

    It can while the origin's rows stand at the fork point: what touched a path last is known for that position only.
    """
    point = fork_point(project_id)
    if point is None:
        return 0
    origin, position = point
    with transaction.atomic():
        told = Projection.objects.filter(project_id=origin, position=position).first()
        fresh = Projection.objects.filter(project_id=project_id, position=0)
        if told is None or not fresh.update(position=position, decisions=told.decisions):
            return 0
        for model in (Landing, LastChange):
            _copy(model, origin, project_id)
    return position


def _copy(model: type[Landing | LastChange], origin: UUID, project_id: UUID) -> None:
    quote = connection.ops.quote_name
    project = model._meta.get_field("project")
    others = [field.column for field in model._meta.concrete_fields if not field.primary_key and field is not project]
    table, columns = quote(model._meta.db_table), ", ".join(quote(str(name)) for name in others)
    values = [project.get_db_prep_save(value, connection) for value in (project_id, origin)]
    with connection.cursor() as cursor:
        # Names come from the models, values are bound.
        cursor.execute(
            f"INSERT INTO {table} ({quote('project_id')}, {columns})"  # noqa: S608
            f" SELECT %s, {columns} FROM {table} WHERE {quote('project_id')} = %s",
            values,
        )
