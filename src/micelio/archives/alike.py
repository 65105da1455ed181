"""What several kinds of forges say in the same words."""

from __future__ import annotations

from typing import Any as Json

from micelio.archives.given import body, number, several, text, when, within
from micelio.archives.records import Label, Milestone, Side


def label(item: Json) -> Label:
    """GitHub writes colours without the sign before them, the others with it."""
    return Label(
        id=text(item, "id"), name=text(item, "name"), color=text(item, "color", 20).lstrip("#"),
        body=body(item, "description"),
    )  # fmt: skip


def label_names(item: Json) -> tuple[str, ...]:
    """Those of an issue or a change, of GitHub and Gitea."""
    return several(item, "labels", lambda found: text(found, "name"))


def milestone(item: Json, numbered: str) -> Milestone:
    """Of GitHub and Gitea; `numbered` is the field that people call it by."""
    return Milestone(
        id=text(item, "id"), number=number(item, numbered), title=text(item, "title"), body=body(item, "description"),
        state=text(item, "state"), due_at=when(item, "due_on"), created_at=when(item, "created_at"),
        closed_at=when(item, "closed_at"), url=text(item, "html_url"),
    )  # fmt: skip


def side(item: Json) -> Side:
    """Of GitHub and Gitea."""
    return Side(text(within(item, "repo"), "full_name"), text(item, "ref"), text(item, "sha"))
