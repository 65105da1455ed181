"""What is pushed to `refs/for/NAME`: commits that the forge puts behind a line that has moved."""

from __future__ import annotations

from collections.abc import Sequence

from mic.core.paths import display
from mic.git.commits import parse_text
from mic.git.native import COMMITTER
from mic.git.packentry import COMMIT
from mic.git.packs import Packs
from mic.git.quarantine import Quarantine
from mic.git.rebase import Clashed, Picked, Rebase, to_rebase
from micelio.accounts.actor import Actor
from micelio.projects.project_view import ProjectView
from micelio.sessions.queries import last_changes

FOR = b"refs/for/"
FOR_MAIN = FOR + b"main"
# Clashing paths, and new commits, that are named one by one.
_NAMED = 3
_TOLD = 20


def meant(name: bytes) -> bytes:
    """The branch that commits of a ref land on: of `refs/for/NAME`, `refs/heads/NAME`; of any other, itself."""
    return b"refs/heads/" + name.removeprefix(FOR) if name.startswith(FOR) else name


def rebase(sent: Quarantine, here: Packs, onto: bytes, new: bytes, seconds: int) -> tuple[Rebase, list[Picked]] | None:
    """The commits of `new` behind `onto`; None when they share no history. Raises Clashed, TooLarge, InvalidPath."""
    commits = to_rebase(sent.graph, onto, new)
    if commits is None:
        return None
    work = Rebase(sent.packs, here, sent.graph, onto, COMMITTER, seconds)
    return work, [work.pick(oid) for oid in commits]


def clash_words(actor: Actor, project: ProjectView, clashed: Clashed) -> str:
    """Which paths clash, and who landed what stands there now, in one line."""
    named = []
    for path in clashed.paths[:_NAMED]:
        directory, _, name = path.rpartition(b"/")
        row = last_changes(actor, project, directory, [name]).get(name)
        by = f" (@{row.position} by {row.author_name}: {_short(row.goal)})" if row is not None else ""
        named.append(f"{_short(display(path))}{by}")
    more = len(clashed.paths) - len(named)
    rest = f" and {more} more" if more else ""
    commit = clashed.commit.hex()[:12]
    return f"{commit} clashes with what landed: {', '.join(named)}{rest}; fetch, rebase and push again"


def landed_words(packs: Packs, picked: Sequence[Picked], first: int, name: str) -> tuple[str, ...]:
    """What whoever pushed is told: which commit became which, and how to get them."""
    made = [item for item in picked if item.new]
    if not made:
        return (f"All of it is in {name} already; nothing landed.",)
    last = first + len(made) - 1
    where = f"@{first}" if first == last else f"@{first} to @{last}"
    what = "1 commit" if len(made) == 1 else f"{len(made):,} commits"
    lines = [f"{name} had moved: {what} rebased here and landed as {where}."]
    lines += [
        f"  {item.old.hex()[:12]} is now {item.new.hex()[:12]} {_subject(packs, item.new)}" for item in made[:_TOLD]
    ]
    if len(made) > _TOLD:
        lines.append(f"  and {len(made) - _TOLD:,} more")
    lines += [f"  {item.old.hex()[:12]} changed nothing that is not there already" for item in picked if not item.new][
        :_TOLD
    ]
    lines.append("Get them with `git pull --rebase`, which leaves out what you have.")
    return tuple(lines)


def _subject(packs: Packs, oid: bytes) -> str:
    return _short(parse_text(packs.read(oid, COMMIT)[1]).message)


def _short(text: str) -> str:
    line = (text.strip().splitlines() or [""])[0]
    return line if len(line) <= 60 else f"{line[:59]}…"
