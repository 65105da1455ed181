"""`/-/search`: one box over code, sessions, decisions, projects and people."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse

from mic.core.errors import InvalidInput
from micelio.accounts.actor import Actor
from micelio.pages.answers import Page, page, problem
from micelio.pages.found import KINDS, FoundPart, as_markdown, found_token, in_path, result_data, result_html
from micelio.pages.weight import ROOM, Scale
from micelio.search.asked import LONGEST, Asked, parse_asked
from micelio.search.queries import Found, find, find_all
from micelio.texts.looking import Told, look

PAGE = 20
FEW = 5


@page
def search(request: HttpRequest, actor: Actor) -> Page | HttpResponse:
    """A few results of each kind, or a page of one; without a question, what can be asked.

    A question that cannot be meant that way stands in the box, to be mended.
    """
    try:
        return _found(request, actor)
    except InvalidInput as error:
        query, repo, branch = (request.GET.get(name, "") for name in ("q", "repo", "branch"))
        places = {"everywhere": _address(query, "", ""), "on_main": _address(query, repo, "")}
        kept = {"query": query, "repo": repo, "branch": branch, "longest": LONGEST, **places}
        return problem(request, error, "pages/search.html", kept)


def _found(request: HttpRequest, actor: Actor) -> Page:
    query, repo = request.GET.get("q", ""), request.GET.get("repo", "")
    branch = request.GET.get("branch", "") if repo else ""
    kind, after = request.GET.get("type", ""), request.GET.get("after", "")
    if kind and kind not in KINDS:
        raise InvalidInput(f"There is no kind of result called `{kind[:20]}`.", hint=f"Ask for {', '.join(KINDS)}.")
    place = f'repo:{repo} branch:"{branch}"' if branch else f"repo:{repo}"
    whole = f"{place} {query}" if repo and query.strip() else query
    asked = parse_asked(whole)
    found: dict[str, Found | FoundTold] = {}
    if query.strip():
        found = {kind: _of_kind(actor, kind, asked, after)} if kind else {**find_all(actor, asked, FEW), **_docs(asked)}
    scale = Scale()
    parts = [_part(name, rows, scale, len(found)) for name, rows in found.items()]
    context = {
        "query": query,
        "repo": repo,
        "branch": branch,
        "on_branch": asked.branch,
        "kind": kind,
        "longest": LONGEST,
        "kinds": [(name, words, _address(query, repo, name, branch=branch)) for name, words in KINDS.items()],
        "everything": _address(query, repo, "", branch=branch),
        "on_main": _address(query, repo, kind),
        "everywhere": _address(query, "", kind) if repo else "",
        "sections": [
            (part, _address(query, repo, part.name, part.after if kind else "", branch)) for part in parts if part.html
        ],
        "too_little": bool(query.strip()) and kind != "docs" and not asked.finds_text,
        "cut": any(rows.cut for rows in found.values()),
        "next": _address(query, repo, kind, parts[0].after, branch) if kind and parts and parts[0].after else "",
        "feed": f"/-/search.atom?{urlencode({'q': whole})}" if query.strip() else "",
        "begun": bool(after),
    }
    data = {
        "query": query,
        "repo": repo or None,
        "branch": asked.branch or None,
        "results": {part.name: [result_data(row) for row in part.rows] for part in parts},
        "next_after": parts[0].after or None if kind and parts else None,
        "cut": context["cut"],
    }
    return Page("pages/search.html", context, data, lambda: as_markdown(whole, parts))


@dataclass(frozen=True)
class FoundTold:
    """What was found in the forge's own texts, in the shape of what is found elsewhere."""

    rows: list[Told]
    after: str = ""
    cut: bool = False


def _of_kind(actor: Actor, kind: str, asked: Asked, after: str) -> Found | FoundTold:
    return FoundTold(*look(asked, after, PAGE)) if kind == "docs" else find(actor, kind, asked, after, PAGE)


def _docs(asked: Asked) -> dict[str, FoundTold]:
    return {"docs": FoundTold(*look(asked, "", FEW))}


def _part(name: str, found: Found | FoundTold, scale: Scale, parts: int) -> FoundPart:
    """As many of the results as fit; of several parts none takes the room of all."""
    html = scale.fill(found.rows, result_html, 0 if parts == 1 else max(0, scale.left - ROOM // 3))
    after = found.after if len(html) == len(found.rows) else found_token(found.rows[len(html) - 1])
    # The page ends where the search did; on it those come first whose path has what was looked for.
    order = sorted(range(len(html)), key=lambda n: in_path(found.rows[n]), reverse=True)
    return FoundPart(name, [found.rows[n] for n in order], [html[n] for n in order], after)


def _address(query: str, repo: str, kind: str, after: str = "", branch: str = "") -> str:
    asked = {"q": query, "repo": repo, "branch": branch, "type": kind, "after": after}
    return "/-/search?" + urlencode({name: value for name, value in asked.items() if value})
