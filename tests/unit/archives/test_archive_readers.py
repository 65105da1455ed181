"""What the three readers make of the documented shapes: each record, field by field."""

from __future__ import annotations

import pytest

from micelio.archives.records import (
    Author,
    Change,
    Comment,
    Issue,
    Label,
    Milestone,
    Review,
    ReviewComment,
    Side,
)
from other_forge import GiteaServer, GitHubServer, GitLabServer

A, B, C = "a" * 40, "b" * 40, "c" * 40
# 2026-01-02T00:00:00Z in milliseconds, and a day.
JAN_2, DAY, HOUR = 1_767_312_000_000, 86_400_000, 3_600_000


def test_github(bench, github: GitHubServer) -> None:
    """Issues without the pull requests among them, comments with what they are on, both sides, the thread."""
    ada, bob, page = Author("11", "ada"), Author("12", "bob"), github.page
    whole = bench.fetch(github, "github")
    assert bench.records() == [
        Label(id="21", name="bug", color="d73a4a", body="Does not work"),
        Milestone(
            id="31", number=1, title="1.0", state="open", created_at=JAN_2 - DAY, url=f"{page}/milestone/1"
        ),
        Issue(
            id="101", number=1, title="It breaks", body="Since yesterday.\nSee https://github.com/x", state="closed",
            reason="completed", author=ada, labels=("bug",), milestone="31", assignees=(bob,), created_at=JAN_2,
            updated_at=JAN_2 + 3 * DAY, closed_at=JAN_2 + 3 * DAY, url=f"{page}/issues/1",
        ),
        Issue(
            id="103", number=3, title="A ghost asked", state="open", created_at=JAN_2 + 4 * DAY,
            updated_at=JAN_2 + 4 * DAY, url=f"{page}/issues/3",
        ),
        Comment(
            id="201", number=1, on="issue", author=bob, body="Me too", created_at=JAN_2 + HOUR,
            updated_at=JAN_2 + HOUR, url=f"{page}/issues/1#issuecomment-201",
        ),
        Comment(
            id="202", number=2, on="change", author=ada,
            body=f"Picture: ![x]({github.url}/user-attachments/assets/77)", created_at=JAN_2 + DAY + HOUR,
            updated_at=JAN_2 + DAY + HOUR, url=f"{page}/pull/2#issuecomment-202",
        ),
        Change(
            id="301", number=2, title="Mend it", body="Closes #1", state="merged", author=bob, labels=("bug",),
            reviewers=(ada,), base=Side("acme/tool", "main", A), head=Side("", "fix", B),
            merged_at=JAN_2 + 2 * DAY, merge_commit=C, created_at=JAN_2 + DAY, updated_at=JAN_2 + 2 * DAY,
            closed_at=JAN_2 + 2 * DAY, url=f"{page}/pull/2",
        ),
        Review(
            id="401", number=2, state="approved", commit=B, author=ada, body="Good",
            created_at=JAN_2 + DAY + 12 * HOUR, updated_at=JAN_2 + DAY + 12 * HOUR,
            url=f"{page}/pull/2#pullrequestreview-401",
        ),
        ReviewComment(
            id="501", number=2, review="401", path="src/a.py", side="new", line=7, start_line=5, commit=B,
            original_line=6, original_commit=A, hunk="@@ -1 +1 @@\n-x\n+y", author=ada, body="Why?",
            created_at=JAN_2 + DAY + 12 * HOUR, updated_at=JAN_2 + DAY + 12 * HOUR,
            url=f"{page}/pull/2#discussion_r501",
        ),
        ReviewComment(
            id="502", number=2, review="402", thread="501", path="src/a.py", side="old", commit=B, original_line=6,
            original_commit=A, author=bob, body="Because.", created_at=JAN_2 + DAY + 13 * HOUR,
            updated_at=JAN_2 + DAY + 13 * HOUR, url=f"{page}/pull/2#discussion_r502",
        ),
    ]  # fmt: skip
    assert whole.counts == {
        "change": 1, "comment": 2, "issue": 2, "label": 1, "milestone": 1, "review": 1, "review_comment": 2
    }  # fmt: skip
    assert whole.warnings == ()


def test_gitlab(bench, gitlab: GitLabServer) -> None:
    """Numbers are those within the project; its own notes are left out; a thread has lines of both sides."""
    ada, bob, page = Author("11", "ada", "Ada L"), Author("12", "bob", "Bob"), gitlab.page
    bench.fetch(gitlab, "gitlab")
    merge = f"{page}/-/merge_requests/1"
    assert bench.records() == [
        Label(id="21", name="bug", color="d9534f"),
        Milestone(
            id="31", number=1, title="1.0", body="First", state="open", due_at=JAN_2 + 30 * DAY,
            created_at=JAN_2 - DAY, url=f"{page}/-/milestones/1",
        ),
        Issue(
            id="1001", number=1, title="It breaks", body=f"![x]({page}/uploads/1f/x.png)", state="open", author=ada,
            labels=("bug",), milestone="31", assignees=(bob,), created_at=JAN_2 - HOUR,
            updated_at=JAN_2 + 3 * DAY + 500, url=f"{page}/-/issues/1",
        ),
        Issue(
            id="1002", number=2, title="Quiet", state="closed", author=bob, created_at=JAN_2 + DAY,
            updated_at=JAN_2 + DAY, closed_at=JAN_2 + DAY, url=f"{page}/-/issues/2",
        ),
        Comment(
            id="2002", number=1, on="issue", author=bob, body="Me too", created_at=JAN_2 + HOUR,
            updated_at=JAN_2 + HOUR, url=f"{page}/-/issues/1#note_2002",
        ),
        Change(
            id="3001", number=1, title="Draft: Mend it", body="Closes #1", state="merged", draft=True, author=bob,
            labels=("bug",), reviewers=(ada,), base=Side("acme/sub/tool", "main", ""), head=Side("", "fix", B),
            merged_at=JAN_2 + 2 * DAY, merged_by=ada, merge_commit=C, created_at=JAN_2 + DAY,
            updated_at=JAN_2 + 2 * DAY, url=merge,
        ),
        ReviewComment(
            id="4001", number=1, path="src/a.py", side="new", line=7, commit=B, original_line=7, original_commit=B,
            resolved=True, author=ada, body="Why?", created_at=JAN_2 + DAY + 12 * HOUR,
            updated_at=JAN_2 + DAY + 12 * HOUR, url=f"{merge}#note_4001",
        ),
        ReviewComment(
            id="4002", number=1, thread="4001", path="src/o.py", side="old", line=6, commit=A, original_line=6,
            original_commit=A, author=bob, body="Because.", created_at=JAN_2 + DAY + 13 * HOUR,
            updated_at=JAN_2 + DAY + 13 * HOUR, url=f"{merge}#note_4002",
        ),
        Comment(
            id="4003", number=1, on="change", author=ada, body="Thanks", created_at=JAN_2 + 2 * DAY,
            updated_at=JAN_2 + 2 * DAY, url=f"{merge}#note_4003",
        ),
        Review(id="1/11", number=1, state="approved", author=ada, url=merge),
    ]  # fmt: skip
    assert "/issues/2/notes" not in [asked.path for asked in gitlab.asked]


def test_gitea(bench, gitea: GiteaServer) -> None:
    """Files that hang on an issue, a review that asks for changes, and a remark at a line of the old file."""
    ada, bob, page = Author("11", "ada", "Ada L"), Author("12", "bob"), gitea.page
    bench.fetch(gitea, "gitea")
    assert bench.records() == [
        Label(id="21", name="bug", color="ee0701"),
        Milestone(
            id="31", number=31, title="1.0", state="closed", due_at=JAN_2 + 30 * DAY, created_at=JAN_2 - DAY,
            closed_at=JAN_2 + 31 * DAY,
        ),
        Issue(
            id="1001", number=1, title="It breaks", body="See the file", state="open", author=ada, labels=("bug",),
            milestone="31", assignees=(bob,), locked=True, created_at=JAN_2 - HOUR, updated_at=JAN_2 + 3 * DAY,
            url=f"{page}/issues/1", links=(f"{page}/attachments/77",),
        ),
        Comment(
            id="2001", number=1, on="issue", author=bob, body="Me too", created_at=JAN_2 + HOUR,
            updated_at=JAN_2 + HOUR, url=f"{page}/issues/1#issuecomment-2001",
        ),
        Comment(
            id="2002", number=2, on="change", author=ada, body="Thanks", created_at=JAN_2 + DAY + HOUR,
            updated_at=JAN_2 + DAY + HOUR, url=f"{page}/pulls/2#issuecomment-2002",
        ),
        Change(
            id="3001", number=2, title="Mend it", state="open", author=bob, reviewers=(ada,),
            base=Side("acme/tool", "main", A), head=Side("bob/tool", "fix", B), created_at=JAN_2 + DAY,
            updated_at=JAN_2 + 2 * DAY, url=f"{page}/pulls/2",
        ),
        Review(
            id="4001", number=2, state="changes_requested", commit=B, author=ada, body="Not yet",
            created_at=JAN_2 + DAY + 12 * HOUR, updated_at=JAN_2 + DAY + 12 * HOUR,
            url=f"{page}/pulls/2#issuecomment-4001",
        ),
        ReviewComment(
            id="5001", number=2, review="4001", path="src/a.py", side="old", line=6, commit=B, original_line=6,
            original_commit=A, hunk="@@ -6 +6 @@", resolved=True, author=ada, body="Why?",
            created_at=JAN_2 + DAY + 12 * HOUR, updated_at=JAN_2 + DAY + 12 * HOUR,
            url=f"{page}/pulls/2#issuecomment-5001",
        ),
    ]  # fmt: skip


@pytest.mark.parametrize("provider", ["github", "gitlab", "gitea"])
def test_nothing_is_believed(bench, provider: str, request: pytest.FixtureRequest) -> None:
    """Fields of other types than documented are read as empty, and a record stays a record."""
    server = request.getfixturevalue(provider)
    issue = {"id": 7, "iid": True, "number": "x", "title": ["a"], "body": 5, "description": {}, "state": None,
             "user": "ada", "author": 1, "labels": "bug", "milestone": [], "assignees": {"a": 1},
             "created_at": "yesterday", "updated_at": "9999-99-99", "closed_at": 12, "html_url": None}  # fmt: skip
    server.lists["/issues"] = [issue, None, "x", [1]]
    for path in list(server.lists):
        if path not in ("", "/issues"):
            server.lists[path] = [] if isinstance(server.lists[path], list) else {}
    bench.fetch(server, provider)
    body = "5" if provider != "gitlab" else ""
    assert bench.records() == [Issue(id="7", body=body)]
