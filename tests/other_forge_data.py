"""A small repository as three other forges tell of it, in the shapes that their API descriptions give.

Fields that nobody reads are among them, and one that no description knows.
"""

from __future__ import annotations

from typing import Any

A, B = "a" * 40, "b" * 40


def github(page: str) -> dict[str, Any]:
    """Two issues, a pull request that was merged, with a review and two remarks in one thread."""
    ada = {"login": "ada", "id": 11, "node_id": "U_11", "type": "User", "site_admin": False}
    bob = {"login": "bob", "id": 12, "type": "User"}
    api = page.replace("/acme/", "/api/v3/repos/acme/")
    return {
        "": {"id": 1, "full_name": "acme/tool", "private": False, "has_issues": True, "surprise": [[{"deep": None}]]},
        "/labels": [{"id": 21, "name": "bug", "color": "d73a4a", "description": "Does not work", "default": True}],
        "/milestones": [
            {"id": 31, "number": 1, "title": "1.0", "description": None, "state": "open", "due_on": None,
             "created_at": "2026-01-01T00:00:00Z", "closed_at": None, "html_url": f"{page}/milestone/1"},
        ],
        "/issues": [
            {"id": 101, "number": 1, "title": "It breaks", "body": "Since yesterday.\r\nSee https://github.com/x",
             "state": "closed", "state_reason": "completed", "user": ada, "labels": [{"id": 21, "name": "bug"}],
             "milestone": {"id": 31, "number": 1}, "assignees": [bob], "locked": False, "comments": 1,
             "created_at": "2026-01-02T00:00:00Z", "updated_at": "2026-01-05T00:00:00Z",
             "closed_at": "2026-01-05T00:00:00Z", "html_url": f"{page}/issues/1"},
            {"id": 102, "number": 2, "title": "Mend it", "pull_request": {"url": f"{api}/pulls/2"}, "state": "closed",
             "created_at": "2026-01-03T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"},
            {"id": 103, "number": 3, "title": "A ghost asked", "body": None, "state": "open", "user": None,
             "labels": [], "milestone": None, "assignees": None, "created_at": "2026-01-06T00:00:00Z",
             "updated_at": "2026-01-06T00:00:00Z", "closed_at": None, "html_url": f"{page}/issues/3"},
        ],
        "/issues/comments": [
            {"id": 201, "body": "Me too", "user": bob, "created_at": "2026-01-02T01:00:00Z",
             "updated_at": "2026-01-02T01:00:00Z", "html_url": f"{page}/issues/1#issuecomment-201",
             "issue_url": f"{api}/issues/1"},
            {"id": 202, "body": f"Picture: ![x]({page.rsplit('/', 2)[0]}/user-attachments/assets/77)", "user": ada,
             "created_at": "2026-01-03T01:00:00Z", "updated_at": "2026-01-03T01:00:00Z",
             "html_url": f"{page}/pull/2#issuecomment-202", "issue_url": f"{api}/issues/2"},
        ],
        "/pulls": [
            {"id": 301, "number": 2, "title": "Mend it", "body": "Closes #1", "state": "closed", "draft": False,
             "user": bob, "labels": [{"name": "bug"}], "milestone": None, "assignees": [],
             "requested_reviewers": [ada], "merged_at": "2026-01-04T00:00:00Z", "merge_commit_sha": "c" * 40,
             "base": {"ref": "main", "sha": A, "repo": {"full_name": "acme/tool"}},
             "head": {"ref": "fix", "sha": B, "repo": None}, "created_at": "2026-01-03T00:00:00Z",
             "updated_at": "2026-01-04T00:00:00Z", "closed_at": "2026-01-04T00:00:00Z", "html_url": f"{page}/pull/2"},
        ],
        "/pulls/2/reviews": [
            {"id": 401, "user": ada, "body": "Good", "state": "APPROVED", "commit_id": B,
             "submitted_at": "2026-01-03T12:00:00Z", "html_url": f"{page}/pull/2#pullrequestreview-401"},
        ],
        "/pulls/comments": [
            {"id": 501, "pull_request_review_id": 401, "user": ada, "body": "Why?", "path": "src/a.py",
             "side": "RIGHT", "line": 7, "start_line": 5, "original_line": 6, "commit_id": B,
             "original_commit_id": A, "diff_hunk": "@@ -1 +1 @@\n-x\n+y", "created_at": "2026-01-03T12:00:00Z",
             "updated_at": "2026-01-03T12:00:00Z", "pull_request_url": f"{api}/pulls/2",
             "html_url": f"{page}/pull/2#discussion_r501"},
            {"id": 502, "pull_request_review_id": 402, "in_reply_to_id": 501, "user": bob, "body": "Because.",
             "path": "src/a.py", "side": "LEFT", "line": None, "original_line": 6, "commit_id": B,
             "original_commit_id": A, "created_at": "2026-01-03T13:00:00Z", "updated_at": "2026-01-03T13:00:00Z",
             "pull_request_url": f"{api}/pulls/2", "html_url": f"{page}/pull/2#discussion_r502"},
        ],
    }  # fmt: skip


def gitlab(page: str) -> dict[str, Any]:
    """An issue with a comment, and a merge request from a fork with a thread about a line and an approval."""
    ada = {"id": 11, "username": "ada", "name": "Ada L", "state": "active", "web_url": "https://x/ada"}
    bob = {"id": 12, "username": "bob", "name": "Bob"}
    return {
        "": {"id": 7, "path_with_namespace": "acme/sub/tool", "visibility": "private"},
        "/labels": [{"id": 21, "name": "bug", "color": "#d9534f", "description": None, "priority": None}],
        "/milestones": [
            {"id": 31, "iid": 1, "title": "1.0", "description": "First", "state": "active", "due_date": "2026-02-01",
             "created_at": "2026-01-01T00:00:00.000Z", "web_url": f"{page}/-/milestones/1"},
        ],
        "/issues": [
            {"id": 1001, "iid": 1, "title": "It breaks", "description": "![x](/uploads/1f/x.png)", "state": "opened",
             "author": ada, "labels": ["bug"], "milestone": {"id": 31}, "assignees": [bob], "user_notes_count": 1,
             "discussion_locked": None, "created_at": "2026-01-02T00:00:00.000+01:00",
             "updated_at": "2026-01-05T00:00:00.500Z", "closed_at": None, "web_url": f"{page}/-/issues/1"},
            {"id": 1002, "iid": 2, "title": "Quiet", "description": None, "state": "closed", "author": bob,
             "labels": [], "user_notes_count": 0, "created_at": "2026-01-03T00:00:00Z",
             "updated_at": "2026-01-03T00:00:00Z", "closed_at": "2026-01-03T00:00:00Z",
             "web_url": f"{page}/-/issues/2"},
        ],
        "/issues/1/notes": [
            {"id": 2001, "body": "added ~bug label", "system": True, "author": ada},
            {"id": 2002, "body": "Me too", "system": False, "author": bob, "created_at": "2026-01-02T01:00:00Z",
             "updated_at": "2026-01-02T01:00:00Z"},
        ],
        "/merge_requests": [
            {"id": 3001, "iid": 1, "title": "Draft: Mend it", "description": "Closes #1", "state": "merged",
             "draft": True, "author": bob, "labels": ["bug"], "assignees": [], "reviewers": [ada],
             "source_project_id": 8, "target_project_id": 7, "source_branch": "fix", "target_branch": "main",
             "sha": B, "merge_commit_sha": "c" * 40, "merge_user": ada, "merged_at": "2026-01-04T00:00:00Z",
             "user_notes_count": 2, "created_at": "2026-01-03T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z",
             "closed_at": None, "web_url": f"{page}/-/merge_requests/1"},
        ],
        "/merge_requests/1/discussions": [
            {"id": "d" * 40, "individual_note": False, "notes": [
                {"id": 4001, "type": "DiffNote", "body": "Why?", "system": False, "author": ada, "resolved": True,
                 "created_at": "2026-01-03T12:00:00Z", "updated_at": "2026-01-03T12:00:00Z",
                 "position": {"base_sha": A, "start_sha": A, "head_sha": B, "old_path": "src/o.py",
                              "new_path": "src/a.py", "position_type": "text", "old_line": None, "new_line": 7}},
                {"id": 4002, "type": "DiffNote", "body": "Because.", "system": False, "author": bob,
                 "created_at": "2026-01-03T13:00:00Z", "updated_at": "2026-01-03T13:00:00Z",
                 "position": {"base_sha": A, "head_sha": B, "old_path": "src/o.py", "new_path": "src/a.py",
                              "old_line": 6, "new_line": None}},
            ]},
            {"id": "e" * 40, "individual_note": True, "notes": [
                {"id": 4003, "type": None, "body": "Thanks", "system": False, "author": ada,
                 "created_at": "2026-01-04T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z"},
            ]},
        ],
        "/merge_requests/1/approvals": {"id": 3001, "iid": 1, "approved_by": [{"user": ada}]},
    }  # fmt: skip


def gitea(page: str) -> dict[str, Any]:
    """An issue with a file on it, and an open pull request with a review and a remark."""
    ada = {"id": 11, "login": "ada", "full_name": "Ada L", "email": "ada@noreply.example"}
    bob = {"id": 12, "login": "bob", "full_name": ""}
    return {
        "": {"id": 7, "full_name": "acme/tool", "private": False},
        "/labels": [{"id": 21, "name": "bug", "color": "ee0701", "description": "", "exclusive": False}],
        "/milestones": [{"id": 31, "title": "1.0", "description": "", "state": "closed",
                         "due_on": "2026-02-01T00:00:00Z", "closed_at": "2026-02-02T00:00:00Z",
                         "created_at": "2026-01-01T00:00:00Z"}],
        "/issues": [
            {"id": 1001, "number": 1, "title": "It breaks", "body": "See the file", "state": "open", "user": ada,
             "labels": [{"id": 21, "name": "bug"}], "milestone": {"id": 31}, "assignees": [bob],
             "is_locked": True, "pull_request": None,
             "assets": [{"id": 1, "name": "log.txt", "browser_download_url": f"{page}/attachments/77"}],
             "created_at": "2026-01-02T00:00:00+01:00", "updated_at": "2026-01-05T00:00:00Z", "closed_at": None,
             "html_url": f"{page}/issues/1"},
        ],
        "/issues/comments": [
            {"id": 2001, "body": "Me too", "user": bob, "issue_url": f"{page}/issues/1", "pull_request_url": "",
             "created_at": "2026-01-02T01:00:00Z", "updated_at": "2026-01-02T01:00:00Z", "assets": [],
             "html_url": f"{page}/issues/1#issuecomment-2001"},
            {"id": 2002, "body": "Thanks", "user": ada, "issue_url": "", "pull_request_url": f"{page}/pulls/2",
             "created_at": "2026-01-03T01:00:00Z", "updated_at": "2026-01-03T01:00:00Z",
             "html_url": f"{page}/pulls/2#issuecomment-2002"},
        ],
        "/pulls": [
            {"id": 3001, "number": 2, "title": "Mend it", "body": "", "state": "open", "draft": False, "user": bob,
             "labels": [], "milestone": None, "assignees": None, "requested_reviewers": [ada], "merged": False,
             "merge_commit_sha": "c" * 40, "base": {"ref": "main", "sha": A, "repo": {"full_name": "acme/tool"}},
             "head": {"ref": "fix", "sha": B, "repo": {"full_name": "bob/tool"}},
             "created_at": "2026-01-03T00:00:00Z", "updated_at": "2026-01-04T00:00:00Z", "closed_at": None,
             "html_url": f"{page}/pulls/2"},
        ],
        "/pulls/2/reviews": [
            {"id": 4000, "user": ada, "state": "REQUEST_REVIEW", "comments_count": 0},
            {"id": 4001, "user": ada, "state": "REQUEST_CHANGES", "body": "Not yet", "commit_id": B,
             "dismissed": False, "comments_count": 1, "submitted_at": "2026-01-03T12:00:00Z",
             "updated_at": "2026-01-03T12:00:00Z", "html_url": f"{page}/pulls/2#issuecomment-4001"},
        ],
        "/pulls/2/reviews/4001/comments": [
            {"id": 5001, "user": ada, "body": "Why?", "path": "src/a.py", "position": 0, "original_position": 6,
             "commit_id": B, "original_commit_id": A, "diff_hunk": "@@ -6 +6 @@", "pull_request_review_id": 4001,
             "resolver": bob, "created_at": "2026-01-03T12:00:00Z", "updated_at": "2026-01-03T12:00:00Z",
             "html_url": f"{page}/pulls/2#issuecomment-5001"},
        ],
    }  # fmt: skip
