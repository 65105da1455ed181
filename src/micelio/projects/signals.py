"""What other domains may want to know of projects. Sent when the transaction of the act is committed."""

from __future__ import annotations

from django.dispatch import Signal

# Keyword `project_id`: a fork that has just begun, whose history no rows tell yet.
forked = Signal()
# Keyword `project_id`: a project that was deleted is there again; what landed last may not be in its rows.
restored = Signal()
# Keyword `project_id`: a project that was public is private, or the other way round.
visibility_changed = Signal()
