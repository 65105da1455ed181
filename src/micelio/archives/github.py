"""Reading GitHub's REST API, version 2022-11-28, and that of its Enterprise Server.

Lists are asked for in the order in which things were made: what is added or changed meanwhile pushes others to later
pages, where they are seen twice, and never to earlier ones, where they would be missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Json

from micelio.archives import given
from micelio.archives.alike import label, label_names, milestone, side
from micelio.archives.given import author, body, number, number_in, several, text, truth, when, within
from micelio.archives.reader import NOTHING, Read, Step, with_query
from micelio.archives.records import Any, Change, Comment, Issue, Review, ReviewComment
from micelio.archives.source import Source

_SIZE = "100"
_FILES = ("https://user-images.githubusercontent.com/", "https://private-user-images.githubusercontent.com/")
_REVIEWS = {"APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED", "PENDING"}


class GitHub:
    """`micelio.archives.reader.Reader`."""

    ROOT = "repository"

    def __init__(self, source: Source, since: str = "") -> None:
        self._api = source.api
        self._place = source.url[: -len(source.path) - 1]
        self._since = since

    def first(self, since: str) -> list[Step]:
        self._since = since
        made = {"sort": "created", "direction": "asc", "since": since}
        # Pulls have no `since`: those that changed last come first, and it ends with the first old one.
        pulls = {"sort": "updated", "direction": "desc"} if since else {"sort": "created", "direction": "asc"}
        return [
            Step("repository", self._api),
            self._step("labels", "/labels"),
            self._step("milestones", "/milestones", query={"state": "all"}),
            self._step("issues", "/issues", query={"state": "all", **made}),
            self._step("comments", "/issues/comments", query=made),
            self._step("pulls", "/pulls", query={"state": "all", **pulls}),
            self._step("review comments", "/pulls/comments", query=made),
        ]

    def read(self, step: Step, value: Json) -> Read:
        match step.list:
            case "labels":
                return Read([label(item) for item in given.items(value)])
            case "milestones":
                return Read([milestone(item, "number") for item in given.items(value)])
            case "issues":
                return Read([self._issue(item) for item in given.items(value) if "pull_request" not in item])
            case "comments":
                return Read([self._comment(item) for item in given.items(value)])
            case "pulls":
                return self._pulls(value)
            case "reviews":
                return Read([self._review(item, step.number) for item in given.items(value)])
            case "review comments":
                return Read([self._remark(item) for item in given.items(value)])
        return Read()

    def _step(self, name: str, path: str, number: int = 0, query: Mapping[str, str] = NOTHING) -> Step:
        return Step(name, with_query(self._api + path, {"per_page": _SIZE, **query}), number)

    def _pulls(self, value: Json) -> Read:
        records: list[Any] = []
        steps: list[Step] = []
        for item in given.items(value):
            if self._since and text(item, "updated_at") < self._since:
                return Read(records, steps, last=True)
            change = self._change(item)
            records.append(change)
            steps.append(self._step("reviews", f"/pulls/{change.number}/reviews", change.number))
        return Read(records, steps)

    def _issue(self, item: Json) -> Issue:
        said = body(item)
        return Issue(
            id=text(item, "id"), number=number(item, "number"), title=text(item, "title"), body=said,
            state=text(item, "state"), reason=text(item, "state_reason"), author=author(item.get("user")),
            labels=label_names(item),
            milestone=text(within(item, "milestone"), "id"), assignees=several(item, "assignees", author),
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            closed_at=when(item, "closed_at"), locked=truth(item, "locked"), url=text(item, "html_url"),
            links=self._links(said),
        )  # fmt: skip

    def _change(self, item: Json) -> Change:
        said = body(item)
        merged = when(item, "merged_at")
        return Change(
            id=text(item, "id"), number=number(item, "number"), title=text(item, "title"), body=said,
            state="merged" if merged else text(item, "state"), draft=truth(item, "draft"),
            author=author(item.get("user")), labels=label_names(item),
            milestone=text(within(item, "milestone"), "id"), assignees=several(item, "assignees", author),
            reviewers=several(item, "requested_reviewers", author), base=side(within(item, "base")),
            head=side(within(item, "head")), merged_at=merged, merged_by=author(item.get("merged_by")),
            merge_commit=text(item, "merge_commit_sha") if merged else "", created_at=when(item, "created_at"),
            updated_at=when(item, "updated_at"), closed_at=when(item, "closed_at"), locked=truth(item, "locked"),
            url=text(item, "html_url"), links=self._links(said),
        )  # fmt: skip

    def _comment(self, item: Json) -> Comment:
        said, page = body(item), text(item, "html_url")
        return Comment(
            id=text(item, "id"), number=number_in(text(item, "issue_url")),
            on="change" if "/pull/" in page else "issue", author=author(item.get("user")), body=said,
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"), url=page,
            links=self._links(said),
        )  # fmt: skip

    def _review(self, item: Json, change: int) -> Review:
        said, state = body(item), text(item, "state")
        return Review(
            id=text(item, "id"), number=change, author=author(item.get("user")), body=said,
            state=state.lower() if state in _REVIEWS else "commented", commit=text(item, "commit_id"),
            created_at=when(item, "submitted_at"), updated_at=when(item, "submitted_at"), url=text(item, "html_url"),
            links=self._links(said),
        )  # fmt: skip

    def _remark(self, item: Json) -> ReviewComment:
        said = body(item)
        return ReviewComment(
            id=text(item, "id"), number=number_in(text(item, "pull_request_url")),
            review=text(item, "pull_request_review_id"), thread=text(item, "in_reply_to_id"),
            author=author(item.get("user")), body=said, path=text(item, "path", 16384),
            side="old" if text(item, "side") == "LEFT" else "new", line=number(item, "line"),
            start_line=number(item, "start_line"), commit=text(item, "commit_id"),
            original_line=number(item, "original_line"), original_commit=text(item, "original_commit_id"),
            hunk=body(item, "diff_hunk"), created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            url=text(item, "html_url"), links=self._links(said),
        )  # fmt: skip

    def _links(self, said: str) -> tuple[str, ...]:
        own = (f"{self._place}/user-attachments/", *_FILES)
        return given.links(said, lambda url: url.startswith(own) or (url.startswith(self._place) and "/files/" in url))
