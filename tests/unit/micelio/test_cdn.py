"""Keys of projects at an edge network, and which of its answers are believed."""

from __future__ import annotations

import uuid

import pytest

from mic.ledger.ledger import Ledger
from mic.store import MemoryStore
from micelio.accounts import actions as accounts
from micelio.accounts.actor import actor_of
from micelio.accounts.policy import OPERATOR
from micelio.edge.cdn import span_of
from micelio.organizations.actions import create_organization
from micelio.organizations.models import Organization
from micelio.outgoing.client import Answer
from micelio.projects import cdn, ledgers
from micelio.projects.actions import create_project, rotate_cdn_key, update_project
from micelio.projects.models import Project


@pytest.mark.parametrize(
    ("status", "headers", "body", "found"),
    [
        (206, {"content-range": "bytes 10-14/100"}, b"12345", b"12345"),
        (206, {"content-range": "bytes 10-14/*"}, b"12345", b"12345"),
        (206, {"content-range": "bytes 10-12/13"}, b"123", b"123"),
        (206, {"content-range": "bytes 10-12/*"}, b"123", None),
        (206, {"content-range": "bytes 10-12/100"}, b"123", None),
        (206, {"content-range": "bytes 9-13/100"}, b"12345", None),
        (206, {"content-range": "bytes 10-14/100"}, b"1234", None),
        (206, {"content-range": "bytes 10-14/100", "content-encoding": "gzip"}, b"12345", None),
        (206, {"content-range": "lines 10-14/100"}, b"12345", None),
        (206, {}, b"12345", None),
        (200, {"content-length": "5"}, b"12345", None),
        (404, {"content-length": "5"}, b"12345", None),
        (302, {"content-length": "0"}, b"", None),
        (500, {"content-range": "bytes 10-14/100"}, b"12345", None),
        (416, {"content-range": "bytes */5"}, b"", None),
    ],
)
def test_an_answer_is_believed_when_its_length_is_proved(
    status: int, headers: dict[str, str], body: bytes, found: bytes | None
) -> None:
    assert cdn.believed(Answer(status, headers, body), 10, 5) == found


def test_a_whole_object_is_believed_from_its_beginning() -> None:
    whole = Answer(200, {"content-length": "3"}, b"abc")
    assert cdn.believed(whole, 0, 5) == b"abc"
    assert cdn.believed(whole, 1, 5) is None
    assert cdn.believed(Answer(200, {}, b"abc"), 0, 5) is None
    assert cdn.believed(Answer(200, {"content-length": "4"}, b"abc"), 0, 5) is None


@pytest.mark.parametrize(
    ("wanted", "size", "span"),
    [
        ("", 10, (0, 10)),
        ("", 0, (0, 0)),
        ("bytes=0-0", 10, (0, 1)),
        ("bytes=2-5", 10, (2, 6)),
        ("bytes=2-", 10, (2, 10)),
        ("bytes=2-99", 10, (2, 10)),
        ("bytes=-3", 10, (7, 10)),
        ("bytes=-30", 10, (0, 10)),
        ("bytes=10-", 10, None),
        ("bytes=-0", 10, None),
        ("bytes=0-", 0, None),
        ("bytes=5-2", 10, (0, 10)),
        ("bytes=1-2,4-5", 10, (0, 10)),
        ("bytes=-", 10, (0, 10)),
        ("lines=1-2", 10, (0, 10)),
    ],
)
def test_a_range_header_means_what_http_says(wanted: str, size: int, span: tuple[int, int] | None) -> None:
    assert span_of(wanted, size) == span


def test_an_edge_gets_only_what_never_changes() -> None:
    project = uuid.UUID(int=7)
    pack = "packs/" + "ab" * 32 + ".pack"
    assert cdn.store_key(project, pack) == f"projects/{project.hex}/{pack}"
    for rest in ("head", "sessions/" + "ab" * 16 + ".bin", "../other/" + pack, "", "lines/x/head", "packs/index/"):
        assert cdn.store_key(project, rest) is None


def test_a_change_of_visibility_changes_the_key(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Through the action that a person calls: public, private, public."""
    monkeypatch.setattr(ledgers, "_ledger", Ledger(MemoryStore()))
    rita = actor_of(accounts.create_user(OPERATOR, "rita"), "web")
    create_organization(rita, "acme")
    create_project(rita, "acme", "rocket", visibility="public")
    seen = [Project.objects.get().cdn_key]
    for visibility in ("private", "public"):
        update_project(rita, "acme", "rocket", visibility=visibility)
        seen.append(Project.objects.get().cdn_key)
    update_project(rita, "acme", "rocket", name="Rocket")
    assert seen[0] is not None
    assert seen[1] is None
    assert seen[2] not in (None, seen[0])
    assert Project.objects.get().cdn_key == seen[2]


@pytest.fixture
def project(db: None) -> Project:
    owner = Organization.objects.create(handle="cdn")
    return Project.objects.create(
        owner=owner, handle="p", name="p", visibility="public", cdn_key=cdn.new_cdn_key("public")
    )


def test_a_key_goes_with_the_visibility_and_never_comes_back(project: Project) -> None:
    """Private: none. Public again: another one. What was public under the old key is not found under it any more."""
    first = project.cdn_key
    assert first is not None
    assert len(first) == 32
    assert project.id.hex not in first
    assert cdn.project_of(first) == project.id
    project.visibility = "private"
    project.save()
    assert cdn.project_of(first) is None, "also when nobody has changed the key yet"
    rotate_cdn_key(project.id, "private")
    assert Project.objects.get().cdn_key is None
    project.visibility = "public"
    project.save()
    rotate_cdn_key(project.id, "public")
    second = Project.objects.get().cdn_key
    assert second not in (None, first)
    assert cdn.project_of(first) is None
    assert cdn.project_of(second or "") == project.id


def test_a_key_is_looked_up_once_and_forgotten_when_it_changes(
    project: Project, django_assert_num_queries: object
) -> None:
    cdn.forget(project.id)
    with django_assert_num_queries(1):  # type: ignore[operator]
        for _ in range(5):
            cdn.learn(project.id)
    rotate_cdn_key(project.id, "public")
    with django_assert_num_queries(1):  # type: ignore[operator]
        cdn.learn(project.id)
    assert cdn._keys[project.id.hex][0] == Project.objects.get().cdn_key
