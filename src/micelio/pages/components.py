"""Partials of lists, files and results in each of their states, for `/-/design`: what they are filled with is made up.

`SECTIONS` are drawn in their order; what a partial needs is written out here, as its views would give it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import SimpleNamespace as Given
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from micelio.discovery.queries import Share
from micelio.pages.diff_html import diff_rows, join_rows, join_taken, split_rows
from micelio.pages.diffs import diff_contents
from micelio.pages.landing_items import LandingItem
from micelio.pages.language_bar import bar
from micelio.search.matching import Line, Part

AT = datetime(2026, 11, 3, 9, tzinfo=UTC)
# Also where its conversation is.
LANDED = LandingItem(
    42, "/-/design", "Keep sign-in stateless: tokens", "Ada Maintainer", "claude-code", AT, 3, 2, 4, ""
)
COMMIT = LandingItem(41, "#lists", "Say how keys rotate", "Grace Hopper", "", AT, 1, 0, 0, "a0" * 20)
_SITE = Given(root="#lists")
_OPEN_STATES = ("active", "queued", "pending_review", "conflicted", "rejected", "abandoned")


@dataclass(frozen=True)
class Section:
    """Components of one kind: `items` of an ordered list when `listed`, else blocks that stand by themselves; `form` is
    where their fields belong to.
    """

    id: str
    title: str
    items: list[SafeString]
    listed: bool = True
    form: str = ""


def _drawn(partial: str, *filled: dict[str, Any]) -> list[SafeString]:
    return [render_to_string(f"pages/_{partial}.html", context) for context in filled]


def _within(tag: str, name: str, items: list[SafeString]) -> SafeString:
    return SafeString(f'<{tag} class="{name}">{"".join(items)}</{tag}>')


def _landings() -> Section:
    projects = [Given(owner="acme", handle="api", visibility=seen) for seen in ("public", "private")]
    at_home = [{"row": LANDED, "project": each, "site": _SITE, "person": each is projects[1]} for each in projects]
    return Section("lists", "Landings", [
        *_drawn("landing", {"row": LANDED}, {"row": COMMIT}), *_drawn("done", *at_home),
    ])  # fmt: skip


def _open() -> Section:
    rows = [Given(address="#open", headline="Water the roses", state=state, author="ada", agent=agent, at=AT)
            for state, agent in zip(_OPEN_STATES, ("codex", "", "", "", "", ""), strict=True)]  # fmt: skip
    unsaid = Given(address="#open", headline="", state="active", author="", agent="", at=None)
    return Section("open", "Open sessions", _drawn("open", *({"row": row} for row in (*rows, unsaid))))


def _projects() -> Section:
    def row(**more: Any) -> dict[str, Any]:
        plain = {"owner": "acme", "handle": "api", "description": "Small services.", "visibility": "public"}
        return {"row": Given(**{**plain, "address": "#projects", "last": None, **more}), "show_owner": True}

    def found(**more: Any) -> dict[str, Any]:
        project = Given(
            owner="acme", handle="api", description="Small services.", visibility=more.pop("seen", "public")
        )
        counts = {"stars": 0, "new_stars": 0, "landings": 0, "people": 0, "agents": 0}
        return {"row": Given(**{"project": project, "moved_at": AT, **counts, **more}), "address": "#projects"}

    return Section("projects", "Projects and organizations", [
        *_drawn("project", row(last=LANDED), row(last=LANDED, visibility="private"), row(), row(visibility="private")),
        *_drawn("explored",
            found(stars=1204, new_stars=12, landings=9, people=2, agents=1)
            | {"language": "Python", "topics": [("auth", "#projects")]},
            found(seen="private", landings=3, people=3), found(landings=1, agents=1), found()),
        *_drawn("organization",
            {"organization": Given(handle="acme", name="Acme", description="Small services.", role="owner")},
            {"organization": Given(handle="solo", name="solo", description="", role="reader")}),
        *_drawn("found_owner",
            {"row": Given(person=True, handle="ada", name="Ada Maintainer")},
            {"row": Given(person=False, handle="acme", name="Acme")}),
        *_drawn("found_project", *({"row": Given(owner="acme", handle="api", description="Small.", visibility=seen),
                                    "site": _SITE} for seen in ("public", "private"))),
    ])  # fmt: skip


def _marks() -> Section:
    def branch(last: Any, origin: str) -> dict[str, Any]:
        return {"site": _SITE, "branch": Given(name="fix/login", origin=origin, position=41), "head": 42,
                "last": last, "landing": "#marks", "goal": "Say how keys rotate"}  # fmt: skip

    def tag(name: str, *, landing: str = "", commit: bool = True, tagger: str = "") -> dict[str, Any]:
        about = Given(position=42, tagger=tagger, at=AT if tagger else None, is_commit=commit)
        return {"tag": about, "name": name, "words": "The first release" if tagger else "", "target": "a0" * 5,
                "landing": landing, "files": landing, "zip": landing, "tar": landing}  # fmt: skip

    moved = Given(owner_handle="ada", landed_at=AT)
    return Section("marks", "Branches, tags, contributors", [
        *_drawn("branch", branch(moved, "main"), branch(None, "main"), branch(None, "")),
        *_drawn("tag", tag("v1.0", landing="#marks", tagger="Ada"), tag("beside"), tag("directory", commit=False)),
        *_drawn("contributor", *(
            {"row": Given(name="Ada Maintainer", handle=handle, landings=41, with_agents=agents, first=1, last=42),
             "address": "#marks", "first": "#marks", "last": "#marks"} for handle, agents in (("ada", 12), ("", 0)))),
    ])  # fmt: skip


def _results() -> Section:
    found = (Part("claims = ", False), Part("Claims", True), Part("(user.id)", False))
    said = Given(title=found, position=42, lines=[Line(1, found)], owner="acme", project="api", author="Ada",
                 agent="codex", at=AT, number=0)  # fmt: skip
    decided = Given(**{**vars(said), "number": 1, "agent": "", "lines": []})
    told = Given(title=found, address="#results", where="Users", lines=[Line(1, found)])
    return Section("results", "Results of a search", [
        *_drawn("found_said", {"row": said, "address": "#results"}, {"row": decided, "address": "#results"}),
        *_drawn("found_told", {"row": told}),
    ])  # fmt: skip


def _found_files() -> Section:
    name, line = (Part("src/", False), Part("auth", True)), (Part("def ", False), Part("issue", True))
    row = Given(name=name, owner="acme", project="api", more=True)
    plain = Given(name=name, owner="acme", project="api", more=False)
    lines = [("#found", Line(21, line)), ("#found", Line(40, line))]
    return Section("found", "Files that were found", _drawn(
        "found_code", {"row": row, "file": "#found", "site": _SITE, "lines": lines},
        {"row": plain, "file": "#found", "site": _SITE, "lines": []},
    ), listed=False)  # fmt: skip


def _files() -> Section:
    def row(name: str, *, directory: bool = False, note: str = "", last: LandingItem | None = None) -> SafeString:
        file = Given(address="#files", is_directory=directory, name=name, note=note, last=last)
        return render_to_string("pages/_file.html", {"file": file})

    rows = [row("src", directory=True, last=LANDED), row("latest", note="symbolic link"), row("a.py", last=COMMIT)]
    table = {"files": rows, "parent": "#files", "directory": "docs", "begun": True, "more": "a"}
    where = Given(root="#files", parents=[Given(address="#files", name="src")], name="", position=42, landing="#files")
    shares = [
        Share("python", 700),
        Share("rust", 200),
        Share("c", 60),
        Share("go", 20),
        Share("lua", 12),
        Share("d", 8),
    ]
    return Section("files", "Files", [
        _within("div", "where", _drawn("where", {"where": where, "project": Given(handle="api")})),
        *_drawn("last", {"last": LANDED}),
        *_drawn("files", table), *_drawn("languages", {"languages": bar(shares)}),
    ], listed=False)  # fmt: skip


def _origins() -> Section:
    def origin(**more: Any) -> dict[str, Any]:
        plain = {
            "item": LANDED,
            "author": "agent",
            "of_line": False,
            "writer": "",
            "settled": True,
            "alike": False,
            "elsewhere": "",
            "there": "#origins",
            "about_file": True,
            "decisions": [],
            "more": 0,
            "message": "",
        }
        return {"from": Given(**plain | more)}  # fmt: skip

    decision = Given(address="#origins", number=1, what="Sign with EdDSA", why="Front ends verify alone.")
    hunks = _drawn(
        "origin", origin(decisions=[decision], more=2, of_line=True, writer="claude-code"),
        origin(author="person", of_line=True, elsewhere="src/old.py", alike=True, decisions=[decision],
               about_file=False),
        origin(author="untracked", of_line=True, elsewhere="src/old.py"), origin(author="", settled=False),
        origin(item=COMMIT, author="person", message="Say how keys rotate\n\nThey change every month."),
    )  # fmt: skip
    blame = _within("div", "file blame", [_within("div", "hunk", [hunk]) for hunk in hunks])
    return Section("origins", "Where lines come from", [blame], listed=False)


def _differences() -> Section:
    old, new = b"a = 1\nb = 2\nc = 3\n", b"a = 1\nb = 20\nc = 3\nd = 4\n"

    def file(name: str, op: str = "changed", **more: Any) -> dict[str, Any]:
        plain = {
            "anchor": name,
            "name": f"src/{name}.py",
            "address": "#differences",
            "whole": "#differences",
            "op_words": op,
            "added": 0,
            "deleted": 0,
            "sentences": (),
            "html": "",
            "marks": (),
            "pictures": (),
            "source": "",
            "split": False,
            "is_folded": False,
            "is_cut": False,
            "last": 0,
            "rows": 0,
        }
        return {"file": Given(**plain | more), "look": Given(whole=False)}  # fmt: skip

    def rows(before: bytes, after: bytes, anchor: str) -> SafeString:
        return join_taken(diff_rows(diff_contents(before, after), anchor, {}))

    split = join_rows(html for html, _ in split_rows(diff_contents(old, new), "side", {}))

    index = _drawn("change", file("one", added=3, deleted=2), file("two", "deleted"))
    return Section("differences", "Differences of files", [
        *_drawn("changed_file",
            file("side", added=2, deleted=1, html=split, split=True),
            file("fresh", "new", added=3, html=rows(b"", old, "fresh"), is_cut=True, last=3, rows=900),
            file("gone", "deleted", deleted=3, html=rows(old, b"", "gone"), is_folded=True, address=""),
            file("moved", "renamed", source="src/before.py", sentences=("Only its name differs.",)),
            file("copied", "copied", source="src/before.py"),
            file("mode", "mode changed"),
            file("bytes", sentences=("Not text: 2.0 KiB before, 3.0 KiB after.",))),
        _within("ul", "index", index),
    ], listed=False)  # fmt: skip


def _events() -> Section:
    event = Given(actor="ada", act="made the project", object="acme/api", about=["from 192.0.2.1", "web"], at=AT)
    return Section("events", "What was done", _drawn("event", {"row": event}))


def _members() -> Section:
    ada, plain = Given(name="Ada Maintainer", handle="ada", role="admin"), Given(name="", handle="bo", role="reader")
    invited = Given(id="made-up", whom="guest@example.org", role="member", invited_by="ada", expires_at=AT)
    return Section("members", "Members and invitations", [
        *_drawn("member", {"member": ada}, {"member": plain}),
        *_drawn("member_row", {"member": ada, "manages": True, "id": "m-ada"}, {"member": plain, "manages": False}),
        *_drawn("invitation", {"row": invited}),
    ])  # fmt: skip


def _findings() -> Section:
    def finding(number: int, **more: Any) -> dict[str, Any]:
        row = {"id": number, "path": b"a", "position": 3, "found_at": AT, "note": "", "reason": "", "state": "open",
               "decided_by": ""} | more  # fmt: skip
        item = Given(
            row=Given(**row), title="A key of a cloud", address="#findings", where="config.py @3", about=["ada"]
        )
        return {"item": item, "erase": ""}

    kept_out = finding(3)
    kept_out["item"].address = ""
    decided = {"state": "allowed", "decided_by": "ada", "reason": "An example of the documentation.", "note": "test"}
    return Section("findings", "Secrets that were found", _drawn(
        "finding", finding(1) | {"erase": "/-/design?finding="}, finding(2, **decided), kept_out
    ), form="decide")  # fmt: skip


def _cells() -> Section:
    def cell(number: int, kind: str, shown: str, **more: Any) -> dict[str, Any]:
        return {"number": number, "kind": kind, "count": None, "shown": shown, "cut": False, "outputs": [],
                "left_out": 0} | more  # fmt: skip

    def output(kind: str, text: str, *, cut: bool = False) -> Given:
        return Given(kind=kind, text=text, address="", cut=cut)

    outputs = [output("text", "42"), output("error", "ZeroDivisionError"), output("other", "application/x-thing")]
    return Section("cells", "Cells of a notebook", _drawn(
        "cell", cell(1, "markdown", SafeString("<p>Some words.</p>")),
        cell(2, "code", "1 / 0", count=3, outputs=outputs, left_out=2), cell(3, "raw", "as it is", cut=True),
    ), listed=False)  # fmt: skip


def _forms() -> Section:
    counts = [
        Given(number=41, total=120, words="commit", many="commits"),
        Given(number=1, total=0, words="tag", many="tags"),
    ]
    roles = [("reader", "sees"), ("member", "lands")]
    return Section("forms", "Forms and their answers", [
        *_drawn("refused", {"refused": "acme/api is there already. Choose another handle."}),
        *_drawn("import_counts", {"counts": counts}),
        _within("div", "form", _drawn("roles", {"field": "made-up-role", "roles": roles})),
        *_drawn("ways", {}),
    ], listed=False)  # fmt: skip


SECTIONS: tuple[Callable[[], Section], ...] = (
    _landings, _open, _projects, _marks, _results, _found_files, _files, _origins, _differences, _events, _members,
    _findings, _cells, _forms,
)  # fmt: skip


def sections() -> Iterator[Section]:
    """All of them, drawn."""
    for made in SECTIONS:
        yield made()
