"""Whose a path is, and who lands it: the list of owners in a tree, beside what the project protects.

Until there are reviews, a protected path is landed by its owners and by admins. Its owners are those that the list at
the head says, not the list that the session brings along; and where paths are protected, so is that list.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from typing import NamedTuple

from mic.core.errors import Erased, NotFound, Protected
from mic.core.paths import display, parse_path
from mic.core.tree import EMPTY_TREE, Entry
from mic.ledger.project import Project as Ledgered
from micelio.accounts.actor import Actor
from micelio.accounts.queries import handles_of, proven_addresses
from micelio.organizations.queries import memberships
from micelio.organizations.roles import Role, at_least
from micelio.owners.rules import (
    MAX_BYTES,
    NONE,
    PATH,
    Owners,
    Problem,
    Rule,
    parse_owners,
    read_owners,
    remembered,
)
from micelio.projects import policy
from micelio.projects.ledgers import open_ledger
from micelio.projects.project_view import ProjectView
from micelio.projects.protection import Protection, may_land_by, protection_of
from micelio.projects.queries import MAX_ORGANIZATIONS

# Bytes that refused paths may take in the trailing metadata of an answer, beside its message.
_DOCUMENT = 4_000
_REGULAR = 0o100000 >> 12
_LARGE = Owners((), (Problem(0, f"It is no regular file of at most {MAX_BYTES:,} bytes."),))


def names_of(actor: Actor) -> frozenset[str]:
    """What owners' lists may call an actor: a handle, organizations they write in, addresses proven to be theirs.

    Handles of before count too: they are nobody else's, and a list is not mended in the moment of a renaming.
    """
    if actor.user_id is None:
        return frozenset()
    writes = [row for row in memberships(actor, limit=MAX_ORGANIZATIONS) if at_least(row.role, Role.MEMBER)]
    before = handles_of([actor.user_id, *(row.id for row in writes)])
    handles = [actor.handle, *(row.handle for row in writes), *before]
    return frozenset([*(f"@{handle}" for handle in handles), *proven_addresses(actor)])


def require_line(actor: Actor, project: ProjectView, line: str = "") -> None:
    """Raises Protected unless the actor, who may write to the project, may land on a line of it.

    That is the one that `project` is looked at on, or another by its name.
    """
    if not project.protection:
        return
    line = line or project.branch
    rule = protection_of(project.protection).rule_for(line)
    if rule is None or at_least(policy.role_in(actor, project.id), Role.ADMIN):
        return
    names = names_of(actor) if rule.who else frozenset()
    if any(may_land_by(actor, project, word, names) for word in rule.who):
        return
    who = _listed([*rule.who, f"admins of {project.owner}/{project.handle}"])
    raise Protected(
        f"The line {line} of {project.owner}/{project.handle} is protected: {who} land on it.",
        hint="Ask one of them to land this, or to let you.",
        document={"line": line, "rule": rule.lines, "who": list(rule.who)},
    )


class OwnersGate:
    """The paths of a project that only their owners land, asked for one who is not an admin (`mic.ledger.gate`)."""

    path = PATH
    limit = MAX_BYTES

    def __init__(self, project: ProjectView, protection: Protection, names: frozenset[str]) -> None:
        self._project, self._protection, self._names = project, protection, names
        self._read: dict[bytes, Owners] = {}

    def knows(self, content: bytes) -> bool:
        """Whether the list with this hash was read before; then this gate keeps it until it is asked."""
        found = remembered(content)
        if found is not None:
            self._read[content] = found
        return found is not None

    def judge(self, entry: Entry | None, content: bytes | None, paths: Collection[bytes]) -> None:
        """Raises Protected for paths that are others'."""
        self.require(paths, lambda: self._owners(entry, content))

    def require(self, paths: Collection[bytes], listed: Callable[[], Owners]) -> None:
        """As `judge`, by the list that `listed` reads when it is needed."""
        owners: Owners | None = None
        refused: list[tuple[bytes, str, Rule | None]] = []
        for path in paths:
            pattern = protected_by(self._protection, path)
            if pattern is None:
                continue
            if owners is None:
                owners = listed()
            rule = owners.rule_for(path)
            if rule is None or self._names.isdisjoint(rule.owners):
                refused.append((path, pattern, rule))
        if refused and owners is not None:
            raise _protected(self._project, owners, sorted(refused, key=lambda item: item[0]))

    def _owners(self, entry: Entry | None, content: bytes | None) -> Owners:
        if entry is None:
            return NONE
        return self._read.get(entry.hash, _LARGE) if content is None else read_owners(entry.hash, content)


def gate_for(actor: Actor, project: ProjectView) -> OwnersGate | None:
    """What a landing is asked by at the head that it lands on; None when it need not be."""
    if not project.protection:
        return None
    protection = protection_of(project.protection)
    if not protection.paths or at_least(policy.role_in(actor, project.id), Role.ADMIN):
        return None
    return OwnersGate(project, protection, names_of(actor))


def protected_by(protection: Protection, path: bytes) -> str | None:
    """The pattern that protects a path. Whoever could change the list of owners could make themselves one."""
    if not protection.paths:
        return None
    return protection.protected_by(path) or (f"/{PATH.decode()}" if path == PATH else None)


def _protected(project: ProjectView, owners: Owners, refused: list[tuple[bytes, str, Rule | None]]) -> Protected:
    rows, size = [], 0
    for path, pattern, rule in refused:
        row = {
            "path": display(path),
            "protected_by": pattern,
            "line": rule.line if rule else None,
            "rule": display(rule.pattern) if rule else None,
            "owners": list(rule.owners) if rule else [],
        }
        size += len(json.dumps(row).encode()) + 2
        if size > _DOCUMENT:
            break
        rows.append(row)
    path, pattern, rule = refused[0]
    more = f", and {len(refused) - 1} more" if len(refused) > 1 else ""
    return Protected(
        f"{_short(display(path))} is protected by {_short(pattern)}{more}: {why(project, owners, rule)}",
        hint="Ask one of them to land this. `mic owners PATH` says who owns a path, and why.",
        document={"protected": rows, "count": len(refused)},
    )


def why(project: ProjectView, owners: Owners, rule: Rule | None) -> str:
    """Who lands a protected path that this rule decides about, and what says so."""
    admins = f"admins of {project.owner}/{project.handle}"
    if owners.problems:
        return f"{PATH.decode()} cannot be read, so only {admins} land it."
    if rule is None:
        return f"nobody is named for it in {PATH.decode()}, so only {admins} land it."
    where = f"{PATH.decode()} line {rule.line}, `{_short(display(rule.pattern))}`"
    if not rule.owners:
        return f"{where}, says that nobody owns it, so only {admins} land it."
    return f"{_listed([*rule.owners, admins])} land it ({where})."


def _listed(words: list[str]) -> str:
    """`a, b and c`; of many the first ones and how many more."""
    if len(words) > 6:
        words = [*words[:4], f"{len(words) - 5} more", words[-1]]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _short(text: str) -> str:
    return text if len(text) <= 100 else f"…{text[-99:]}"


def owners_at(ledger: Ledgered, position: int) -> Owners | None:
    """The list of owners at a position of a project; None when there is none. For whoever has asked a policy."""
    root = ledger.tree_at(position)
    entry = ledger.entry(root, PATH) if root != EMPTY_TREE else None
    if entry is None:
        return None
    readable = entry.mode >> 12 == _REGULAR and entry.size <= MAX_BYTES
    known = remembered(entry.hash) if readable else _LARGE
    try:
        return known or read_owners(entry.hash, ledger.blob(entry.hash, MAX_BYTES))
    except Erased as erased:  # admins land another; nobody else lands what it protects
        return parse_owners(str(erased.details["text"]).encode())


class Ownership(NamedTuple):
    """Whose a path is at a position. `protected_by` is the pattern that makes it matter; None: whoever writes lands it.

    `reason` says it in a sentence; `listed` whether there is a list; its problems when it cannot be read.
    """

    path: bytes
    position: int
    protected_by: str | None
    rule: Rule | None
    listed: bool
    problems: tuple[Problem, ...]
    reason: str


def explain_owners(actor: Actor, project: ProjectView, path: bytes, position: int | None = None) -> Ownership:
    """Whose a path is, as the list at a position says, which need not hold such a path; for whoever reads the project.

    Raises NotFound beyond the head, InvalidPath.
    """
    policy.require_read(actor, project)
    path = parse_path(path)
    ledger = open_ledger(project.line)
    head = ledger.head()
    at = head.position if position is None else position
    if at > head.position:
        raise NotFound(
            f"There is no position @{at} in {project.owner}/{project.handle}.", hint=f"The head is @{head.position}."
        )
    listed = owners_at(ledger, at)
    owners = listed or NONE
    rule = owners.rule_for(path)
    pattern = protected_by(protection_of(project.protection), path)
    return Ownership(
        path, at, pattern, rule, listed is not None, owners.problems, _reason(project, owners, rule, pattern)
    )


def _reason(project: ProjectView, owners: Owners, rule: Rule | None, pattern: str | None) -> str:
    if pattern is not None:
        return f"It is protected by {_short(pattern)}: {why(project, owners, rule)}"
    everybody = f"It is not protected, so all members of {project.owner}/{project.handle} land it"
    if owners.problems:
        return f"{everybody}. {PATH.decode()} cannot be read."
    if rule is None:
        return f"{everybody}. No line of {PATH.decode()} names an owner."
    where = f"{PATH.decode()} line {rule.line}, `{_short(display(rule.pattern))}`"
    if not rule.owners:
        return f"{everybody}. {where}, says that nobody owns it."
    return f"{everybody}. Its owners are {_listed(list(rule.owners))} ({where})."
