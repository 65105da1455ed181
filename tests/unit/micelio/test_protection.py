"""Who lands where: protected lines, protected paths and their owners, through every way in."""

from __future__ import annotations

from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from joining import let_in
from ledgers import LINK, REGULAR, Wanted, request
from mic.core.errors import InvalidInput, InvalidOwners, InvalidPath, MicError, NotFound, PermissionDenied, Protected
from mic.ledger.intents import waiting
from mic.ledger.ledger import Ledger
from mic.ledger.project import Landed
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.deletion import delete_project
from micelio.projects.members import set_project_member
from micelio.projects.moves import archive_project
from micelio.projects.ownership import explain_owners
from micelio.projects.protection import LineRule, Protection, get_protection, protect_project
from micelio.projects.queries import get_project
from micelio.sessions import actions as sessions
from micelio.sessions import later, queries
from micelio.sessions.carry_out import carry_out
from micelio.sessions.intake import HistoryIntake

pytestmark = pytest.mark.django_db
_numbers = iter(range(1, 10_000))
OWNERS = b".micelio/OWNERS"


def _person(handle: str) -> Actor:
    return actor_of(accounts.create_user(OPERATOR, handle, email=f"{handle}@example.org"), "web")


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's store is shared, and names repeat."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore(), inspect=ledgers._inspect))


@pytest.fixture
def olga() -> Actor:
    """Owner of acme and its project web."""
    olga = _person("olga")
    organizations.create_organization(olga, "acme")
    create_project(olga, "acme", "web", visibility="public")
    return olga


@pytest.fixture
def people(olga: Actor) -> dict[str, Actor]:
    """ada and max are members of acme; ada is one of writers too, rob only reads there; adam is an admin."""
    made = {name: _person(name) for name in ("ada", "max", "rob", "adam")}
    organizations.create_organization(olga, "writers")
    for name, role in (("ada", "member"), ("max", "member"), ("rob", "member"), ("adam", "admin")):
        let_in(olga, "acme", name, role)
    let_in(olga, "writers", "ada")
    let_in(olga, "writers", "rob", "reader")
    return made


def _land(actor: Actor, files: dict[bytes, Wanted], base: int | None = None) -> Landed:
    project = get_project(actor, "acme", "web")
    ledger = ledgers.open_ledger(project.id)
    wish = request(ledger, next(_numbers), ledger.head().position if base is None else base, files)
    return sessions.land(actor, project, wish.session, wish.contents)


def _refused(actor: Actor, files: dict[bytes, Wanted]) -> Protected:
    head = ledgers.open_ledger(get_project(actor, "acme", "web").id).head()
    with pytest.raises(Protected) as refused:
        _land(actor, files)
    assert ledgers.open_ledger(get_project(actor, "acme", "web").id).head() == head
    return refused.value


# ------------------------------------------------------------------ lines


def test_only_admins_land_on_a_protected_line(olga: Actor, people: dict[str, Actor]) -> None:
    """Others start sessions and read, and are told who lands."""
    protect_project(olga, "acme", "web", lines=[LineRule("main")])
    assert _land(people["adam"], {b"a": b"1"}).position == 1
    refused = _refused(people["max"], {b"a": b"2"})
    assert refused.message == "The line main of acme/web is protected: admins of acme/web land on it."
    assert refused.details["document"] == {"line": "main", "rule": "main", "who": []}
    assert sessions.start_session(people["max"], get_project(people["max"], "acme", "web"), "Try", 1).goal == "Try"
    set_project_member(olga, "acme", "web", "max", "admin")
    assert _land(people["max"], {b"a": b"2"}).position == 2
    protect_project(olga, "acme", "web", lines=[])
    assert _land(people["ada"], {b"a": b"3"}).position == 3


@pytest.mark.parametrize(
    ("rules", "lands"),
    [
        ([("main", ["@max"])], {"max"}),
        ([("*", ["@WRITERS"])], {"ada"}),
        ([("main", ["role:member"])], {"ada", "max", "rob"}),
        ([("main", ["role:admin"])], set()),
        ([("main", ["max@example.org"])], {"max"}),
        ([("release/*", [])], {"ada", "max", "rob"}),
        ([("*", []), ("main", ["@ada", "@rob"])], {"ada", "rob"}),
        ([("main", ["@ada"]), ("ma?n", [])], set()),
    ],
)
def test_who_a_rule_names(
    olga: Actor, people: dict[str, Actor], rules: list[tuple[str, list[str]]], lands: set[str]
) -> None:
    """People, organizations they write in, proven addresses, roles; the last rule that matches the line decides."""
    EmailAddress.objects.filter(user__handle="max").update(verified=True)
    protect_project(olga, "acme", "web", lines=[LineRule(lines, tuple(who)) for lines, who in rules])
    landed = set()
    for name in ("ada", "max", "rob"):
        try:
            _land(people[name], {name.encode(): b"1"})
            landed.add(name)
        except Protected:
            pass
    assert landed == lands


def test_no_way_around_a_protected_line(olga: Actor, people: dict[str, Actor]) -> None:
    """Neither by landing later, nor by an import, nor by what was accepted before."""
    project = get_project(people["max"], "acme", "web")
    ledger = ledgers.open_ledger(project.id)
    wish = request(ledger, next(_numbers), 0, {b"a": b"1"})
    assert later.land_later(people["max"], project, wish.session, wish.contents) is None
    protect_project(olga, "acme", "web", lines=[LineRule("main")])
    (item,) = ledger.run(waiting(ledger.line))
    carry_out(project.id, item)
    told = queries.standing(people["max"], project, wish.session.id)
    assert getattr(told, "code", None) == "protected"
    assert ledger.head().position == 0
    for act in (
        lambda: later.land_later(people["max"], _now(people["max"]), wish.session, wish.contents),
        lambda: HistoryIntake(people["max"], _now(people["max"]), "test"),
        lambda: sessions.land(people["max"], _now(people["max"]), wish.session, wish.contents),
    ):
        with pytest.raises(Protected):
            act()


def _now(actor: Actor) -> Any:
    return get_project(actor, "acme", "web")


# ------------------------------------------------------------------ paths

LIST = b"""\
/docs/          @writers
/docs/legal/    max@example.org
/docs/open/
"""


def _protected(olga: Actor) -> None:
    protect_project(olga, "acme", "web", paths=["/docs/", "*.tf"])
    assert _land(olga, {OWNERS: LIST, b"docs/a.md": b"1\n", b"main.tf": b"1\n"}).position == 1


def test_owners_land_what_is_protected(olga: Actor, people: dict[str, Actor]) -> None:
    """Of one path more than its owner's nothing lands, and the refusal names path, rule, line and who may."""
    _protected(olga)
    assert _land(people["ada"], {b"docs/a.md": b"2\n", b"free.txt": b"x"}).position == 2
    assert _land(people["max"], {b"src/a.py": b"x"}).position == 3
    refused = _refused(people["max"], {b"src/a.py": b"y", b"docs/a.md": b"3\n"})
    assert refused.message == (
        "docs/a.md is protected by /docs/: @writers and admins of acme/web land it (.micelio/OWNERS line 1, `/docs/`)."
    )
    assert refused.details["document"] == {
        "protected": [
            {"path": "docs/a.md", "protected_by": "/docs/", "line": 1, "rule": "/docs/", "owners": ["@writers"]}
        ],
        "count": 1,
    }
    # rob only reads among the writers, max has only said that the address is his, nobody owns what is open.
    assert "@writers" in _refused(people["rob"], {b"docs/a.md": b"3\n"}).message
    assert "max@example.org and admins of" in _refused(people["max"], {b"docs/legal/x": b"1"}).message
    assert "says that nobody owns it, so only admins of acme/web land it." in (
        _refused(people["ada"], {b"docs/open/x": b"1"}).message
    )
    assert "nobody is named for it in .micelio/OWNERS, so only" in _refused(people["ada"], {b"x/y.tf": b"1"}).message
    assert "and 1 more" in _refused(people["max"], {b"x/y.tf": b"1", b"docs/b": b"1"}).message
    _refused(people["max"], {b"docs/a.md": None})
    EmailAddress.objects.filter(user__handle="max").update(verified=True)
    assert _land(people["max"], {b"docs/legal/x": b"1"}).position == 4
    assert _land(people["adam"], {b"x/y.tf": b"1", b"docs/open/x": b"1"}).position == 5


def test_the_list_is_as_protected_as_what_it_says(olga: Actor, people: dict[str, Actor]) -> None:
    """Nobody makes themselves an owner; who owns the list changes it."""
    _protected(olga)
    refused = _refused(people["max"], {OWNERS: b"/docs/ @max\n"})
    assert refused.message.startswith(".micelio/OWNERS is protected by /.micelio/OWNERS: nobody is named for it")
    _refused(people["max"], {OWNERS: b"/docs/ @max\n", b"docs/a.md": b"mine\n"})
    _refused(people["max"], {OWNERS: None})
    _land(olga, {OWNERS: b"/docs/ @writers\n/.micelio/ @max\n"})
    assert _land(people["max"], {OWNERS: b"/docs/ @max\n/.micelio/ @max\n"}).position == 3
    assert _land(people["max"], {b"docs/a.md": b"mine\n"}, base=1).position == 4
    _refused(people["ada"], {b"docs/a.md": b"3\n"})


def test_a_project_without_protection_pays_nothing(olga: Actor, people: dict[str, Actor]) -> None:
    """No query more for a landing; of a protected one, two more for somebody whose names are needed."""
    actor = people["ada"]
    _land(actor, {b"a": b"0"})

    def asked() -> int:
        project = get_project(actor, "acme", "web")
        ledger = ledgers.open_ledger(project.id)
        wish = request(ledger, next(_numbers), ledger.head().position, {b"a": b"%d" % next(_numbers)})
        with CaptureQueriesContext(
            connection,
        ) as seen:
            sessions.land(actor, project, wish.session, wish.contents)
        assert not any("organizations_membership" in query["sql"] and "handle" in query["sql"] for query in seen) or (
            project.protection
        )
        return len(seen)

    free = asked()
    protect_project(olga, "acme", "web", paths=["/docs/"])
    assert asked() == free + 4  # the role, the organizations, the handles of before, the addresses
    protect_project(olga, "acme", "web", paths=[])
    assert asked() == free


def test_a_list_that_cannot_be_read_keeps_everybody_out_but_admins(olga: Actor, people: dict[str, Actor]) -> None:
    """One that was there before there were rules, or came with a history."""
    ledger = ledgers.open_ledger(get_project(olga, "acme", "web").id)
    ledger.land(request(ledger, next(_numbers), 0, {OWNERS: b"/docs/ @ada\n/x [\n"}))
    protect_project(olga, "acme", "web", paths=["/docs/"])
    assert ".micelio/OWNERS cannot be read, so only admins of acme/web land it." in (
        _refused(people["ada"], {b"docs/a": b"1"}).message
    )
    assert _land(people["adam"], {b"docs/a": b"1", OWNERS: b"/docs/ @ada\n"}).position == 2
    assert _land(people["ada"], {b"docs/a": b"2"}).position == 3
    found = explain_owners(ANONYMOUS, get_project(ANONYMOUS, "acme", "web"), b"docs/a", 1)
    assert [problem.line for problem in found.problems] == [2]


def test_an_import_into_a_project_with_protected_paths(olga: Actor, people: dict[str, Actor]) -> None:
    """Nobody owns anything in an empty project, so an admin brings the history in."""
    from micelio.edge.rpc.projects import _commit
    from rpc_world import commit  # messages of an import

    protect_project(olga, "acme", "web", paths=["/docs/"])
    refused = pytest.raises(Protected, match="docs/a is protected by /docs/")
    with HistoryIntake(people["ada"], _now(people["ada"]), "test") as intake, refused:
        intake.add_commit(_commit(commit(1, {b"docs/a": b"1"})))


def test_a_push_onto_a_position(olga: Actor, people: dict[str, Actor]) -> None:
    """Commits that continue the history are judged by the list at the position that they are put on."""
    from micelio.edge.rpc import convert
    from micelio.edge.rpc.projects import _commit
    from rpc_world import added, commit, frame

    _protected(olga)

    def push(actor: Actor, path: bytes, data: bytes, onto: int) -> int:
        with HistoryIntake(actor, _now(actor), "git push", onto=onto) as intake:
            intake.add_frame(convert.frame(frame(data)))
            intake.add_commit(_commit(commit(next(_numbers), {}, changes=[added(path, data)])))
            return intake.finish().position

    assert push(people["ada"], b"docs/pushed.md", b"1\n", 1) == 2
    with pytest.raises(Protected, match="docs/late.md is protected by /docs/: @writers and admins"):
        push(people["max"], b"docs/late.md", b"2\n", 2)
    with pytest.raises(Protected, match="/.micelio/OWNERS"):
        push(people["ada"], OWNERS, b"/docs/ @max\n", 2)
    with pytest.raises(InvalidOwners, match="line 1: `max` is no owner"):
        push(olga, OWNERS, b"/docs/ max\n", 2)
    assert push(olga, OWNERS, b"/docs/ @max\n", 2) == 3
    assert push(people["max"], b"docs/late.md", b"2\n", 3) == 4


def test_what_changes_during_an_import(olga: Actor, people: dict[str, Actor]) -> None:
    """It is judged again at its end: protected, archived or deleted meanwhile, nothing of it is there."""
    from micelio.edge.rpc.projects import _commit
    from rpc_world import commit

    changes = (
        lambda: protect_project(olga, "acme", "web", paths=["/docs/"]),
        lambda: protect_project(olga, "acme", "web", lines=[LineRule("main")]),
        lambda: archive_project(olga, "acme", "web"),
        lambda: delete_project(olga, "acme", "web"),
    )
    codes = []
    for change in changes:
        project = _now(people["ada"])
        with HistoryIntake(people["ada"], project, "test") as intake:
            intake.add_commit(_commit(commit(1, {})))
            change()
            with pytest.raises(MicError) as refused:
                intake.finish()
            codes.append(refused.value.code)
        assert ledgers.open_ledger(project.id).head().position == 0
        if change is not changes[-1]:
            protect_project(olga, "acme", "web", lines=[], paths=[])
            archive_project(olga, "acme", "web", archived=False)
    assert codes == ["precondition_failed", "protected", "archived", "not_found"]


# ------------------------------------------------------------------ what may be said


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({OWNERS: b"/docs/ ada\n"}, "line 1: `ada` is no owner"),
        ({OWNERS: (LINK, b"elsewhere")}, "must be a regular file"),
        ({OWNERS: b"#" * (256 * 1024 + 1)}, "has more than 262,144 bytes"),
    ],
)
def test_a_list_that_cannot_be_read_does_not_land(
    olga: Actor, people: dict[str, Actor], files: dict[bytes, Wanted], message: str
) -> None:
    """From nobody, protected or not, at once or later."""
    with pytest.raises(InvalidOwners, match=message):
        _land(olga, files)
    project = get_project(people["ada"], "acme", "web")
    wish = request(ledgers.open_ledger(project.id), next(_numbers), 0, files)
    with pytest.raises(InvalidOwners, match=message):
        later.land_later(people["ada"], project, wish.session, wish.contents)
    assert _land(people["ada"], {OWNERS: (REGULAR, b"/docs/ @ada\n")}).position == 1


def test_only_admins_protect(olga: Actor, people: dict[str, Actor]) -> None:
    """What is wrong is refused whole; what was said is in the audit log."""
    with pytest.raises(PermissionDenied):
        protect_project(people["max"], "acme", "web", paths=[])
    bad: list[dict[str, Any]] = [
        {"paths": ["["]},
        {"paths": [""]},
        {"paths": ["/docs/", " "]},
        {"paths": ["a\x00"]},
        {"paths": ["\ud800"]},
        {"paths": ["a" * 501]},
        {"paths": ["a\u202eb"]},
        {"paths": [f"/p{n}" for n in range(101)]},
        {"lines": [LineRule("", ("@ada",))]},
        {"lines": [LineRule("main", ("ada",))]},
        {"lines": [LineRule("main", ("role:reader",))]},
        {"lines": [LineRule("main", ("@ada", "@nobody-has-this"))]},
        {"lines": [LineRule("main", ("@\u0430da",))]},
        {"lines": [LineRule("main", tuple(f"@a{n}" for n in range(51)))]},
    ]
    for wanted in bad:
        with pytest.raises(InvalidInput):
            protect_project(olga, "acme", "web", **wanted)
    made = protect_project(olga, "acme", "web", lines=[LineRule(" main ", (" @Ada ", ""))], paths=["/docs/ "])
    assert get_protection(ANONYMOUS, made) == Protection((LineRule("main", ("@ada",)),), ("/docs/",))
    event = AuditEvent.objects.filter(action="project.protect").get()
    assert event.details == {
        "before": {},
        "after": {"lines": [{"lines": "main", "who": ["@ada"]}], "paths": ["/docs/"]},
    }
    assert protect_project(olga, "acme", "web", lines=[], paths=[]).protection == ""


def test_whose_a_path_is(olga: Actor, people: dict[str, Actor]) -> None:
    """As the list at each position says, for whoever reads the project."""
    _protected(olga)
    project = get_project(ANONYMOUS, "acme", "web")
    found = explain_owners(ANONYMOUS, project, b"docs/legal/x")
    assert (found.position, found.protected_by, found.rule, found.listed) == (
        1, "/docs/", (2, b"/docs/legal/", ("max@example.org",)), True
    )  # fmt: skip
    assert found.reason == (
        "It is protected by /docs/: max@example.org and admins of acme/web land it"
        " (.micelio/OWNERS line 2, `/docs/legal/`)."
    )
    assert explain_owners(ANONYMOUS, project, b"src/a").reason == (
        "It is not protected, so all members of acme/web land it. No line of .micelio/OWNERS names an owner."
    )
    before = explain_owners(ANONYMOUS, project, b"docs/legal/x", 0)
    assert (before.rule, before.listed) == (None, False)
    with pytest.raises(NotFound, match="no position @2"):
        explain_owners(ANONYMOUS, project, b"a", 2)
    with pytest.raises(InvalidPath):
        explain_owners(ANONYMOUS, project, b"../a")


def test_a_handle_of_before_is_still_ones_own(olga: Actor, people: dict[str, Actor]) -> None:
    """An organization that was renamed owns what the list says under its old name."""
    _protected(olga)
    organizations.rename_organization(olga, "writers", "scribes")
    assert _land(people["ada"], {b"docs/a.md": b"2\n"}).position == 2
    _refused(people["rob"], {b"docs/a.md": b"3\n"})


def test_a_closed_account_owns_nothing(olga: Actor, people: dict[str, Actor]) -> None:
    """What it has waiting is not landed in its name."""
    _protected(olga)
    project = get_project(people["ada"], "acme", "web")
    ledger = ledgers.open_ledger(project.id)
    wish = request(ledger, next(_numbers), 1, {b"docs/a.md": b"2\n"})
    later.land_later(people["ada"], project, wish.session, wish.contents)
    User.objects.filter(handle="ada").update(is_active=False)
    (item,) = ledger.run(waiting(ledger.line))
    carry_out(project.id, item)
    assert ledger.head().position == 1
