"""Who may land where in a project: on which lines, and which paths are their owners'.

What a project says of it is one text in its row, so a project that protects nothing pays nothing for it. Admins of a
project land everywhere. A line is named by a pattern: `main`, a branch that sessions land on, or one that only git
knows. What is asked about is the line that would move, whatever whoever lands calls it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import msgspec
from django.db import transaction

from mic.core.errors import Corrupt, InvalidInput
from mic.core.patterns import MAX_PATTERN, Patterns, translate
from micelio.accounts.actor import Actor
from micelio.accounts.queries import nobodys
from micelio.audit.actions import record
from micelio.organizations.roles import Role, at_least
from micelio.owners.rules import is_owner
from micelio.projects import policy
from micelio.projects.actions import entered, held
from micelio.projects.models import Project
from micelio.projects.project_view import ProjectView

MAX_RULES = 100
MAX_WHO = 50
_ROLES = {f"role:{role}": role for role in (Role.MEMBER, Role.ADMIN, Role.OWNER)}


class LineRule(msgspec.Struct, frozen=True):
    """Besides admins only these land on the lines that a pattern matches: `@handle`, `@organization`, `role:member`."""

    lines: str
    who: tuple[str, ...] = ()


class Protection(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules for lines, of which the last that matches decides, and patterns of paths that only their owners land."""

    lines: tuple[LineRule, ...] = ()
    paths: tuple[str, ...] = ()

    def rule_for(self, line: str) -> LineRule | None:
        """The rule that decides about a line; None when everybody who writes may land on it."""
        at = _together(tuple(rule.lines for rule in self.lines)).last(line.encode("utf-8", "surrogateescape"))
        return None if at is None else self.lines[at]

    def protected_by(self, path: bytes) -> str | None:
        """The pattern that protects a path, None when none does."""
        at = _together(self.paths).last(path)
        return None if at is None else self.paths[at]


NONE = Protection()


@lru_cache(maxsize=256)
def _together(patterns: tuple[str, ...]) -> Patterns:
    return Patterns([pattern.encode() for pattern in patterns])


def get_protection(actor: Actor, project: ProjectView) -> Protection:
    """Who may land where in a project that the actor may read."""
    policy.require_read(actor, project)
    return protection_of(project.protection)


@lru_cache(maxsize=1024)
def protection_of(text: str) -> Protection:
    """What a project's text says. Raises Corrupt: what cannot be read protects all."""
    if not text:
        return NONE
    try:
        return msgspec.json.decode(text, type=Protection)
    except msgspec.MsgspecError as error:
        raise Corrupt("What the project says of who may land cannot be read.", hint="Set it again.") from error


@transaction.atomic
def protect_project(
    actor: Actor,
    owner: str,
    handle: str,
    *,
    lines: Sequence[LineRule] | None = None,
    paths: Sequence[str] | None = None,
) -> ProjectView:
    """Say who may land where, for admins of the project; None leaves a part as it is, an empty list protects nothing.

    Where paths are protected, so is the list of owners itself. Raises NotFound, Unauthenticated, PermissionDenied,
    InvalidInput, Unavailable.
    """
    policy.require_changing(actor)
    project = held(actor, owner, handle)
    policy.require_manage(actor, project)
    before = protection_of(project.protection)
    after = Protection(
        before.lines if lines is None else tuple(map(_line_rule, lines)),
        before.paths if paths is None else tuple(_pattern(path, "path") for path in paths),
    )
    if max(len(after.lines), len(after.paths)) > MAX_RULES:
        raise InvalidInput(f"There are more than {MAX_RULES} rules.", hint="Use wider patterns.")
    if after == before:
        return project
    _require_known(before, after)
    text = msgspec.json.encode(after).decode() if after != NONE else ""
    Project.objects.filter(id=project.id).update(protection=text)
    name = f"{project.owner}/{project.handle}"
    record(
        actor,
        "project.protect",
        "project",
        project.id,
        name,
        organization_id=project.owner_id,
        before=msgspec.to_builtins(before),
        after=msgspec.to_builtins(after),
    )
    return entered(project.id, project.role)


def _line_rule(rule: LineRule) -> LineRule:
    who = tuple(word.strip().lower() for word in rule.who if word.strip())
    if len(who) > MAX_WHO:
        raise InvalidInput(f"A rule names {len(who)}; the most are {MAX_WHO}.", hint="Name an organization.")
    for word in who:
        if word not in _ROLES and not is_owner(word):
            raise InvalidInput(
                f"{word[:60]!r} is nobody who could land.",
                hint="Use @handle, @organization, an e-mail address, role:member, role:admin or role:owner.",
            )
    return LineRule(_pattern(rule.lines, "line"), who)


def _require_known(before: Protection, after: Protection) -> None:
    """A handle that nobody has would let in whoever takes it one day. What stood there already stays."""
    stood = {word for rule in before.lines for word in rule.who}
    named = {word[1:] for rule in after.lines for word in rule.who if word.startswith("@") and word not in stood}
    unknown = nobodys(named)
    if unknown:
        raise InvalidInput(
            f"@{min(unknown)} is neither a person nor an organization here.",
            hint="Look at how the handle is written, or wait until it is there.",
        )


def _pattern(text: str, what: str) -> str:
    text = text.strip()
    try:
        usable = translate(text.encode()) is not None and text.isprintable()
    except UnicodeEncodeError:
        usable = False
    if not usable:
        raise InvalidInput(
            f"{text[:60]!r} is no pattern of a {what}.",
            hint=f"Use the patterns of gitignore, at most {MAX_PATTERN} bytes: main, release/*, /docs/, *.tf.",
        )
    return text


def may_land_by(actor: Actor, project: ProjectView, word: str, names: frozenset[str]) -> bool:
    """Whether a word of a line's rule is about the actor, whose names these are."""
    role = _ROLES.get(word)
    if role is not None:
        return at_least(policy.role_in(actor, project.id), role)
    return word in names
