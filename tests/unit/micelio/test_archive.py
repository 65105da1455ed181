"""A project goes out as an archive and comes in again: the same roots and positions, or nothing at all."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import msgspec
import pytest
import zstandard

from ledgers import request
from mic.core.errors import InvalidInput, LimitReached, MicError, NotFound, PermissionDenied, TooLarge
from mic.core.session import Author, Decision, Message
from mic.core.tombstone import Reason
from mic.ledger.frame import Frame
from mic.ledger.ledger import Ledger
from mic.ledger.project import LandRequest
from mic.ledger.verify import Verifier
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import Actor, actor_of
from micelio.accounts.policy import OPERATOR
from micelio.config import current
from micelio.exports import form
from micelio.exports.archive_in import import_archive
from micelio.exports.archive_out import ArchiveWriter
from micelio.exports.project_lines import ProjectLines
from micelio.organizations import actions as organizations
from micelio.projects import ledgers
from micelio.projects.actions import create_project
from micelio.projects.branches import create_branch, list_branches
from micelio.projects.project_view import ProjectView
from micelio.projects.queries import get_project
from micelio.sessions import projector
from micelio.sessions.git_view import kept_objects
from micelio.sessions.models import Landing, OpenSession

pytestmark = pytest.mark.django_db
LARGE = b"".join(hashlib.sha256(b"%d" % at).digest() for at in range(140_000))  # 4.5 MB


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> MemoryStore:
    """The run's store is shared, and names repeat."""
    made = MemoryStore()
    current().data_dir.mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(ledgers, "_ledger", Ledger(made))
    return made


@pytest.fixture
def olga() -> Actor:
    actor = actor_of(accounts.create_user(OPERATOR, "olga"), "web")
    organizations.create_organization(actor, "acme")
    organizations.create_organization(actor, "others")
    return actor


def _land(project: ProjectView, number: int, files: dict[bytes, bytes | None], owner: bytes = bytes(16)) -> None:
    ledger = ledgers.open_ledger(project.line)
    large = b"large" in files
    wanted = request(ledger, number, ledger.head().position, files, goal=f"goal {number}", send=not large)
    if large:
        upload = ledger.upload()
        data = files[b"large"] or b""
        for at in range(0, len(data), 1 << 20):
            part = data[at : at + (1 << 20)]
            ledger.run(upload.receive(Frame(hashlib.sha256(data).digest(), len(data), at, len(part), False, part)))
        wanted = LandRequest(wanted.session, {}, ledger.run(upload.finish()))
    session = msgspec.structs.replace(
        wanted.session,
        owner=owner,
        author=Author("Olga", "olga@example.org"),
        conversation=(Message("human", "olga", f"said {number}", 1_000),),
        decisions=(Decision(f"decided {number}", "because"),),
    )
    ledger.land(wanted._replace(session=session))
    projector.catch_up(project.line)


@pytest.fixture
def api(olga: Actor) -> ProjectView:
    """Five landings, an erased content, two branches of which one begins at the other, and an open session."""
    made = create_project(olga, "acme", "api", description="What it is", visibility="public")
    for number in range(1, 4):
        _land(made, number, {b"a/%d" % number: b"text %d\n" % number, b"same": b"%d" % number})
    _land(made, 4, {b"large": b"not at all\n"})
    _land(made, 5, {b"secret": b"the key is 42\n"})
    _land(made, 6, {b"secret": b"gone\n"})
    ledgers.open_ledger(made.id).erase(hashlib.sha256(b"the key is 42\n").digest(), Reason.SECRET, "olga")
    fix = create_branch(olga, made, "fix", 3).view
    _land(fix, 7, {b"fixed": b"yes\n"})
    deeper = create_branch(olga, fix, "fix-more").view
    _land(deeper, 8, {b"more": b"yes\n"})
    ledger = ledgers.open_ledger(made.id)
    open_one = request(ledger, 9, 6, {}, goal="not yet").session
    ledger.put_open_session(msgspec.structs.replace(open_one, owner=olga.user_id.bytes if olga.user_id else b""))
    projector.rebuild_project(made.id)
    return get_project(olga, "acme", "api")


def _exported(project: ProjectView, *, shown: bool = True) -> bytes:
    return b"".join(ArchiveWriter(project, lambda session: shown, ()).pieces())


def _pieces(data: bytes, size: int = 5000) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def _records(project: UUID) -> list[tuple[int, bytes, bytes, bytes]]:
    ledger = ledgers.open_ledger(project)
    found = ledger.records(1, ledger.head().position)
    return [(each.position, each.session, each.session_object, each.root_after) for each in found]


def _harm(line: UUID) -> list[object]:
    return list(Verifier(line.hex, ledgers.ledger().driver.run).findings())


def test_it_comes_in_as_it_went_out(olga: Actor, api: ProjectView) -> None:
    """Roots, positions, sessions, branches, erasures, Git ids and open work are those of the project; all is sound."""
    _land(api, 10, {b"large": LARGE})
    data = _exported(api)
    made = import_archive(olga, "others", "copy", _pieces(data, 100_000))
    assert (made.owner, made.handle, made.description, made.visibility) == ("others", "copy", "What it is", "private")
    assert _records(made.id) == _records(api.id)
    assert ledgers.open_ledger(made.id).head() == ledgers.open_ledger(api.id).head()
    branches = {each.name: each for each in list_branches(olga, made)}
    for name, (origin, position) in {"fix": ("main", 3), "fix-more": ("fix", 4)}.items():
        there = next(each for each in list_branches(olga, api) if each.name == name)
        assert (branches[name].origin, branches[name].position) == (origin, position)
        assert _records(branches[name].view.line) == _records(there.view.line)
        assert branches[name].begun_at == there.begun_at
        assert _harm(branches[name].view.line) == []
    assert _harm(made.id) == []
    assert ledgers.open_ledger(made.id).erased().keys() == ledgers.open_ledger(api.id).erased().keys()
    ledger = ledgers.open_ledger(made.id)
    assert b"".join(ledger.pieces(hashlib.sha256(LARGE).digest())) == LARGE
    assert ledger.landing(2).session.conversation == (Message("human", "olga", "said 2", 1_000),)
    ours, theirs = kept_objects(api.id).caught_up().view, kept_objects(made.id).caught_up().view
    assert (theirs.position, theirs.tip, theirs.refs) == (ours.position, ours.tip, ours.refs)
    assert [each.tip for each in theirs.lines] == [each.tip for each in ours.lines]
    assert Landing.objects.filter(project_id=made.id).count() == 8
    assert OpenSession.objects.get(project_id=made.id).goal == "not yet"
    _land(made, 20, {b"next": b"1\n"})
    assert ledgers.open_ledger(made.id).head().position == 9
    # An archive of what was imported holds the same log.
    again = import_archive(olga, "others", "again", _pieces(_exported(made)))
    assert _records(again.id) == _records(made.id)


def test_a_fork_goes_out_whole(olga: Actor, api: ProjectView) -> None:
    """What a fork reads through its origin is in its archive, and the copy stands by itself."""
    fork = create_project(olga, "others", "fork", fork_from="acme/api")
    _land(fork, 30, {b"own": b"1\n"})
    made = import_archive(olga, "others", "copy", _pieces(_exported(fork)))
    assert made.origin_id is None
    assert _records(made.id) == _records(fork.id)
    assert _harm(made.id) == []


def test_who_may_not_see_open_work_gets_none(olga: Actor, api: ProjectView) -> None:
    """Sessions that have not landed are left out for whoever may not see them."""
    made = import_archive(olga, "others", "copy", _pieces(_exported(api, shown=False)))
    assert not OpenSession.objects.filter(project_id=made.id).exists()


def test_other_programs_read_it(olga: Actor, api: ProjectView, tmp_path: Path) -> None:
    """`tar` lists it, and the description says what it is of."""
    (tmp_path / "a.tar").write_bytes(_inflated(_exported(api)))
    listed = subprocess.run(["tar", "-tf", "a.tar"], cwd=tmp_path, capture_output=True, text=True, check=True).stdout
    names = listed.splitlines()
    assert names[0] == "micelio-archive.json"
    assert names[-1] == "manifest.json"
    assert any(name.startswith("lines/0002/landing-log/tail/0000000000000005-") for name in names)
    with tarfile.open(tmp_path / "a.tar") as file:
        found = msgspec.json.decode(file.extractfile("micelio-archive.json").read())  # type: ignore[union-attr]
    assert (found["format"], found["version"], found["name"]) == ("micelio-archive", 1, "api")
    assert [line["branch"] for line in found["lines"]] == ["", "fix", "fix-more"]


def test_times_have_one_form(olga: Actor, api: ProjectView) -> None:
    """In UTC, and with the letter that says so: in lines and in the description of an archive."""
    data = b"".join(ProjectLines(olga, api, lambda session: True).pieces())
    lines = [msgspec.json.decode(each) for each in data.splitlines()]
    landing = next(each for each in lines if each.get("goal") == "goal 2")
    assert landing["conversation"][0]["at"] == "1970-01-01T00:00:01Z"
    assert landing["landed_at"].endswith("Z")
    assert b"+00:00" not in data
    assert b"+00:00" not in _members(_exported(api))["micelio-archive.json"]


def test_times_of_an_older_archive_are_read(olga: Actor, api: ProjectView) -> None:
    """They had an offset in place of the letter."""

    def older(members: dict[str, bytes]) -> None:
        found = msgspec.json.decode(members["micelio-archive.json"])
        found["made_at"] = "2026-11-01T00:00:00+00:00"
        found["lines"][1]["begun_at"] = "2026-10-31T23:58:00+00:00"
        members["micelio-archive.json"] = msgspec.json.encode(found)

    made = import_archive(olga, "others", "copy", _pieces(_changed(_exported(api), older)))
    (fix,) = (each for each in list_branches(olga, made) if each.name == "fix")
    assert fix.begun_at == datetime(2026, 10, 31, 23, 58, tzinfo=UTC)


def _inflated(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


def _changed(data: bytes, change: Callable[[dict[str, bytes]], None], *, sealed: bool = True) -> bytes:
    """The archive with other members, whose manifest says so."""
    with tarfile.open(fileobj=io.BytesIO(_inflated(data))) as file:
        members = {item.name: file.extractfile(item).read() for item in file.getmembers()}  # type: ignore[union-attr]
    manifest = members.pop("manifest.json")
    change(members)
    if sealed:
        listed = [[hashlib.sha256(raw).hexdigest(), len(raw), name] for name, raw in members.items()]
        manifest = msgspec.json.encode({"members": listed, "seal": "x"})
    members.setdefault("manifest.json", manifest)
    return _tar(members)


def _tar(members: dict[str, bytes], **more: object) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=tarfile.USTAR_FORMAT) as file:
        for name, raw in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(raw)
            for field, value in more.items():
                setattr(info, field, value)
            file.addfile(info, io.BytesIO(raw))
    return zstandard.compress(out.getvalue())


def _first(members: dict[str, bytes], part: str) -> str:
    return next(name for name in members if part in name)


def _flip(part: str) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        name = _first(members, part)
        raw = bytearray(members[name])
        raw[len(raw) // 2] ^= 1
        members[name] = bytes(raw)

    return change


def _drop(part: str) -> Callable[[dict[str, bytes]], None]:
    return lambda members: [members.pop(name) for name in list(members) if part in name].clear()


def _describe(**fields: object) -> Callable[[dict[str, bytes]], None]:
    def change(members: dict[str, bytes]) -> None:
        found = msgspec.json.decode(members["micelio-archive.json"]) | fields
        members["micelio-archive.json"] = msgspec.json.encode(found)

    return change


def _add(name: str, raw: bytes = b"x") -> Callable[[dict[str, bytes]], None]:
    return lambda members: members.update({name: raw})


LIES: dict[str, tuple[Callable[[dict[str, bytes]], None], str]] = {
    "another version": (_describe(version=2), "The archive is of version 2; this forge reads version 1."),
    "another format": (_describe(format="zip"), "This is no archive of a Micelio project."),
    "an epoch with a wrong bit": (_flip("lines/0000/landing-log/tail/"), "landing-log/tail/"),
    "a pack with a wrong bit": (_flip("/packs/"), "packs/"),
    "an epoch less": (_drop("lines/0000/landing-log/tail/0000000000000002"), "landing-log/tail/0000000000000002"),
    "a branch without its log": (_drop("lines/0002/"), "fix-more: "),
    "a pack that nothing names": (_add(f"lines/0000/packs/{'a' * 64}.pack"), "nothing names these 1 bytes"),
    "a commit point": (_add("lines/0000/landing-log/seq/0000000000000001"), "which is nothing that an archive has"),
    "a head": (_add("lines/0000/head"), "which is nothing that an archive has"),
    "a line too many": (_add("lines/0007/packs/x"), "which is nothing that an archive has"),
    "a session under another's name": (_add(f"lines/0000/sessions/{'0' * 32}.bin"), "is damaged"),
    "half of Git": (_drop("git/repository.pack"), "it holds half a Git repository"),
    "a pack of Git with a wrong bit": (_flip("git/repository.pack"), "its Git objects: "),
    "issues without a list": (
        _add(f"lines/0000/archive/parts/{'b' * 64}.jsonl.zst"), "parts of what another forge knew without their list",
    ),
}  # fmt: skip


def test_lies_are_refused_by_name_and_leave_nothing(olga: Actor, api: ProjectView, store: MemoryStore) -> None:
    """Each archive that is not what it says is refused in a sentence; no object, row or mark of it stays."""
    data = _exported(api)
    before = sorted(item.key for item in store.list(""))
    for lie, (change, said) in LIES.items():
        with pytest.raises(InvalidInput) as refused:
            import_archive(olga, "others", "copy", _pieces(_changed(data, change)))
        assert said in refused.value.message, lie
        assert "projects/" not in refused.value.message
        assert sorted(item.key for item in store.list("")) == before, lie
        with pytest.raises(NotFound):
            get_project(olga, "others", "copy")


def test_files_that_are_no_archives(olga: Actor, api: ProjectView, store: MemoryStore) -> None:
    """Cut short, of another kind, with paths that lead elsewhere, or inflating without end: each says what it is."""
    data = _exported(api)
    before = sorted(item.key for item in store.list(""))
    described = {"micelio-archive.json": b"{}"}
    bomb = zstandard.ZstdCompressor(level=19).compress(bytes(64 << 20))
    for file, said in {
        b"": "it is cut short",
        b"PK\x03\x04" + bytes(100): "it is no zstd file",
        data[: len(data) // 2]: "it is cut short",
        data[:-1]: "it is cut short",
        data + b"x": "it goes on behind its end",
        zstandard.compress(_inflated(data)[:-2048]): "cut short",
        zstandard.compress(b"no tar" * 200): "no header of a tar file",
        zstandard.compress(b""): "cut short",
        _tar({"../../etc/passwd": b"x"}): "which is no name that an archive has",
        _tar({"/etc/passwd": b"x"}): "which is no name that an archive has",
        _tar({"a/./b": b"x"}): "which is no name that an archive has",
        _tar({"other": b"x"}): "it begins with 'other'",
        _tar(described, type=tarfile.SYMTYPE, linkname="/etc/passwd"): "which is no plain file",
        _tar(described | {"x": b""}): "This is no archive of a Micelio project",
        bomb: "it goes on behind its end",
        _changed(data, _flip("landing-log"), sealed=False): "is not what its manifest says",
        _changed(data, _add("manifest.json", b"{}")): "manifest.json of the archive cannot be read",
    }.items():
        with pytest.raises(InvalidInput) as refused:
            import_archive(olga, "others", "copy", _pieces(file))
        assert said in refused.value.message, said
        assert sorted(item.key for item in store.list("")) == before, said


def test_nobody_becomes_an_author_by_another_forges_archive(olga: Actor) -> None:
    """An archive that was changed may not name accounts of this forge; the forge's own, unchanged, may."""
    ann = accounts.create_user(OPERATOR, "ann")
    project = create_project(olga, "acme", "told")
    _land(project, 1, {b"a": b"1\n"}, owner=ann.id.bytes)
    data = _exported(project)
    made = import_archive(olga, "others", "true", _pieces(data))
    assert Landing.objects.get(project_id=made.id).owner_id == ann.id
    with pytest.raises(InvalidInput, match="says that ann landed something"):
        import_archive(olga, "others", "false", _pieces(_changed(data, _describe(description="other"))))
    assert form.is_ours(msgspec.json.decode(_members(data)["manifest.json"], type=form.Manifest))


def _members(data: bytes) -> dict[str, bytes]:
    with tarfile.open(fileobj=io.BytesIO(_inflated(data))) as file:
        return {item.name: file.extractfile(item).read() for item in file.getmembers()}  # type: ignore[union-attr]


def test_who_may_import(olga: Actor, api: ProjectView, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever may make projects there, under a name that is free, with room; before anything is read."""
    data = _exported(api)
    ben = actor_of(accounts.create_user(OPERATOR, "ben"), "web")

    def unread() -> Iterator[bytes]:
        raise AssertionError("nothing of it should be read")
        yield b""

    with pytest.raises((PermissionDenied, NotFound)):
        import_archive(ben, "acme", "copy", unread())
    with pytest.raises(MicError, match="api"):
        import_archive(olga, "acme", "api", unread())
    with pytest.raises(InvalidInput):
        import_archive(olga, "acme", "copy", unread(), visibility="secret")
    monkeypatch.setattr("micelio.exports.archive_in.MOST_BYTES", 1000)
    with pytest.raises(TooLarge):
        import_archive(olga, "acme", "copy", _pieces(data))


def test_limits_of_the_organization_hold(olga: Actor, api: ProjectView) -> None:
    """What does not fit into what an organization may store is refused, and leaves nothing."""
    from micelio.projects.limits import set_limits

    root = actor_of(accounts.create_user(OPERATOR, "root", is_admin=True), "web")
    set_limits(root, "others", public_projects=None, private_projects=None, stored_bytes=5_000)
    with pytest.raises(LimitReached):
        import_archive(olga, "others", "copy", _pieces(_exported(api)))
