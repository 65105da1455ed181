"""A conversation that is kept to members, through every door: as nobody, a stranger, a reader, a member, its owner.

`CANARY` stands in the conversation and nowhere else. Whoever may not read that finds it in no answer; `SEEN` is a
decision, which all find.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from django.test import Client

import pages_story
from api_client import Api
from git_server import GitClient
from mic.core.blob import encode_blob
from mic.core.errors import NotFound
from mic.core.ids import content_hash, new_ulid, ulid_text
from mic.core.redaction import Parts, Reason, Redaction
from mic.core.session import MEMBERS, Change, Decision, Message, Op, Session, decode_session
from mic.core.stand_in import without_words
from mic.rpc.v1 import mic_pb2 as pb
from micelio.accounts.actions import create_user
from micelio.accounts.models import User
from micelio.accounts.policy import OPERATOR
from micelio.pages.cards import landing_card
from micelio.projects.ledgers import open_ledger
from micelio.projects.members import set_project_member
from micelio.search import indexer
from micelio.sessions import projector, queries
from micelio.sessions.actions import land
from rpc_world import Caller, World, landing, pushing, session_id
from signed_in import sign_in

CANARY = "the vault is behind the mirror"
SEEN = "Mint short tokens"
# When, a second after it was said.
DECIDED = 1_700_000_001_000


# ------------------------------------------------------------ gRPC, REST, Git, exports, forks: a forge that runs


@pytest.fixture(scope="module")
def told(world: World) -> Iterator[Told]:
    made = Told(world)
    yield made
    for caller in (made.reader, made.mate):
        caller.__exit__()


class Told:
    """A public project in which max landed a session at 1 that says where the vault is, to members."""

    def __init__(self, world: World) -> None:
        self.world, self.project, self.session = world, world.project(), session_id()
        for handle, role in (("kept-rea", "reader"), ("kept-mem", "member")):
            world.let_in(handle, role)
        self.reader, self.mate = (
            Caller(world.forge.grpc_address, world.forge.token(each)) for each in ("kept-rea", "kept-mem")
        )
        self.tokens = {
            "nobody": "", "stan": world.forge.token("stan"), "kept-rea": world.forge.token("kept-rea"),
            "kept-mem": world.forge.token("kept-mem"), "max": world.forge.token("max"),
        }  # fmt: skip
        assert world.max("SessionService.LandSession", self.request()).position == 1

    def request(self, **fields: Any) -> pb.LandSessionRequest:
        return landing(self.project, {b"a.txt": b"a\n"}, **(self.words() | {"id": self.session} | fields))

    def words(self) -> dict[str, Any]:
        said = [pb.Message(role="human", author="Max", text=CANARY, at_ms=1_700_000_000_000)]
        return {
            "goal": "Sign in",
            "decisions": [
                pb.Decision(what=SEEN, evidence="a.txt", at_ms=DECIDED, message=1),
                pb.Decision(what="b", at_ms=DECIDED),
            ],
            "transcript": pb.KeptTranscript(seen_by="members", conversation=said),
        }

    def callers(self) -> list[tuple[Caller, bool]]:
        """Who asks, and whether they read it."""
        world = self.world
        return [
            (world.nobody, False), (world.stan, False), (self.reader, False), (self.mate, True), (world.max, True),
            (world.rita, True),
        ]  # fmt: skip

    def tokens_and(self) -> list[tuple[str, str, bool]]:
        return [(name, token, name in ("kept-mem", "max")) for name, token in self.tokens.items()]


def _with(said: bytes | str, reads: bool) -> None:
    text = said if isinstance(said, str) else said.decode("utf-8", "replace")
    assert SEEN in text
    assert (CANARY in text) == reads


def test_calls(told: Told) -> None:
    """By position, by id, by its beginning; how many messages there are is told to all. Never in `conversation`."""
    for caller, reads in told.callers():
        for which in ({"position": 1}, {"session_id": told.session}, {"id_prefix": ulid_text(told.session)[:12]}):
            found = caller("SessionService.GetSession", pb.GetSessionRequest(project=told.project, **which)).session
            assert (found.transcript.seen_by, found.transcript.messages, list(found.conversation)) == ("members", 1, [])
            assert [m.text for m in found.transcript.conversation] == ([CANARY] if reads else [])
            _with(str(found), reads)
        rows = caller("SessionService.ListLandings", pb.ListLandingsRequest(project=told.project))
        blamed = caller("SessionService.BlameFile", pb.BlameFileRequest(project=told.project, path=b"a.txt", why=True))
        _with(str(blamed), False)
        assert CANARY not in str(rows)
        for asked in ("vault", "mirror", SEEN):
            request = pb.SearchRequest(query=f"repo:{told.project.organization}/{told.project.handle} {asked}")
            assert CANARY not in str(caller("ProjectService.Search", request))


def test_which_message_decided_is_kept_as_well(told: Told) -> None:
    """When it was decided all are told; by which message, and what was said before, whoever reads that."""
    place = f"/projects/{told.project.organization}/{told.project.handle}"
    for caller, reads in told.callers():
        asked = pb.GetSessionRequest(project=told.project, position=1)
        found = caller("SessionService.GetSession", asked).session.decisions
        assert [(each.at_ms, each.message) for each in found] == [(DECIDED, 1 if reads else 0), (DECIDED, 0)]
        blame = pb.BlameFileRequest(project=told.project, path=b"a.txt", why=True)
        (why,) = caller("SessionService.BlameFile", blame).whys
        assert [(each.at_ms, each.message) for each in why.decisions] == [(DECIDED, 0)]
    for _, token, reads in told.tokens_and():
        with Api(told.world.forge.base_url, token) as api:
            landed = api.done("GET", f"{place}/landings/1")["decision_list"]
            assert landed == api.done("GET", f"{place}/sessions/{ulid_text(told.session)}")["decisions"]
            assert [(each["message"], each["said_before"]) for each in landed] == (
                [(1, None), (None, 1)] if reads else [(None, None), (None, None)]
            )
    for caller, reads in told.callers()[1:5]:
        lines = [json.loads(line) for line in _exported(told.world, caller, told.project, "json").splitlines()]
        (made,) = [line for line in lines if line["kind"] == "landing"]
        assert [(each["message"], each["said_before"]) for each in made["decisions"]] == (
            [(1, 0), (0, 1)] if reads else [(0, 0), (0, 0)]
        )
    # Whoever gets the landing itself, in an archive, a fork or a bucket, gets no number either.
    archive = _inflated(_exported(told.world, told.world.stan, told.project, "archive"))
    at = b"\xa2at\xcf" + DECIDED.to_bytes(8, "big")
    assert archive.count(at) == 2
    assert at + b"\xa7message" not in archive


def test_which_message_wrote_a_line_is_kept_as_well(told: Told, tmp_path: Path) -> None:
    """Two messages of one agent wrote the file. Blame says the agent to all and a message to nobody, for it reads what
    landed; the session says it to whoever reads the conversation; no copy of the landing has it.
    """
    world, project, data = told.world, told.world.project(), b"one\ntwo\nthree\n"
    turns = [pb.Message(role="human", author="Max", text=CANARY), pb.Message(role="agent", author="m", text="so")]
    writers = [pb.Writer(kind="agent", name="m", message=number) for number in (1, 2)]
    runs = [pb.LineRun(first=1, lines=1, writer=0), pb.LineRun(first=2, lines=2, writer=1)]
    words: dict[str, Any] = {
        "transcript": pb.KeptTranscript(seen_by="members", conversation=turns),
        "writers": writers,
        "attributed": [pb.FileLines(path=b"w.txt", content=content_hash(data), runs=runs)],
    }
    world.max("SessionService.LandSession", landing(project, {b"w.txt": data}, **words))
    for caller, reads in [*told.callers()[:3], (world.max, True)]:
        asked = pb.GetSessionRequest(project=project, position=1)
        found = caller("SessionService.GetSession", asked).session
        (said,) = found.attributed
        assert [each.message for each in found.writers] == ([1, 2] if reads else [0])
        assert [(each.first, each.lines) for each in said.runs] == ([(1, 1), (2, 2)] if reads else [(1, 3)])
        blame = caller("SessionService.BlameFile", pb.BlameFileRequest(project=project, path=b"w.txt"))
        assert [(each.lines, each.writer, each.message) for each in blame.hunks] == [(3, "m", 0)]
    name = f"{project.organization}/{project.handle}"
    with Api(world.forge.base_url) as api:
        hunks = api.done("GET", f"/projects/{name}/blame/w.txt")["hunks"]
        assert [(each["lines"], each["writer"], each["message"]) for each in hunks] == [(3, "m", None)]
    page = httpx.get(f"{world.forge.base_url}/{name}/-/blame/head/w.txt?format=json").json()
    assert [(each["writer"], each["message"]) for each in page["hunks"]] == [("m", None)]
    git = GitClient(tmp_path / "work")
    git("clone", "-q", "--mirror", f"{world.forge.base_url}/{name}", "all")
    git("-C", "all", "fetch", "-q", "origin", "refs/notes/ai:refs/notes/ai")
    notes = git("-C", "all", "cat-file", "--batch-all-objects", "--batch", "--buffer")
    assert "w.txt" in notes
    assert '"message": 2' not in notes
    assert '"message":2' not in notes
    archive = _inflated(_exported(world, world.stan, project, "archive"))
    assert b"w.txt" in archive
    assert b"\xa7message\x01" not in archive
    assert b"\xa7message\x02" not in archive


def test_its_object_is_no_content(told: Told) -> None:
    """Landing it again changes nothing. Nobody fetches the session's object as if it were a file."""
    assert told.world.max("SessionService.LandSession", told.request()).already_landed
    again = told.world.max("SessionService.GetSession", pb.GetSessionRequest(project=told.project, position=1)).session
    assert [m.text for m in again.transcript.conversation] == [CANARY]


def test_rest(told: Told) -> None:
    """As a landing and as a session; sent through REST it is kept too."""
    place = f"/projects/{told.project.organization}/{told.project.handle}"
    for _, token, reads in told.tokens_and():
        with Api(told.world.forge.base_url, token) as api:
            whole = api.done("GET", f"{place}/landings/1")
            session = api.done("GET", f"{place}/sessions/{ulid_text(told.session)}")
            assert (whole["transcript"], session["transcript"], session["messages"]) == ("members", "members", 1)
            assert whole["landing"]["messages"] == 1
            _with(json.dumps(whole), reads)
            _with(json.dumps(session), reads)
    made = told.world.project()
    place = f"/projects/{made.organization}/{made.handle}"
    body = {
        "goal": "Say it", "changes": [{"path": "b", "text": "b"}], "transcript": "members",
        "conversation": [{"role": "human", "text": CANARY}],
    }  # fmt: skip
    with Api(told.world.forge.base_url, told.tokens["max"]) as api, Api(told.world.forge.base_url) as nobody:
        api.done("POST", f"{place}/landings", 201, json=body)
        assert api.done("GET", f"{place}/landings/1")["conversation"][0]["text"] == CANARY
        assert nobody.done("GET", f"{place}/landings/1")["conversation"] == []


def test_git_has_the_goal_alone(told: Told, tmp_path: Path) -> None:
    """A clone with every ref and note that there is, of a member too."""
    git = GitClient(tmp_path / "work")
    base = told.world.forge.base_url.replace("://", f"://x:{told.tokens['max']}@")
    git("clone", "-q", "--mirror", f"{base}/{told.project.organization}/{told.project.handle}", "all")
    git("-C", "all", "fetch", "-q", "origin", "refs/notes/ai:refs/notes/ai", "refs/landings/1:refs/landings/1")
    everything = git("-C", "all", "cat-file", "--batch-all-objects", "--batch", "--buffer")
    assert "Sign in" in everything
    assert CANARY not in everything


def _exported(world: World, caller: Caller, project: pb.ProjectRef, kind: str) -> bytes:
    made = caller("AccountService.StartExport", pb.StartExportRequest(kind=kind, project=project)).export
    end = time.monotonic() + 20
    while made.state in ("waiting", "running") and time.monotonic() < end:
        time.sleep(0.02)
        made = caller("AccountService.GetExport", pb.ExportRequest(id=made.id)).export
    assert made.state == "done", made
    return b"".join(each.data for each in caller("AccountService.DownloadExport", pb.DownloadExportRequest(id=made.id)))


def _inflated(archive: bytes) -> bytes:
    """The bytes of an archive, and of every zstd frame in it behind one another."""
    tar = zstandard.ZstdDecompressor().decompressobj().decompress(archive)
    found, at = [tar], tar.find(zstandard.FRAME_HEADER)
    while at >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            found.append(zstandard.ZstdDecompressor().decompressobj().decompress(tar[at:]))
        at = tar.find(zstandard.FRAME_HEADER, at + 1)
    return b"".join(found)


def test_exports(told: Told) -> None:
    """JSON lines have it for whoever reads it. An archive has it for nobody, an open session's for members alone."""
    world, open_one = told.world, session_id()
    saved = pushing(told.project, {b"b.txt": b"b\n"}, **(told.words() | {"id": open_one, "base_position": 1}))
    world.max("SessionService.PushSession", saved)
    for caller, reads in told.callers()[1:5]:
        lines = [json.loads(line) for line in _exported(world, caller, told.project, "json").splitlines()]
        (made,) = [line for line in lines if line["kind"] == "landing"]
        assert (made["transcript"], made["messages"]) == ("members", 1)
        _with(json.dumps(made), reads)
        assert any(line["kind"] == "open_session" for line in lines) == (caller is not world.stan)
        assert (CANARY in json.dumps(lines)) == reads
    for caller, reads in told.callers()[1:4]:
        whole = _inflated(_exported(world, caller, told.project, "archive"))
        assert SEEN.encode() in whole
        assert (CANARY.encode() in whole) == reads  # of the open session
    world.max("SessionService.AbandonSession", pb.AbandonSessionRequest(project=told.project, session_id=open_one))
    own = _exported(world, world.max, None, "user")  # type: ignore[arg-type]
    assert CANARY.encode() in own


def test_open_sessions(told: Told) -> None:
    """A reader sees what a member works on, and not what was said."""
    own = session_id()
    saved = pushing(told.project, {b"c.txt": b"c\n"}, **(told.words() | {"id": own, "base_position": 1}))
    told.world.max("SessionService.PushSession", saved)
    asked = pb.GetSessionRequest(project=told.project, session_id=own)
    for caller, reads in told.callers()[2:]:
        found = caller("SessionService.GetSession", asked).session
        assert found.transcript.messages == 1
        _with(str(found), reads)
    assert told.world.stan.refused("SessionService.GetSession", asked).code == "not_found"
    told.world.max("SessionService.AbandonSession", pb.AbandonSessionRequest(project=told.project, session_id=own))


def test_through_a_fork_nobody_reads_it(told: Told) -> None:
    """Whoever forks a public project owns the fork, and is no member of what it was forked from."""
    request = pb.CreateOrganizationRequest(handle=f"{told.project.organization}-fork")
    told.world.stan("OrganizationService.CreateOrganization", request)
    fork = pb.ProjectRef(organization=request.handle, handle="fork")
    told.world.stan(
        "ProjectService.CreateProject",
        pb.CreateProjectRequest(
            organization=request.handle, handle="fork", visibility="public",
            fork_from=f"{told.project.organization}/{told.project.handle}",
        ),
    )  # fmt: skip
    for caller, _ in told.callers():
        found = caller("SessionService.GetSession", pb.GetSessionRequest(project=fork, position=1)).session
        assert (found.transcript.messages, len(found.transcript.conversation)) == (1, 0)
        _with(str(found), False)
    whole = _inflated(_exported(told.world, told.world.stan, fork, "archive"))
    assert SEEN.encode() in whole
    assert CANARY.encode() not in whole


def test_on_a_branch(told: Told) -> None:
    """What landed on main is read on a branch as it is there, and what lands on the branch as well."""
    branch = pb.CreateBranchRequest(project=told.project, name="kept")
    told.world.max("ProjectService.CreateBranch", branch)
    on = pb.ProjectRef(organization=told.project.organization, handle=told.project.handle, branch="kept")
    request = landing(on, {b"d.txt": b"d\n"}, **(told.words() | {"base_position": 1}))
    assert told.world.max("SessionService.LandSession", request).position == 2
    for caller, reads in told.callers():
        for position in (1, 2):
            asked = pb.GetSessionRequest(project=on, position=position)
            _with(str(caller("SessionService.GetSession", asked).session), reads)


def test_landed_later_and_clashing(told: Told) -> None:
    """Promised and carried out, it is kept as well; one that clashes is open again with all of it."""
    project, own = told.world.project(), session_id()
    words = told.words() | {"id": own}
    request = landing(project, {b"a": b"a"}, **words)
    request.asynchronous = True
    told.world.max("SessionService.LandSession", request)
    waits = pb.AwaitLandingRequest(project=project, session_id=own, wait_ms=20_000)
    assert told.world.max("SessionService.AwaitLanding", waits).position == 1
    clashing = landing(project, {b"a": b"b"}, **(told.words() | {"id": session_id()}))
    assert told.world.max("SessionService.LandSession", clashing).clashes
    for session in (own, clashing.session.id):
        asked = pb.GetSessionRequest(project=project, session_id=session)
        _with(str(told.world.max("SessionService.GetSession", asked).session), True)
    asked = pb.GetSessionRequest(project=project, session_id=own)
    _with(str(told.world.stan("SessionService.GetSession", asked).session), False)


def test_what_cannot_be_meant(told: Told) -> None:
    """Kept to nobody that there is, or said twice."""
    said = [pb.Message(role="human", text=CANARY)]
    for fields in (
        {"transcript": pb.KeptTranscript(seen_by="friends", conversation=said)},
        {"transcript": pb.KeptTranscript(conversation=said)},
        {"transcript": pb.KeptTranscript(seen_by="members"), "conversation": said},
    ):
        wrong = landing(told.project, {b"e": b"e"}, **fields)
        assert told.world.max.refused("SessionService.LandSession", wrong).code == "invalid_input"
    for decision in (
        pb.Decision(what="x", message=2), pb.Decision(what="x", at_ms=-1), pb.Decision(what="x", at_ms=1 << 62),
    ):  # fmt: skip
        wrong = landing(told.project, {b"e": b"e"}, **(told.words() | {"id": session_id(), "decisions": [decision]}))
        assert told.world.max.refused("SessionService.LandSession", wrong).code == "invalid_input"


# ------------------------------------------------------------ pages, in this process


@pytest.fixture
def story(db: None) -> pages_story.Story:
    """Landing 5 of acme/api says it to members."""
    made = pages_story.tell()
    data = b"x\n"
    session = Session(
        id=new_ulid(time.time_ns() // 1_000_000, bytes(10)),
        goal="Keep it",
        base_position=4,
        transcript=MEMBERS,
        decisions=(Decision(SEEN, message=1), Decision("Sign them", at=DECIDED + 1)),
        conversation=(
            Message("human", "Ada", f"{CANARY}, see @2", DECIDED),
            Message("agent", "claude-code", "I did not touch `docs/`. " + CANARY, 0),
        ),
        changes=(Change(b"docs/new.md", int(Op.ADDED), 0o100644, content_hash(data), len(data)),),
    )
    landed = land(made.actor, made.project, session, {content_hash(data): encode_blob(data)})
    assert landed.position == 5
    return made


def _client(handle: str) -> Client:
    client = Client()
    if handle:
        sign_in(client, User.objects.get(handle=handle))
    return client


def _people(story: pages_story.Story) -> list[tuple[Client, bool]]:
    for handle in ("stranger", "looker", "worker"):
        create_user(OPERATOR, handle)
    set_project_member(story.actor, "acme", "api", "looker", "reader")
    set_project_member(story.actor, "acme", "api", "worker", "member")
    return [
        (_client(""), False), (_client("stranger"), False), (_client("looker"), False), (_client("worker"), True),
        (_client(story.actor.handle), True),
    ]  # fmt: skip


def test_pages(story: pages_story.Story) -> None:
    """The page with all its parts, both twins, its feed, lists, search, blame and the card: who may not, reads it
    nowhere; and the page says who reads what.
    """
    indexer.follow(story.project.id)
    here = "/acme/api/-/landings/5"
    whole = (here, *(f"{here}?{asked}" for asked in ("format=json", "format=md", "conversation=1", "decisions=1")))
    others = (
        f"{here}/changes/1", "/acme/api", "/acme/api/-/landings", "/acme/api/-/landings.atom",
        "/-/search?q=mirror", "/-/search?q=repo:acme/api+vault", "/-/search.atom?q=vault",
        "/acme/api/-/blame/main/docs/new.md",
        "/acme/api/-/sessions", "/acme", "/explore",
    )  # fmt: skip
    for client, reads in _people(story):
        for address in whole:
            answer = client.get(address)
            assert (answer.status_code, CANARY in answer.content.decode()) == (200, reads), address
        for address in others:
            answer = client.get(address)
            assert answer.status_code in (200, 302, 404), address
            assert CANARY not in answer.content.decode(), address
        page = client.get(here).content.decode()
        assert SEEN in page
        assert "Goal, decisions and changes are for all who may see" in page
        assert ("2 messages, kept to members of the project in which" in page) == (not reads)
        for words in ("In reply to", "Last said before", "Decided in reply", "Decided after", 'href="#m1"'):
            assert (words in page) == reads, words
        markdown = client.get(f"{here}?format=md").content.decode()
        assert (f"In reply to message 1: {CANARY}, see @2" in markdown) == reads
        assert (f"Last said before, message 1: {CANARY}, see @2" in markdown) == reads
        assert ("essage 1" in markdown) == reads
        # A claim that stands in the conversation is as much of it as its words.
        assert ("I did not touch" in page) == reads
        data = client.get(f"{here}?format=json").json()
        assert (data["transcript"], data["messages"], len(data["conversation"])) == ("members", 2, 2 * reads)
        assert ("message" in {each["from"] for each in data["checks"]}) == reads
        assert [(each["message"], each["said_before"]) for each in data["decisions"]] == (
            [(1, None), (None, 1)] if reads else [(None, None), (None, None)]
        )
        assert data["decisions"][1]["at"] is not None
    assert "for all who may see the project" in Client().get("/acme/api/-/landings/3").content.decode()


def test_the_card_is_one_for_all(story: pages_story.Story) -> None:
    """It names how many messages there are, whoever's page leads to it."""
    cards = {
        handle: landing_card(story.project, queries.get_landing(actor, story.project, 5), "Ada")
        for handle, actor in (("owner", story.actor), ("operator", OPERATOR))
    }
    assert cards["owner"] == cards["operator"]
    assert "2 messages" in cards["owner"].facts


def test_rows_made_anew_and_words_erased(story: pages_story.Story) -> None:
    """Nothing of it is in rows; what is erased of a session takes its conversation along."""
    ledger = open_ledger(story.project.id)
    session = ledger.landing(5).session
    assert (session.conversation, session.messages, session.transcript) == ((), 2, MEMBERS)
    before = queries.get_landing(story.actor, story.project, 5)
    assert projector.rebuild_project(story.project.id) == 5
    assert queries.get_landing(story.actor, story.project, 5) == before
    assert len(before.session.conversation) == 2
    assert session.id not in {row.session_id for row in queries.list_open_sessions(story.actor, story.project)}
    key = f"projects/{story.project.id.hex}/sessions/{session.id.hex()}.bin"
    assert decode_session(ledger.driver.store.get(key).data, key).conversation == before.session.conversation
    wanted = Redaction(bytes(32), Reason.SECRET, Parts.WORDS, 1_793_491_200_000, "ada")
    ledger.redact(wanted, [session.id], without_words)
    after = queries.get_landing(story.actor, story.project, 5)
    assert (after.session.conversation, after.session.turns, after.session.transcript) == ((), 0, "")
    with pytest.raises(NotFound):
        ledger.open_session(session.id)
