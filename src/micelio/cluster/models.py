"""What the forges of one database have in common, as rows."""

from __future__ import annotations

from django.db import models


class KeyMark(models.Model):
    """A key that every forge of this database must have, by a hash that does not tell it."""

    name = models.CharField(primary_key=True, max_length=32)
    mark = models.CharField(max_length=64)

    def __str__(self) -> str:
        return self.name
