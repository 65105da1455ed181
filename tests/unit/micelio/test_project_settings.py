"""Renaming, giving away, archiving, deleting and starring projects: who may, and what everybody else sees of it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.utils import timezone

from joining import let_in
from ledgers import land
from mic.core.errors import (
    AlreadyExists,
    Archived,
    InvalidInput,
    LimitReached,
    NotFound,
    PermissionDenied,
    Unauthenticated,
)
from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio import config
from micelio.accounts import actions as accounts
from micelio.accounts.actor import ANONYMOUS, Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.audit.models import AuditEvent
from micelio.organizations import actions as organizations
from micelio.projects import ledgers, limits, registry
from micelio.projects.actions import create_project, update_project
from micelio.projects.deletion import delete_project, list_deleted, restore_project
from micelio.projects.erasure import erase
from micelio.projects.jobs import erase_project, finish_erasures, measure_organization, measure_storage
from micelio.projects.models import Confinement, Project
from micelio.projects.moved import Move, moves
from micelio.projects.moves import archive_project, rename_project, transfer_project
from micelio.projects.queries import get_project, list_projects
from micelio.projects.restore import restore
from micelio.projects.stars import list_stars, star_project, stars_of
from micelio.sessions import actions as sessions
from micelio.sessions import projector
from micelio.sessions.intake import HistoryIntake

pytestmark = pytest.mark.django_db


def _person(handle: str, *, of: str = "") -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, handle), "web")
    if of:
        organizations.create_organization(actor, of)
    return actor


@pytest.fixture(autouse=True)
def _own_store(monkeypatch: pytest.MonkeyPatch) -> None:
    """The run's store is shared, and names repeat."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))


@pytest.fixture
def olga() -> Actor:
    """Admin of acme, which has a public project `web` with three landings."""
    actor = _person("olga", of="acme")
    made = create_project(actor, "acme", "web", visibility="public")
    ledger = ledgers.open_ledger(made.id)
    for number in (1, 2, 3):
        land(ledger, number, number - 1, {b"a/%d" % number: b"%d\n" % number})
    projector.catch_up(made.id)
    return actor


@pytest.fixture
def mia(olga: Actor) -> Actor:
    """A member of acme."""
    mia = _person("mia")
    let_in(olga, "acme", "mia")
    return mia


@pytest.fixture
def sam() -> Actor:
    """Admin of others, nobody in acme."""
    return _person("sam", of="others")


def _names(actor: Actor) -> list[str]:
    return [f"{row.owner}/{row.handle}" for row in list_projects(actor)]


def _age(project_id: UUID, days: float) -> None:
    Project.everything.filter(id=project_id).update(deleted_at=timezone.now() - timedelta(days=days))


# ------------------------------------------------------------------ addresses


def test_an_old_address_leads_to_the_project(olga: Actor) -> None:
    """Through every rename; whoever asks there is told where it is now."""
    made = get_project(olga, "acme", "web")
    assert rename_project(olga, "acme", "web", " Site ").handle == "site"
    assert rename_project(olga, "acme", "site", "pages").name == "pages"
    with moves() as moved:
        assert get_project(ANONYMOUS, "ACME", "Web").id == made.id
        assert get_project(ANONYMOUS, "acme", "site").id == made.id
        assert get_project(ANONYMOUS, "acme", "pages").id == made.id
    assert moved == [Move("acme", "web", "acme", "pages"), Move("acme", "site", "acme", "pages")]
    assert _names(ANONYMOUS) == ["acme/pages"]
    # Back again: then only the address in between leads on.
    rename_project(olga, "acme", "web", "web")
    with moves() as moved:
        assert get_project(ANONYMOUS, "acme", "web").handle == "web"
        assert get_project(ANONYMOUS, "acme", "pages").handle == "web"
    assert moved == [Move("acme", "pages", "acme", "web")]


def test_an_old_address_is_nobody_elses(olga: Actor) -> None:
    """Neither by making a project nor by renaming one; when the project is erased the address is free."""
    made = rename_project(olga, "acme", "web", "site")
    with pytest.raises(AlreadyExists, match="acme/web was the address of another project"):
        create_project(olga, "acme", "web")
    create_project(olga, "acme", "docs")
    with pytest.raises(AlreadyExists, match="acme/web was the address of another project"):
        rename_project(olga, "acme", "docs", "web")
    with pytest.raises(AlreadyExists, match="acme has a project site already"):
        rename_project(olga, "acme", "docs", "site")
    for bad in ("", ".git", "a/b", "x" * 101, "web\x00", "ｗeb", "web\u202e"):
        with pytest.raises(InvalidInput, match="cannot be the handle of a project"):
            rename_project(olga, "acme", "docs", bad)
    delete_project(olga, "acme", "site")
    _age(made.id, 8)
    assert finish_erasures.func() == 1
    assert erase(made.id) > 0
    assert create_project(olga, "acme", "web").id != made.id


def test_a_name_that_somebody_gave_is_kept(olga: Actor) -> None:
    """Only what was called by its handle is called by the new one."""
    update_project(olga, "acme", "web", name="The web")
    made = rename_project(olga, "acme", "web", "site")
    assert (made.handle, made.name) == ("site", "The web")
    event = AuditEvent.objects.get(action="project.rename")
    assert (event.object_name, event.details) == (
        "acme/web",
        {"before": {"handle": "web"}, "after": {"handle": "site"}},
    )


def test_an_old_address_tells_outsiders_nothing(olga: Actor, sam: Actor) -> None:
    """That of a private project is, word for word, one that never was."""
    update_project(olga, "acme", "web", visibility="private")
    rename_project(olga, "acme", "web", "site")
    said = []
    for handle in ("web", "never"):
        for actor in (ANONYMOUS, sam):
            with moves() as moved, pytest.raises(NotFound) as refused:
                get_project(actor, "acme", handle)
            assert moved == []
            said.append((refused.value.message.replace(handle, "NAME"), refused.value.hint))
    assert len(set(said)) == 1


def test_a_transfer_needs_both_sides(olga: Actor, mia: Actor, sam: Actor) -> None:
    """An admin of one side alone gives nothing away and takes nothing."""
    with pytest.raises(PermissionDenied, match="Only an admin of others"):
        transfer_project(olga, "acme", "web", "others")
    with pytest.raises(PermissionDenied):
        transfer_project(sam, "acme", "web", "others")
    with pytest.raises(PermissionDenied):
        transfer_project(mia, "acme", "web", "others")
    with pytest.raises(NotFound, match="no organization"):
        transfer_project(olga, "acme", "web", "nowhere")
    with pytest.raises(InvalidInput, match="acme/web is acme's already"):
        transfer_project(olga, "acme", "web", "acme")
    let_in(sam, "others", "olga", "admin")
    create_project(sam, "others", "web")
    with pytest.raises(AlreadyExists):
        transfer_project(olga, "acme", "web", "others")
    before = get_project(olga, "acme", "web")
    made = transfer_project(olga, "acme", "web", "others", "acme-web")
    assert (made.id, made.owner, made.handle, made.role) == (before.id, "others", "acme-web", "admin")
    assert get_project(ANONYMOUS, "acme", "web").owner == "others"
    with pytest.raises(PermissionDenied):
        update_project(mia, "others", "acme-web", name="x")
    events = AuditEvent.objects.filter(action__in=["project.transfer", "project.receive"]).order_by("id")
    assert [(event.action, event.object_name) for event in events] == [
        ("project.transfer", "acme/web"),
        ("project.receive", "others/acme-web"),
    ]
    assert len({event.organization_id for event in events}) == 2


def test_what_a_transferred_project_confines_is_its_new_owners(olga: Actor, mia: Actor, sam: Actor) -> None:
    """A fork of what was private is read by whoever may read that now, and by nobody who no longer may."""
    update_project(olga, "acme", "web", visibility="private")
    organizations.create_organization(mia, "forks")
    fork = create_project(mia, "forks", "web", fork_from="acme/web")
    let_in(sam, "others", "olga", "admin")
    transfer_project(olga, "acme", "web", "others")
    assert list(Confinement.objects.values_list("project_id", "organization__handle")) == [(fork.id, "others")]
    with pytest.raises(NotFound):
        get_project(mia, "forks", "web")
    entry = next(entry for entry in registry.entries() if entry.id == fork.id)
    assert [item.organization for item in entry.confined_to] == ["others"]


# ------------------------------------------------------------------ archive


def test_an_archived_project_is_read_and_not_written(olga: Actor, mia: Actor, sam: Actor) -> None:
    """Nothing starts, lands, or comes in; its settings can be changed, and it can be taken out again."""
    with pytest.raises(PermissionDenied):
        archive_project(mia, "acme", "web")
    made = archive_project(olga, "acme", "web")
    assert made.archived_at is not None
    assert archive_project(olga, "acme", "web") == made
    doors: list[Callable[[Actor], object]] = [
        lambda actor: sessions.start_session(actor, get_project(actor, "acme", "web"), "Try", 0),
        lambda actor: sessions.upload(actor, get_project(actor, "acme", "web"), []),
        lambda actor: HistoryIntake(actor, get_project(actor, "acme", "web"), "test"),
        lambda actor: sessions.abandon_session(actor, get_project(actor, "acme", "web"), bytes(16)),
    ]
    for door in doors:
        for actor in (olga, mia):
            with pytest.raises(Archived, match="acme/web is archived: everything in it can be read"):
                door(actor)
        with pytest.raises(PermissionDenied) as refused:
            door(sam)
        assert refused.value.code == "permission_denied"
    assert get_project(ANONYMOUS, "acme", "web").visibility == "public"
    assert update_project(olga, "acme", "web", description="Old").description == "Old"
    assert archive_project(olga, "acme", "web", archived=False).archived_at is None
    assert sessions.start_session(mia, get_project(mia, "acme", "web"), "Try", 0).goal == "Try"
    assert [event.action for event in AuditEvent.objects.filter(action__contains="archive").order_by("id")] == [
        "project.archive",
        "project.unarchive",
    ]


# ------------------------------------------------------------------ deleting


def test_a_deletion_is_taken_back(olga: Actor, mia: Actor, sam: Actor) -> None:
    """Gone for everybody at once; an admin of the owner sees it in a list and restores it whole."""
    made = get_project(olga, "acme", "web")
    rename_project(olga, "acme", "web", "site")
    star_project(mia, "acme", "site")
    gone = delete_project(olga, "acme", "site")
    assert timedelta(days=7) - (gone.until - timezone.now()) < timedelta(minutes=1)
    assert Project.everything.get(id=made.id).cdn_key is None
    for actor in (ANONYMOUS, olga, mia, sam):
        for handle in ("site", "web"):
            with pytest.raises(NotFound, match=f"There is no project acme/{handle}, or you may not see it"):
                get_project(actor, "acme", handle)
        assert _names(actor) == []
    assert list_stars(mia) == []
    for actor in (mia, sam, ANONYMOUS):
        with pytest.raises(NotFound, match="There is no project acme/site, or you may not see it"):
            restore_project(actor, "acme", "site")
        with pytest.raises((PermissionDenied, Unauthenticated)):
            list_deleted(actor, "acme")
    (listed,) = list_deleted(olga, "acme")
    assert (listed.handle, listed.deleted_by, listed.until) == ("site", "olga", gone.until)
    assert restore_project(olga, "acme", "site").id == made.id
    assert get_project(ANONYMOUS, "acme", "web").handle == "site"
    assert Project.objects.get(id=made.id).cdn_key is not None
    assert stars_of(olga, made).total == 1
    assert list_deleted(olga, "acme") == []
    with pytest.raises(AlreadyExists, match="acme/site is not deleted"):
        restore_project(olga, "acme", "site")
    # The job of the deletion that was taken back finds nothing to do.
    assert erase_project.func(str(made.id)) == 0
    assert ledgers.open_ledger(made.id).head().position == 3
    assert [event.action for event in AuditEvent.objects.order_by("-id")[:2]] == ["project.undelete", "project.delete"]


def test_after_seven_days_nothing_is_restored(olga: Actor) -> None:
    """Not a moment later, even while nobody has come round to erase it."""
    made = get_project(olga, "acme", "web")
    delete_project(olga, "acme", "web")
    _age(made.id, 6.99)
    assert [item.handle for item in list_deleted(olga, "acme")] == ["web"]
    _age(made.id, 7)
    assert list_deleted(olga, "acme") == []
    with pytest.raises(NotFound):
        restore_project(olga, "acme", "web")
    assert erase_project.func(str(made.id)) > 0
    assert not Project.everything.filter(id=made.id).exists()


def test_a_second_deletion_counts_from_its_own_day(olga: Actor) -> None:
    """The job of the first one, which was taken back, erases nothing."""
    made = get_project(olga, "acme", "web")
    delete_project(olga, "acme", "web")
    restore_project(olga, "acme", "web")
    delete_project(olga, "acme", "web")
    assert erase_project.func(str(made.id)) == 0
    assert restore_project(olga, "acme", "web").id == made.id


def test_the_store_alone_tells_what_was_deleted_archived_and_renamed(olga: Actor) -> None:
    """An empty database is filled with what can be restored, and nothing that was deleted stands again."""
    rename_project(olga, "acme", "web", "site")
    archive_project(olga, "acme", "site")
    create_project(olga, "acme", "gone", visibility="public")
    delete_project(olga, "acme", "gone")
    Project.everything.all().delete()
    assert restore(olga) == 1
    assert get_project(olga, "acme", "web").handle == "site"
    assert get_project(olga, "acme", "site").archived_at is not None
    with pytest.raises(NotFound):
        get_project(olga, "acme", "gone")
    assert [item.handle for item in list_deleted(olga, "acme")] == ["gone"]
    assert restore_project(olga, "acme", "gone").visibility == "public"


# ------------------------------------------------------------------ stars


def test_a_star_is_given_once_and_taken_back(olga: Actor, mia: Actor, sam: Actor) -> None:
    """Doing it again changes nothing; everybody sees how many, and only one's own list is told."""
    project = get_project(olga, "acme", "web")
    create_project(olga, "acme", "docs", visibility="public")
    assert star_project(sam, "acme", "web") == (1, True)
    assert star_project(sam, "acme", "web") == (1, True)
    assert star_project(sam, "acme", "docs") == (1, True)
    assert star_project(mia, "acme", "web") == (2, True)
    assert stars_of(ANONYMOUS, project) == (2, False)
    assert [item.project.handle for item in list_stars(sam)] == ["docs", "web"]
    first = list_stars(sam, limit=1)[0]
    assert [item.project.handle for item in list_stars(sam, first.token, 1)] == ["web"]
    assert star_project(sam, "acme", "web", starred=False) == (1, False)
    assert star_project(sam, "acme", "web", starred=False) == (1, False)
    with pytest.raises(Unauthenticated):
        star_project(ANONYMOUS, "acme", "web")
    with pytest.raises(Unauthenticated):
        list_stars(ANONYMOUS)
    for bad in ("x", "-1", "9" * 30, "１"):
        with pytest.raises(InvalidInput, match="no place in the list of stars"):
            list_stars(sam, bad)


def test_a_star_shows_nobody_what_became_private(olga: Actor, sam: Actor) -> None:
    """It is in the list again when the project can be seen again."""
    star_project(sam, "acme", "web")
    update_project(olga, "acme", "web", visibility="private")
    assert list_stars(sam) == []
    with pytest.raises(NotFound):
        star_project(sam, "acme", "web", starred=False)
    update_project(olga, "acme", "web", visibility="public")
    assert [item.project.handle for item in list_stars(sam)] == ["web"]


# ------------------------------------------------------------------ limits


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Settings with these limits."""

    def set_to(**values: int) -> None:
        import dataclasses

        monkeypatch.setattr(config, "_installed", dataclasses.replace(config.current(), **values))

    return set_to


def test_a_limit_of_projects(olga: Actor, sam: Actor, limited: Callable[..., None]) -> None:
    """Counted apart; making, restoring, publishing and receiving one more is refused, what is there stays."""
    limited(max_public_projects=1, max_private_projects=2)
    with pytest.raises(LimitReached, match="acme has 1 public project, and may have no more"):
        create_project(olga, "acme", "second", visibility="public")
    create_project(olga, "acme", "one")
    create_project(olga, "acme", "two")
    with pytest.raises(LimitReached, match="acme has 2 private projects"):
        create_project(olga, "acme", "three")
    with pytest.raises(LimitReached):
        update_project(olga, "acme", "one", visibility="public")
    delete_project(olga, "acme", "one")
    create_project(olga, "acme", "three")
    with pytest.raises(LimitReached):
        restore_project(olga, "acme", "one")
    let_in(sam, "others", "olga", "admin")
    create_project(sam, "others", "own", visibility="public")
    with pytest.raises(LimitReached, match="others has 1 public project"):
        transfer_project(olga, "acme", "web", "others")
    boss = actor_of(accounts.create_user(OPERATOR, "boss", is_admin=True), "web")
    limits.set_limits(boss, "acme", public_projects=0, private_projects=None, stored_bytes=None)
    assert limits.usage(olga, "acme") == (1, 2, 0, (0, 2, 0))
    create_project(olga, "acme", "second", visibility="public")
    with pytest.raises(LimitReached):
        create_project(olga, "acme", "four")
    with pytest.raises(PermissionDenied):
        limits.set_limits(olga, "acme", public_projects=9, private_projects=9, stored_bytes=9)
    with pytest.raises(InvalidInput):
        limits.set_limits(boss, "acme", public_projects=-1, private_projects=1, stored_bytes=1)
    with pytest.raises(PermissionDenied):
        limits.usage(sam, "acme")


def test_a_limit_of_bytes(olga: Actor, mia: Actor, limited: Callable[..., None]) -> None:
    """Whoever is beyond it takes no more contents, until it is raised or something has gone."""
    project = get_project(olga, "acme", "web")
    listed = list(ledgers.bucket().list(f"projects/{project.id.hex}/"))
    size = sum(item.size for item in listed)
    assert measure_storage.func() == 1
    assert measure_storage.func() == 0  # nobody is limited, so nothing is listed again within a day
    row = Project.objects.get(id=project.id)
    assert (row.stored_bytes, row.stored_objects) == (size, len(listed))
    limited(max_stored_bytes=size)
    assert measure_storage.func() == 1
    assert limits.usage(mia, "acme").stored_bytes == size
    full = get_project(mia, "acme", "web")
    assert full.full
    with pytest.raises(LimitReached, match="acme stores as much as it may"):
        sessions.upload(mia, full, [])
    with pytest.raises(LimitReached):
        HistoryIntake(mia, full, "test")
    assert sessions.start_session(mia, full, "Words are few", 0).goal == "Words are few"
    limited(max_stored_bytes=size + 100_000)
    measure_organization.func(str(project.owner_id))
    assert not get_project(mia, "acme", "web").full
