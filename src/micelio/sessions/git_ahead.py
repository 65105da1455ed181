"""Git objects made before anybody asks: a clone of a long history must not wait for all of it to be derived."""

from __future__ import annotations

import logging

from django.db.models import F, Q

from mic.core.errors import MicError
from micelio.databases import let_go
from micelio.sessions.git_view import kept_objects
from micelio.sessions.models import Projection

_log = logging.getLogger("micelio.sessions")

# So few landings are made while a client waits: less than half a second.
AHEAD = 200


def catch_up_with_git() -> int:
    """Make the Git objects of every project that is far ahead of them; how many projects there were.

    A fork begins with what its origin has, which may be gone one day, so it does not wait for many landings.
    """
    behind = Projection.objects.filter(project__line_of=None).filter(
        Q(position__gte=F("git_position") + AHEAD)
        | Q(position__gt=0, git_position=0, project__forked_from__isnull=False)
    )
    done = 0
    for project_id, position in behind.order_by("project_id").values_list("project_id", "position"):
        let_go()  # what follows waits for the store
        try:
            kept_objects(project_id).caught_up()
        except (MicError, OSError) as error:
            _log.error("project %s: its Git objects are not made: %s", project_id, error)
            continue
        Projection.objects.filter(project_id=project_id).update(git_position=position)
        done += 1
    return done
