"""Secrets in imported histories: kept out until an admin lets them in; and reports of readers, decided by admins."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator

import pytest

from browser import Browser
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, World, added, commit, frame, landed, landing
from secret_corpus import TRUE

IMPORT, LAND = "ProjectService.ImportHistory", "SessionService.LandSession"
KEY = TRUE["aws-access-key"][0](random.Random(61)).encode()
TOKEN = TRUE["github-token"][0](random.Random(67))


def history(
    project: pb.ProjectRef, files: list[dict[bytes, bytes]], accept: str = "", message: str = ""
) -> Iterator[pb.ImportHistoryRequest]:
    """One commit for each set of files."""
    yield pb.ImportHistoryRequest(start=pb.ImportStart(project=project, source="test", accept_secrets=accept))
    for number, some in enumerate(files):
        frames = [part for data in some.values() for part in _parts(data)]
        fields = {"message": message} if message else {}
        yield pb.ImportHistoryRequest(frames=frames, commits=[commit(number, some, **fields)])
    yield pb.ImportHistoryRequest(finish=True)


def _parts(data: bytes) -> list[pb.BlobFrame]:
    whole, step = frame(data), 1 << 20
    if len(data) <= step:
        return [whole]
    return [
        pb.BlobFrame(hash=whole.hash, size=len(data), offset=at, length=len(part), data=part)
        for at in range(0, len(data), step)
        for part in [data[at : at + step]]
    ]


BIG = b"line\n" * 300_000 + KEY + b"\n" + bytes(range(256)) * 2_000
DIRTY = [{b"a.txt": b"plain\n"}, {b"old/key.env": b"x\nAWS=" + KEY + b"\n"}, {b"big.bin": BIG}]


def refused(caller: Caller, messages: Iterator[pb.ImportHistoryRequest]) -> tuple[Refused, dict[str, object]]:
    with pytest.raises(Refused) as raised:
        caller(IMPORT, messages)
    if raised.value.code != "secret_found":
        return raised.value, {}
    document = json.loads(raised.value.trailing["mic-error-document-bin"])
    assert KEY not in json.dumps([document, raised.value.message]).encode()
    return raised.value, document


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    return world.project()


def _page(world: World, project: pb.ProjectRef) -> str:
    return f"/{project.organization}/{project.handle}/-/secrets"


@pytest.fixture(scope="module")
def rita(world: World) -> Iterator[Browser]:
    with Browser(world.forge.base_url) as browser:
        browser.sign_in_once(world.forge.once("rita"))
        yield browser


def test_a_history_with_a_secret_stays_out(world: World, project: pb.ProjectRef, rita: Browser) -> None:
    """Nothing is visible, the answer says where, in which commit; the admins' page lists it and not the secret."""
    error, document = refused(world.max, history(project, DIRTY))
    assert "old/key.env, line 2, of commit " in error.message
    found = document["findings"]
    assert isinstance(found, list)
    assert [(item["path"], item["line"], item["rule"]) for item in found] == [
        ("old/key.env", 2, "aws-access-key"),
        ("big.bin", 300_001, "aws-access-key"),
    ]
    assert landed(world, project) == 0
    twin = rita.get(f"{_page(world, project)}?format=json").json()["findings"]
    assert [(row["path"], row["state"], row["position"]) for row in twin] == [
        ("big.bin", "open", 0),
        ("old/key.env", "open", 0),
    ]
    page = rita.get(_page(world, project)).text
    assert "kept out" in page
    assert KEY.decode() not in page
    # A repository that was mended imports, and what kept it out is forgotten.
    assert world.max(IMPORT, history(project, DIRTY[:1]))[-1].position == 1
    assert rita.get(f"{_page(world, project)}?format=json&state=all").json()["findings"] == []


def test_an_admin_lets_a_history_in(world: World, project: pb.ProjectRef, rita: Browser) -> None:
    """With a reason, which a member cannot give; the findings are listed as allowed, by whom and why."""
    error, _ = refused(world.max, history(project, DIRTY, accept="Revoked in 2019"))
    assert error.code == "permission_denied"
    refused(world.max, history(project, DIRTY))
    assert world.rita(IMPORT, history(project, DIRTY, accept="Revoked in 2019"))[-1].position == 3
    rows = rita.get(f"{_page(world, project)}?format=json&state=all").json()["findings"]
    assert sorted((row["path"], row["state"], row["reason"], row["decided_by"], row["position"]) for row in rows) == [
        ("big.bin", "allowed", "Revoked in 2019", "rita", 3),
        ("old/key.env", "allowed", "Revoked in 2019", "rita", 2),
    ]
    audit = rita.get(f"/{project.organization}/{project.handle}/-/audit").text
    assert "rita let a history with findings into" in audit
    # The file may change around what was let in; the same secret elsewhere, or another one, may not.
    request = landing(project, {b"old/key.env": b"x\ny\nAWS=" + KEY + b"\n"}, base_position=3)
    request.session.changes[0].op = pb.Change.MODIFIED
    request.session.changes[0].base_hash = added(b"x", b"x\nAWS=" + KEY + b"\n").hash
    request.session.changes[0].base_mode = 0o100644
    assert world.max(LAND, request).position == 4
    with pytest.raises(Refused) as raised:
        world.max(LAND, landing(project, {b"new.env": b"AWS=" + KEY + b"\n"}, base_position=4))
    assert raised.value.code == "secret_found"


def test_an_admin_decides_on_the_page(world: World, project: pb.ProjectRef, rita: Browser) -> None:
    """After that a member's import goes through; one more secret would keep it out again."""
    refused(world.max, history(project, DIRTY))
    page = _page(world, project)
    answer = rita.submit(page, f"{page}/decide", finding="all", state="revoked", reason="Taken back today")
    assert answer.status_code == 302
    more = [*DIRTY, {b"c": b"again " + TOKEN.encode()}]
    _, document = refused(world.max, history(project, more))
    assert document["count"] == 1
    assert world.max(IMPORT, history(project, DIRTY))[-1].position == 3
    rows = rita.get(f"{page}?format=json&state=all").json()["findings"]
    assert {(row["path"], row["state"], row["position"]) for row in rows} == {
        ("big.bin", "revoked", 3),
        ("old/key.env", "revoked", 2),
    }


def test_commit_messages(world: World, project: pb.ProjectRef, rita: Browser) -> None:
    """A secret in a message keeps the history out; let in, it is in no word that is shown."""
    messages = list(history(project, [{b"a": b"a\n"}], message=f"Use {TOKEN}"))
    raw = f"tree {0:040x}\n\nUse {TOKEN}\n".encode()
    refused(world.rita, history_of(messages, raw))
    messages[0].start.accept_secrets = "Revoked"
    assert world.rita(IMPORT, history_of(messages, raw))[-1].position == 1
    request = pb.GetSessionRequest(project=project, position=1)
    assert world.nobody("SessionService.GetSession", request).session.goal == "Use [redacted: github-token]"
    shown = rita.get(f"/{project.organization}/{project.handle}/-/landings").text
    assert TOKEN not in shown
    assert "[redacted: github-token]" in shown
    row = rita.get(f"{_page(world, project)}?format=json&state=all").json()["findings"][0]
    assert (row["rule"], row["position"], row["session"]) == ("github-token", 1, None)


def history_of(messages: list[pb.ImportHistoryRequest], raw: bytes) -> Iterator[pb.ImportHistoryRequest]:
    """The messages with other bytes of the first commit, and their id."""
    messages[1].commits[0].raw = raw
    messages[1].commits[0].oid = hashlib.sha1(b"commit %d\x00" % len(raw) + raw).digest()
    yield from messages


def test_a_reader_reports(world: World, project: pb.ProjectRef, rita: Browser) -> None:
    """Anybody who can read, once a place; the admins see a notice, decide, and the log has both."""
    world.land(world.rita, project, {b"src/a b.py": b"one\ntwo\n"})
    root = f"/{project.organization}/{project.handle}"
    with Browser(world.forge.base_url) as nobody:
        shown = nobody.get(f"{root}/-/file/head/src/a%20b.py").text
        link = f"{root}/-/secrets/report?path=src%252Fa%2520b.py&amp;at=1"
        assert link in shown
        for _ in range(2):
            answer = nobody.submit(link.replace("&amp;", "&"), f"{root}/-/secrets/report", line="2", note=f"is {TOKEN}")
            assert answer.status_code == 200
            assert "see your report" in answer.text
        spanish = nobody.get(link.replace("&amp;", "&"), headers={"Accept-Language": "es"}).text
        assert "<h1>Avisar de un secreto</h1>" in spanish
        assert nobody.get(f"{root}/-/secrets").status_code == 401
        bad = nobody.submit(link.replace("&amp;", "&"), f"{root}/-/secrets/report", line="two")
        assert bad.status_code == 400
        for asked in ("path=absent&at=1", "path=src%252Fa%2520b.py&at=7", "session=01ARZ3NDEKTSV4RRFFQ69G5FAV"):
            assert nobody.get(f"{root}/-/secrets/report?{asked}").status_code == 404
        assert nobody.get(f"{root}/-/secrets/report").status_code == 400
        assert "waits for a decision" not in nobody.get(root).text
    assert "A finding waits" in rita.get(root).text
    (row,) = rita.get(f"{root}/-/secrets?format=json").json()["findings"]
    assert (row["path"], row["line"], row["note"], row["source"]) == (
        "src/a b.py", 2, "is [redacted: github-token]", "report",
    )  # fmt: skip
    decide = f"{root}/-/secrets/decide"
    for fields in ({"state": "gone", "reason": "x"}, {"state": "revoked", "reason": " "}, {"state": "revoked"}):
        assert rita.submit(f"{root}/-/secrets", decide, finding=str(row["id"]), **fields).status_code == 400
    assert rita.submit(f"{root}/-/secrets", decide, finding="999999", state="open", reason="x").status_code == 404
    fine = rita.submit(f"{root}/-/secrets", decide, finding=str(row["id"]), state="allowed", reason="An example")
    assert fine.status_code == 302
    assert "A finding waits" not in rita.get(root).text
    audit = rita.get(f"{root}/-/audit").text
    assert "somebody reported a secret in" in audit
    assert "rita decided about findings in" in audit


def test_reports_are_bounded(world: World, project: pb.ProjectRef) -> None:
    """The eleventh within an hour is refused, with a sentence."""
    files = {f"f{number}".encode(): b"x\n" for number in range(11)}
    world.land(world.rita, project, files)
    report = f"/{project.organization}/{project.handle}/-/secrets/report"
    with Browser(world.forge.base_url) as nobody:
        answers = [nobody.submit(f"{report}?path=f{number}&at=1", report) for number in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert "You have sent 10 reports within an hour." in answers[-1].text
