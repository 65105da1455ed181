"""What a ref may become by a push, as far as names, ids and what was sent tell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mic.core.errors import MicError, SecretFound
from mic.git.arriving import is_ours
from mic.git.kept_lines import lines_of
from mic.git.moving import MOVED, RefMove
from mic.git.packentry import COMMIT
from mic.git.quarantine import Quarantine
from mic.git.sent import BAD_NAME, MAX_NAME
from mic.git.serving import ABSENT, RefUpdate
from mic.git.shown import MAIN
from mic.git.view import LineTip, View
from micelio.projects.queries import project_name
from micelio.sentences import for_people, one_line
from micelio.sessions.git_rebase import FOR, FOR_MAIN, meant


def refused_move(view: View, update: RefUpdate, rebase: bool) -> str:
    """Why a ref may not move that way, as far as its name and its old value tell."""
    name = update.name
    if name == MAIN:
        if update.new == ABSENT:
            return "main is the project's history and cannot be deleted"
        return "" if rebase or update.old == (view.tip or ABSENT) else MOVED
    if name == FOR_MAIN:
        return "" if update.new != ABSENT else "refs/for/main is no ref: what is pushed to it lands on main"
    lines = lines_of(view)
    if name.startswith(FOR):
        return _refused_for(lines, update)
    if is_ours(name):
        return "refs of this name are the forge's own"
    if not name.startswith(b"refs/") or name.count(b"/") < 2 or BAD_NAME.search(name) or len(name) > MAX_NAME:
        return "that is no name for a ref"
    if name in lines:
        if lines[name].trouble:
            return "this branch cannot be given to git, so nothing is taken from it"
        moved = update.old != (lines[name].tip or ABSENT) and not (rebase and update.new != ABSENT)
        return MOVED if moved else ""
    if update.old != view.refs.get(name, ABSENT):
        return MOVED
    if update.old == update.new == ABSENT:
        return "there is no such ref to delete"
    if update.new != ABSENT and any(
        other.startswith(name + b"/") or name.startswith(other + b"/") for other in [*view.refs, *lines, MAIN]
    ):
        return "another ref is in the way: one name would be below the other"
    return ""


def _refused_for(lines: Mapping[bytes, LineTip], update: RefUpdate) -> str:
    line = lines.get(meant(update.name))
    if line is None:
        return "only refs/for/main and those of branches that sessions land on take commits"
    if update.new == ABSENT:
        return "that is no ref: what is pushed to it lands on the branch"
    return "this branch cannot be given to git, so nothing is taken from it" if line.trouble else ""


def moves_of(updates: Sequence[RefUpdate], grown: set[bytes]) -> list[RefMove]:
    """The updates as moves; `grown` can reach all that they named before."""
    return [RefMove(update.name, update.old, update.new, update.name in grown) for update in updates]


def wrong_target(quarantine: Quarantine, update: RefUpdate, rebase: bool) -> str:
    """Why a ref may not name what it is to name."""
    if update.new == ABSENT:
        return ""
    found = quarantine.packs.find(update.new)
    if found is None:
        return "the object was not sent"
    if update.name.startswith((b"refs/heads/", b"refs/for/")) and found.kind != COMMIT:
        return "a branch names a commit"
    if (
        update.name == MAIN
        and not rebase
        and update.old != ABSENT
        and not quarantine.graph.is_ancestor(update.old, update.new)
    ):
        return "non-fast-forward: main only grows"
    return ""


def rewinds(quarantine: Quarantine, update: RefUpdate) -> bool:
    """Whether the ref gives something up that it named."""
    if update.old == ABSENT:
        return False
    graph = quarantine.graph
    return not (update.old in graph and update.new in graph and graph.is_ancestor(update.old, update.new))


def refusal_words(error: MicError) -> str:
    """Why a push was refused, on one line, for people."""
    if isinstance(error, SecretFound):
        hint = "Revoke it and take it out of the commits; an admin may push with `-o accept-secrets=REASON`."
        error = SecretFound(error.message, hint=hint, **error.details)
    return one_line(for_people(error, project_name))
