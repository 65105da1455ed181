"""Reading the REST API of Gitea and of Forgejo, version 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any as Json

from micelio.archives import given
from micelio.archives.alike import label, label_names, milestone, side
from micelio.archives.given import body, number, number_in, person, several, text, truth, when, within
from micelio.archives.reader import NOTHING, Read, Step, with_query
from micelio.archives.records import Any, Change, Comment, Issue, Review, ReviewComment
from micelio.archives.source import Source

# The most that an instance gives unless its settings say otherwise.
_SIZE = "50"
_REVIEWS = {
    "APPROVED": "approved", "REQUEST_CHANGES": "changes_requested", "COMMENT": "commented", "PENDING": "pending",
}  # fmt: skip
_author = person("login", "full_name")


class Gitea:
    """`micelio.archives.reader.Reader`."""

    ROOT = "repository"

    def __init__(self, source: Source, since: str = "") -> None:
        self._api = source.api
        self._url = source.url
        self._since = since

    def first(self, since: str) -> list[Step]:
        self._since = since
        # Without `since` pulls come in the order of their numbers; with it those that changed last, as at GitHub.
        order = "recentupdate" if since else "oldest"
        return [
            Step("repository", self._api),
            self._step("labels", "/labels"),
            self._step("milestones", "/milestones", query={"state": "all"}),
            self._step("issues", "/issues", query={"state": "all", "type": "issues", "since": since}),
            self._step("comments", "/issues/comments", query={"since": since}),
            self._step("pulls", "/pulls", query={"state": "all", "sort": order}),
        ]

    def read(self, step: Step, value: Json) -> Read:
        match step.list:
            case "labels":
                return Read([label(item) for item in given.items(value)])
            case "milestones":
                return Read([milestone(item, "id") for item in given.items(value)])
            case "issues":
                return Read([self._issue(item) for item in given.items(value) if not within(item, "pull_request")])
            case "comments":
                return Read([self._comment(item) for item in given.items(value)])
            case "pulls":
                return self._pulls(value)
            case "reviews":
                return self._reviews(value, step)
            case "review comments":
                return Read([self._remark(item, step) for item in given.items(value)])
        return Read()

    def _step(self, name: str, path: str, number: int = 0, about: str = "", query: Mapping[str, str] = NOTHING) -> Step:
        return Step(name, with_query(self._api + path, {"limit": _SIZE, **query}), number, about)

    def _pulls(self, value: Json) -> Read:
        records: list[Any] = []
        steps: list[Step] = []
        since = when({"at": self._since}, "at")
        for item in given.items(value):
            change = self._change(item)
            if change.updated_at < since:
                return Read(records, steps, last=True)
            records.append(change)
            steps.append(self._step("reviews", f"/pulls/{change.number}/reviews", change.number))
        return Read(records, steps)

    def _reviews(self, value: Json, step: Step) -> Read:
        records: list[Any] = []
        steps: list[Step] = []
        for item in given.items(value):
            if text(item, "state") == "REQUEST_REVIEW":  # nobody has said anything yet
                continue
            review = self._review(item, step.number)
            records.append(review)
            if item.get("comments_count") != 0:
                path = f"/pulls/{step.number}/reviews/{review.id}/comments"
                steps.append(Step("review comments", self._api + path, step.number, review.id))
        return Read(records, steps)

    def _issue(self, item: Json) -> Issue:
        return Issue(
            id=text(item, "id"), number=number(item, "number"), title=text(item, "title"), body=body(item),
            state=text(item, "state"), author=_author(item.get("user")),
            labels=label_names(item),
            milestone=text(within(item, "milestone"), "id"), assignees=several(item, "assignees", _author),
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            closed_at=when(item, "closed_at"), locked=truth(item, "is_locked"), url=text(item, "html_url"),
            links=self._links(item),
        )  # fmt: skip

    def _change(self, item: Json) -> Change:
        merged = truth(item, "merged")
        return Change(
            id=text(item, "id"), number=number(item, "number"), title=text(item, "title"), body=body(item),
            state="merged" if merged else text(item, "state"), draft=truth(item, "draft"),
            author=_author(item.get("user")), labels=label_names(item),
            milestone=text(within(item, "milestone"), "id"), assignees=several(item, "assignees", _author),
            reviewers=several(item, "requested_reviewers", _author), base=side(within(item, "base")),
            head=side(within(item, "head")), merged_at=when(item, "merged_at"),
            merged_by=_author(item.get("merged_by")), merge_commit=text(item, "merge_commit_sha") if merged else "",
            created_at=when(item, "created_at"), updated_at=when(item, "updated_at"),
            closed_at=when(item, "closed_at"), locked=truth(item, "is_locked"), url=text(item, "html_url"),
            links=self._links(item),
        )  # fmt: skip

    def _comment(self, item: Json) -> Comment:
        pull, issue = text(item, "pull_request_url"), text(item, "issue_url")
        return Comment(
            id=text(item, "id"), number=number_in(pull or issue), on="change" if pull else "issue",
            author=_author(item.get("user")), body=body(item), created_at=when(item, "created_at"),
            updated_at=when(item, "updated_at"), url=text(item, "html_url"), links=self._links(item),
        )  # fmt: skip

    def _review(self, item: Json, change: int) -> Review:
        state = "dismissed" if truth(item, "dismissed") else _REVIEWS.get(text(item, "state"), "commented")
        return Review(
            id=text(item, "id"), number=change, author=_author(item.get("user")), body=body(item), state=state,
            commit=text(item, "commit_id"), created_at=when(item, "submitted_at"), updated_at=when(item, "updated_at"),
            url=text(item, "html_url"), links=self._links(item),
        )  # fmt: skip

    def _remark(self, item: Json, step: Step) -> ReviewComment:
        """Where GitHub counts within the diff, Gitea's two positions are lines: `position` of the new file,
        else `original_position` of the old one."""
        new, old = number(item, "position"), number(item, "original_position")
        return ReviewComment(
            id=text(item, "id"), number=step.number, review=step.about, author=_author(item.get("user")),
            body=body(item), path=text(item, "path", 16384), side="new" if new or not old else "old", line=new or old,
            commit=text(item, "commit_id"), original_line=new or old, original_commit=text(item, "original_commit_id"),
            hunk=body(item, "diff_hunk"), resolved=bool(within(item, "resolver")), created_at=when(item, "created_at"),
            updated_at=when(item, "updated_at"), url=text(item, "html_url"), links=self._links(item),
        )  # fmt: skip

    def _links(self, item: Json) -> tuple[str, ...]:
        """Files that hang on to it, and those that its text names."""
        hung = several(item, "assets", lambda asset: text(asset, "browser_download_url"))
        place = self._url.split("/", 3)
        said = given.links(body(item), lambda url: url.startswith("/".join([*place[:3], "attachments/"])))
        return tuple(dict.fromkeys([*filter(None, hung), *said]))
