"""Reading GitLab's REST API, version 4.

What GitLab itself notes in a conversation (its `system` notes) is left out: it tells of labels and commits, which are
there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Json

from micelio.archives import given
from micelio.archives.alike import label
from micelio.archives.given import body, number, person, several, text, truth, when, within
from micelio.archives.reader import NOTHING, Read, Step, with_query
from micelio.archives.records import (
    MAX_ITEMS,
    Any,
    Change,
    Comment,
    Issue,
    Milestone,
    Review,
    ReviewComment,
    Side,
)
from micelio.archives.source import Source

_SIZE = "100"
_author = person("username", "name")


class GitLab:
    """`micelio.archives.reader.Reader`."""

    ROOT = "repository"

    def __init__(self, source: Source, since: str = "") -> None:
        self._api = source.api
        self._url = source.url
        self._path = source.path
        self._since = since

    def first(self, since: str) -> list[Step]:
        self._since = since
        made = {"order_by": "created_at", "sort": "asc", "updated_after": since}
        return [
            Step("repository", self._api),
            self._step("labels", "/labels"),
            self._step("milestones", "/milestones"),
            self._step("issues", "/issues", query={"scope": "all", **made}),
            self._step("merge requests", "/merge_requests", query={"scope": "all", **made}),
        ]

    def read(self, step: Step, value: Json) -> Read:
        match step.list:
            case "labels":
                return Read([label(item) for item in given.items(value)])
            case "milestones":
                return Read([self._milestone(item) for item in given.items(value)])
            case "issues":
                return self._issues(value)
            case "notes":
                said = [item for item in given.items(value) if not truth(item, "system")]
                return Read([self._comment(item, step, "issue") for item in said])
            case "merge requests":
                return self._changes(value)
            case "discussions":
                return self._discussions(value, step)
            case "approvals":
                return Read(_approvals(value, step))
        return Read()

    def _step(self, name: str, path: str, number: int = 0, about: str = "", query: Mapping[str, str] = NOTHING) -> Step:
        return Step(name, with_query(self._api + path, {"per_page": _SIZE, **query}), number, about)

    def _issues(self, value: Json) -> Read:
        records: list[Any] = []
        steps: list[Step] = []
        for item in given.items(value):
            issue = self._issue(item)
            records.append(issue)
            # Zero where the instance says so; its own notes are not among them.
            if item.get("user_notes_count") != 0:
                path = f"/issues/{issue.number}/notes"
                steps.append(
                    self._step("notes", path, issue.number, issue.url, {"sort": "asc", "order_by": "created_at"})
                )
        return Read(records, steps)

    def _changes(self, value: Json) -> Read:
        records: list[Any] = []
        steps: list[Step] = []
        for item in given.items(value):
            change = self._change(item)
            records.append(change)
            path = f"/merge_requests/{change.number}"
            if item.get("user_notes_count") != 0:
                steps.append(self._step("discussions", f"{path}/discussions", change.number, change.url))
            steps.append(Step("approvals", f"{self._api}{path}/approvals", change.number, change.url))
        return Read(records, steps)

    def _issue(self, item: Json) -> Issue:
        said = self._said(item, "description")
        return Issue(
            id=text(item, "id"), number=number(item, "iid"), title=text(item, "title"), body=said,
            state=_state(item), author=_author(item.get("author")), labels=_names(item),
            milestone=text(within(item, "milestone"), "id"), assignees=several(item, "assignees", _author),
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            closed_at=when(item, "closed_at"), locked=truth(item, "discussion_locked"), url=text(item, "web_url"),
            links=self._links(said),
        )  # fmt: skip

    def _change(self, item: Json) -> Change:
        said = self._said(item, "description")
        own = number(item, "source_project_id") == number(item, "target_project_id")
        merged = item.get("merge_user") or item.get("merged_by")
        return Change(
            id=text(item, "id"), number=number(item, "iid"), title=text(item, "title"), body=said, state=_state(item),
            draft=truth(item, "draft") or truth(item, "work_in_progress"), author=_author(item.get("author")),
            labels=_names(item), milestone=text(within(item, "milestone"), "id"),
            assignees=several(item, "assignees", _author), reviewers=several(item, "reviewers", _author),
            base=Side(self._path, text(item, "target_branch"), text(within(item, "diff_refs"), "base_sha")),
            head=Side(self._path if own else "", text(item, "source_branch"), text(item, "sha")),
            merged_at=when(item, "merged_at"), merged_by=_author(merged),
            merge_commit=text(item, "merge_commit_sha") or text(item, "squash_commit_sha"),
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            closed_at=when(item, "closed_at"), locked=truth(item, "discussion_locked"), url=text(item, "web_url"),
            links=self._links(said),
        )  # fmt: skip

    def _comment(self, item: Json, step: Step, on: str) -> Comment:
        said = self._said(item, "body")
        return Comment(
            id=text(item, "id"), number=step.number, on=on, author=_author(item.get("author")), body=said,
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"), url=_note(step, item),
            links=self._links(said),
        )  # fmt: skip

    def _discussions(self, value: Json, step: Step) -> Read:
        records: list[Any] = []
        for thread in given.items(value):
            notes = [note for note in given.items(thread.get("notes")) if not truth(note, "system")]
            for note in notes:
                if within(note, "position"):
                    records.append(self._remark(note, step, "" if note is notes[0] else text(notes[0], "id")))
                else:
                    records.append(self._comment(note, step, "change"))
        return Read(records)

    def _remark(self, note: Json, step: Step, thread: str) -> ReviewComment:
        said, place = self._said(note, "body"), within(note, "position")
        new = number(place, "new_line") > 0 or not number(place, "old_line")
        line = number(place, "new_line" if new else "old_line")
        begin = within(place, "line_range", "start")
        return ReviewComment(
            id=text(note, "id"), number=step.number, thread=thread, author=_author(note.get("author")), body=said,
            path=text(place, "new_path" if new else "old_path", 16384), side="new" if new else "old", line=line,
            start_line=number(begin, "new_line" if new else "old_line"),
            commit=text(place, "head_sha" if new else "base_sha"), original_line=line,
            original_commit=text(place, "head_sha" if new else "base_sha"), resolved=truth(note, "resolved"),
            created_at=when(note, "created_at"), updated_at=when(note, "updated_at"), url=_note(step, note),
            links=self._links(said),
        )  # fmt: skip

    def _milestone(self, item: Json) -> Milestone:
        return Milestone(
            id=text(item, "id"), number=number(item, "iid"), title=text(item, "title"),
            body=self._said(item, "description"), state="open" if text(item, "state") == "active" else "closed",
            due_at=when(item, "due_date"), created_at=when(item, "created_at"), url=text(item, "web_url"),
        )  # fmt: skip

    def _said(self, item: Json, name: str) -> str:
        """A text in which files that were added there have a whole address."""
        return body(item, name).replace("](/uploads/", f"]({self._url}/uploads/")

    def _links(self, said: str) -> tuple[str, ...]:
        return given.links(said, lambda url: url.startswith(f"{self._url}/uploads/"))


def _state(item: Json) -> str:
    return {"opened": "open", "locked": "open", "closed": "closed", "merged": "merged"}.get(text(item, "state"), "")


def _names(item: Json) -> tuple[str, ...]:
    """Labels are texts, or objects where they were asked for with details."""
    found = item.get("labels")
    named = [{"name": label} if isinstance(label, str) else label for label in found] if isinstance(found, list) else []
    return tuple(text(label, "name") for label in given.items(named[:MAX_ITEMS]))


def _approvals(value: Json, step: Step) -> list[Any]:
    """Who approved. GitLab says nothing of when, before its version 18."""
    found = value.get("approved_by") if isinstance(value, dict) else None
    made: list[Any] = []
    for item in given.items(found):
        who = _author(item.get("user"))
        at = when(item, "approved_at")
        made.append(
            Review(
                id=f"{step.number}/{who.id}",
                number=step.number,
                state="approved",
                author=who,
                created_at=at,
                updated_at=at,
                url=step.about,
            )
        )
    return made


def _note(step: Step, item: Json) -> str:
    return f"{step.about}#note_{text(item, 'id')}" if step.about else ""
