"""Sessions through the typed surface: the story, other people's sessions, and input that cannot be meant."""

from __future__ import annotations

import hashlib
import threading

import pytest

from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller, Refused, World, added, frame, landed, landing, session_id, upload

HUGE = (1 << 64) - 1


@pytest.fixture
def project(world: World) -> pb.ProjectRef:
    return world.project()


def _land(request: pb.LandSessionRequest) -> tuple[str, pb.LandSessionRequest]:
    return "SessionService.LandSession", request


def test_a_session_from_start_to_landing(world: World, project: pb.ProjectRef) -> None:
    """Started, landed with its words, given back whole; the answer to landing itself carries no words."""
    own = session_id()
    start = pb.StartSessionRequest(project=project, session_id=own, goal="Say hello", agent="claude")
    for _ in range(2):
        started = world.max("SessionService.StartSession", start).session
        assert (started.id, started.state, started.owner, started.base_position) == (own, "active", "max", 0)
    request = landing(
        project,
        {b"a.txt": b"a\n"},
        id=own,
        goal="Say hello",
        agent="claude",
        conversation=[pb.Message(role="human", author="Max", text="Hello?", at_ms=1_700_000_000_000)],
        decisions=[
            pb.Decision(what="Greet", why="It is kind", alternatives=[pb.Alternative(what="Nod", why_not="Unseen")])
        ],
    )
    first = world.max(*_land(request))
    assert (first.position, first.already_landed, first.session.state) == (1, False, "landed")
    assert (first.session.owner, first.session.base_position, first.session.files) == ("max", 0, 1)
    assert (len(first.session.conversation), len(first.session.decisions), len(first.session.changes)) == (0, 0, 0)
    again = world.max(*_land(request))
    assert (again.position, again.already_landed) == (1, True)
    assert landed(world, project) == 1
    for which in ({"session_id": own}, {"position": 1}):
        whole = world.nobody("SessionService.GetSession", pb.GetSessionRequest(project=project, **which)).session
        assert [(m.role, m.author, m.text, m.at_ms) for m in whole.conversation] == [
            ("human", "Max", "Hello?", 1_700_000_000_000)
        ]
        assert [(d.what, d.alternatives[0].why_not) for d in whole.decisions] == [("Greet", "Unseen")]
        assert [(c.path, c.mode, c.hash) for c in whole.changes] == [
            (b"a.txt", 0o100644, hashlib.sha256(b"a\n").digest())
        ]


def test_lists_tell_the_base_that_the_session_had(world: World, project: pb.ProjectRef) -> None:
    """Two sessions from position 0: the second lands at 2, and its base is 0, not 1."""
    world.land(world.rita, project, {b"one": b"1"})
    world.land(world.rita, project, {b"two": b"2"}, base_position=0)
    for name, request, field in (
        ("SessionService.ListLandings", pb.ListLandingsRequest(project=project), "landings"),
        ("SessionService.ListSessions", pb.ListSessionsRequest(project=project, state="landed"), "sessions"),
    ):
        rows = getattr(world.nobody(name, request), field)
        assert [(row.landed_position, row.base_position) for row in rows] == [(2, 0), (1, 0)]


def test_a_clash_changes_nothing_and_names_both_sides(world: World, project: pb.ProjectRef) -> None:
    """Two sessions make the same path: the second is conflicted, told the position, and kept so."""
    world.land(world.rita, project, {b"a": b"mine\n"})
    own = session_id()
    answer = world.land(world.max, project, {b"a": b"yours\n"}, id=own)
    assert (answer.position, answer.session.state, landed(world, project)) == (0, "conflicted", 1)
    clash = answer.clashes[0]
    assert (clash.path, clash.reason, clash.theirs_position, clash.base_hash) == (b"a", "changed", 1, b"")
    assert clash.ours_hash == hashlib.sha256(b"yours\n").digest()
    assert clash.theirs_hash == hashlib.sha256(b"mine\n").digest()
    kept = world.max("SessionService.GetSession", pb.GetSessionRequest(project=project, session_id=own)).session
    assert kept.state == "conflicted"


def test_two_clients_landing_at_once_both_land(world: World, project: pb.ProjectRef) -> None:
    """Each landing of each client has a position of its own, and the tree holds them all."""
    positions: list[int] = []
    errors: list[Exception] = []
    go = threading.Barrier(4)

    def run(who: int, token: str) -> None:
        try:
            with Caller(world.forge.grpc_address, token) as caller:
                go.wait(timeout=30)
                for number in range(5):
                    name = f"{who}/{number}".encode()
                    positions.append(world.land(caller, project, {name: name}).position)
        except Exception as error:  # shown by the assertion below
            errors.append(error)

    tokens = [world.forge.token(name) for name in ("rita", "max", "rita", "max")]
    threads = [threading.Thread(target=run, args=item) for item in enumerate(tokens)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=50)
    assert errors == []
    assert sorted(positions) == list(range(1, 21))
    tree = world.rita("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=project, head=True))
    assert len(tree.paths) == 20


def test_two_clients_landing_the_same_session_at_once_land_it_once(world: World, project: pb.ProjectRef) -> None:
    """A retry that overtakes its first try."""
    request = landing(project, {b"a": b"a"})
    calls = [world.max.start("SessionService.LandSession", request) for _ in range(8)]
    answers = [call.result() for call in calls]
    assert {answer.position for answer in answers} == {1}
    assert sorted(answer.already_landed for answer in answers) == [False, *[True] * 7]


def test_a_session_belongs_to_whoever_started_it(world: World, project: pb.ProjectRef) -> None:
    """Another member may neither land nor abandon it, open or landed, even when the rows are gone."""
    own = session_id()
    start = pb.StartSessionRequest(project=project, session_id=own, goal="Mine")
    world.max("SessionService.StartSession", start)
    with world.forge.database.opened() as rows:
        gone = rows.change("DELETE FROM landings_opensession WHERE session_id = ?", (own,))
    assert gone == 1
    abandon = pb.AbandonSessionRequest(project=project, session_id=own)
    taken = landing(project, {b"a": b"a"}, id=own)
    assert world.rita.refused(*_land(taken)).code == "permission_denied"
    assert world.rita.refused("SessionService.AbandonSession", abandon).code == "permission_denied"
    assert world.rita.refused("SessionService.StartSession", start).code == "permission_denied"
    assert landed(world, project) == 0
    assert world.max(*_land(taken)).position == 1
    assert world.rita.refused(*_land(taken)).code == "permission_denied"
    assert world.max.refused("SessionService.AbandonSession", abandon).code == "invalid_input"


def test_two_people_starting_the_same_id_at_once(world: World, project: pb.ProjectRef) -> None:
    """It is one person's, whoever was first; the other is told so."""
    for _ in range(10):
        start = pb.StartSessionRequest(project=project, session_id=session_id(), goal="Mine")
        calls = [caller.start("SessionService.StartSession", start) for caller in (world.max, world.rita) * 4]
        owners = {call.result().session.owner for call in calls if call.exception() is None}
        codes = {Refused(call.exception()).code for call in calls if call.exception() is not None}
        assert (len(owners), codes) == (1, {"permission_denied"})


def test_an_abandoned_session_keeps_what_was_said(world: World, project: pb.ProjectRef) -> None:
    """The words that are given with it are kept, of one that was never begun too; and none of somebody else's."""
    own, other = session_id(), session_id()
    said = pb.Session(id=own, goal="Given up", conversation=[pb.Message(role="human", text="No", at_ms=1)])
    request = pb.AbandonSessionRequest(project=project, session_id=own, session=said)
    for _ in range(2):
        found = world.max("SessionService.AbandonSession", request).session
        assert (found.state, found.owner, [turn.text for turn in found.conversation]) == ("abandoned", "max", ["No"])
    assert world.rita.refused("SessionService.AbandonSession", request).code == "permission_denied"
    request.session.id = other
    assert world.max.refused("SessionService.AbandonSession", request).code == "invalid_input"
    begun = pb.PushSessionRequest(project=project, session=pb.Session(id=other, goal="G"))
    world.max("SessionService.PushSession", begun)
    request = pb.AbandonSessionRequest(project=project, session_id=other)
    request.session.CopyFrom(pb.Session(id=other, goal="", decisions=[pb.Decision(what="So")]))
    assert world.max.refused("SessionService.AbandonSession", request).code == "invalid_input"
    request.session.goal = "G"
    world.max("SessionService.AbandonSession", request)
    asked = pb.GetSessionRequest(project=project, session_id=other)
    kept = world.rita("SessionService.GetSession", asked).session
    assert (kept.state, [each.what for each in kept.decisions]) == ("abandoned", ["So"])


def test_an_abandoned_session_stays_so(world: World, project: pb.ProjectRef) -> None:
    """It is kept with its words, and neither lands nor starts again."""
    own = session_id()
    start = pb.StartSessionRequest(project=project, session_id=own, goal="Given up")
    world.max("SessionService.StartSession", start)
    abandon = pb.AbandonSessionRequest(project=project, session_id=own)
    assert world.max("SessionService.AbandonSession", abandon).session.state == "abandoned"
    assert world.max.refused(*_land(landing(project, {b"a": b"a"}, id=own))).code == "invalid_input"
    assert world.max.refused("SessionService.StartSession", start).code == "invalid_input"
    request = pb.ListSessionsRequest(project=project, state="abandoned")
    assert [row.goal for row in world.max("SessionService.ListSessions", request).sessions] == ["Given up"]
    assert len(world.nobody("SessionService.ListSessions", request).sessions) == 0


@pytest.mark.parametrize("length", [0, 1, 15, 17, 33, 5000])
def test_an_id_of_another_length_is_no_session(world: World, project: pb.ProjectRef, length: int) -> None:
    """Sixteen bytes, in every call that takes one; none may begin only in StartSession."""
    name = b"/../" * (length // 4) + b"x" * (length % 4)
    calls = {
        "SessionService.AbandonSession": pb.AbandonSessionRequest(project=project, session_id=name),
        "SessionService.GetSession": pb.GetSessionRequest(project=project, session_id=name),
        "SessionService.LandSession": landing(project, {b"a": b"a"}, id=name),
    }
    if length:
        calls["SessionService.StartSession"] = pb.StartSessionRequest(project=project, session_id=name, goal="Try")
    for call, request in calls.items():
        refused = world.max.refused(call, request)
        assert (refused.code, refused.message) == ("invalid_input", "A session id has 16 bytes.")


@pytest.mark.parametrize(
    "path",
    [b"", b"/etc/passwd", b"../up", b"a/../b", b"a/..", b".", b"a//b", b"a/", b"nul\x00", b"x" * 16_385],
    ids=["empty", "absolute", "up", "inside", "last", "dot", "double", "slash", "nul", "long"],
)
def test_a_path_that_no_tree_can_hold_is_refused(world: World, project: pb.ProjectRef, path: bytes) -> None:
    """When landing, when importing (see the histories' own test), and as a prefix of a listing."""
    assert world.max.refused(*_land(landing(project, {path: b"x"}))).code == "invalid_path"
    if path:
        request = pb.GetProjectTreeRequest(project=project, head=True, prefix=path)
        assert world.max.refused("ProjectService.GetProjectTree", request).code == "invalid_path"
    assert landed(world, project) == 0


def test_odd_paths_that_a_tree_can_hold_are_kept(world: World, project: pb.ProjectRef) -> None:
    """Names that are not UTF-8, names of control characters: history, byte for byte."""
    files = {b".gitx/config": b"[core]\n", b"\xff\xfe": b"1", b"a\nb": b"2", b"-/x": b"3", b"x" * 16_384: b"4"}
    assert world.land(world.max, project, files).position == 1
    tree = world.nobody("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=project, head=True))
    assert sorted(tree.paths) == sorted(files)


@pytest.mark.parametrize(
    "path", [b".git/config", b"sub/.GIT/hooks/x", b".g\xe2\x80\x8cit", b"git~1/x", b"a/.git . ./x"]
)
def test_no_name_that_git_keeps_for_itself(world: World, project: pb.ProjectRef, path: bytes) -> None:
    """git would refuse to check it out, so nobody could clone the project with it any more."""
    refused = world.max.refused(*_land(landing(project, {b"fine": b"1", path: b"[core]\n"})))
    assert refused.code == "invalid_path"
    assert "Git keeps names like .git for itself" in str(refused)
    assert landed(world, project) == 0


def test_names_that_only_look_like_gits(world: World, project: pb.ProjectRef) -> None:
    """They land."""
    files = {b".gitignore": b"1", b".github/x": b"2", b"git/config": b"3", b".gitx": b"4", b"a.git/config": b"5"}
    assert world.land(world.max, project, files).position == 1


WRONG_CHANGES = {
    "op": pb.Change(path=b"a", op=7, mode=0o100644, hash=bytes(32)),  # type: ignore[arg-type]
    "negative op": pb.Change(path=b"a", op=-1, mode=0o100644, hash=bytes(32)),  # type: ignore[arg-type]
    "mode 0": pb.Change(path=b"a", mode=0, hash=bytes(32)),
    "directory": pb.Change(path=b"a", mode=0o040000, hash=bytes(32)),
    "device": pb.Change(path=b"a", mode=0o020666, hash=bytes(32)),
    "mode u32": pb.Change(path=b"a", mode=(1 << 32) - 1, hash=bytes(32)),
    "no hash": pb.Change(path=b"a", mode=0o100644),
    "short hash": pb.Change(path=b"a", mode=0o100644, hash=bytes(31)),
    "long hash": pb.Change(path=b"a", mode=0o100644, hash=bytes(33)),
    "base hash": pb.Change(path=b"a", op=pb.Change.DELETED, base_hash=bytes(16)),
    "content not sent": pb.Change(path=b"a", mode=0o100644, hash=bytes(32)),
    "size": pb.Change(path=b"a", mode=0o100644, hash=hashlib.sha256(b"a").digest(), size=HUGE),
}


@pytest.mark.parametrize("what", sorted(WRONG_CHANGES))
def test_a_change_that_cannot_be_meant_is_refused(world: World, project: pb.ProjectRef, what: str) -> None:
    """Each by itself, in a session that is otherwise right."""
    request = landing(project, {b"b": b"a"}, changes=[added(b"b", b"a"), WRONG_CHANGES[what]])
    assert world.max.refused(*_land(request)).code == "invalid_input"
    assert landed(world, project) == 0


WRONG_SESSIONS: dict[str, tuple[dict[str, object], str]] = {
    "no goal": ({"goal": ""}, "invalid_input"),
    "blank goal": ({"goal": " \n\t"}, "invalid_input"),
    "long goal": ({"goal": "g" * 70_000}, "too_large"),
    "long agent": ({"agent": "a" * 2000}, "too_large"),
    "base beyond the head": ({"base_position": 1}, "invalid_input"),
    "absurd base": ({"base_position": HUGE}, "invalid_input"),
    "no changes": ({"changes": []}, "nothing_to_land"),
    "twice": ({"changes": [added(b"a", b"a"), added(b"a", b"a")]}, "invalid_input"),
    "file and directory": ({"changes": [added(b"a", b"a"), added(b"a/b", b"a")]}, "invalid_input"),
    "role": ({"conversation": [pb.Message(role="root", text="?")]}, "invalid_input"),
    "time before all": ({"conversation": [pb.Message(role="human", at_ms=-(1 << 63))]}, "invalid_input"),
    "time after all": ({"conversation": [pb.Message(role="human", at_ms=(1 << 63) - 1)]}, "invalid_input"),
    "gone what never was": ({"changes": [pb.Change(path=b"z", op=pb.Change.DELETED)]}, "base_mismatch"),
    "another base": (
        {"changes": [pb.Change(path=b"a", mode=0o100644, hash=bytes(32), base_hash=bytes(32), op=1)]},
        "invalid_input",
    ),
}


@pytest.mark.parametrize("what", sorted(WRONG_SESSIONS))
def test_a_session_that_cannot_be_meant_is_refused(world: World, project: pb.ProjectRef, what: str) -> None:
    """By its code, and nothing lands."""
    fields, code = WRONG_SESSIONS[what]
    refused = world.max.refused(*_land(landing(project, {b"a": b"a"}, **fields)))
    assert refused.code in (code, "base_mismatch" if what == "another base" else code)
    assert landed(world, project) == 0


def test_a_session_says_of_itself_only_what_is_its_own(world: World, project: pb.ProjectRef) -> None:
    """Owner, author, state, position and Git commit are the forge's to set, whatever was sent."""
    request = landing(
        project,
        {b"a": b"a"},
        goal="nul \x00 in the goal",
        owner="rita",
        state="abandoned",
        landed_position=99,
        git_commit=bytes(20),
        author=pb.Author(name="Rita", email="rita@example.org"),
        created_at_ms=(1 << 63) - 1,
    )
    world.max(*_land(request))
    row = world.nobody("SessionService.ListLandings", pb.ListLandingsRequest(project=project)).landings[0]
    assert (row.owner, row.author.name, row.state, row.landed_position) == ("max", "max", "landed", 1)
    assert (row.git_commit, row.goal) == (b"", "nul \ufffd in the goal")
    assert row.created_at_ms <= row.updated_at_ms + 1000
    whole = world.nobody("SessionService.GetSession", pb.GetSessionRequest(project=project, position=1)).session
    assert whole.author.email.startswith("max@users.noreply.")


@pytest.mark.parametrize("token", ["x", "-1", "1.5", " 1", "²", "٣", "1" * 20, "9" * 5000, "\x00", "zz:zz", ":"])
def test_a_made_up_page_token_is_refused(world: World, token: str) -> None:
    """In every list of a project; never taken for the first page, which would make a client go round for ever."""
    for name, request in (
        ("SessionService.ListLandings", pb.ListLandingsRequest(project=world.open, page_token=token)),
        ("SessionService.ListSessions", pb.ListSessionsRequest(project=world.open, page_token=token, state="landed")),
        ("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=world.open, page_token=token)),
    ):
        assert world.rita.refused(name, request).code == "invalid_input"
    if token not in (" 1", "1" * 20, "9" * 5000):
        request = pb.ListSessionsRequest(project=world.open, page_token=token)
        assert world.rita.refused("SessionService.ListSessions", request).code == "invalid_input"


def test_pages_follow_each_other_to_the_end(world: World, project: pb.ProjectRef) -> None:
    """Each landing once, whatever the size of a page."""
    for number in range(5):
        world.land(world.rita, project, {f"{number}".encode(): b"x"})
    for size in (1, 2, 5, 6, (1 << 32) - 1):
        seen, token = [], ""
        while True:
            request = pb.ListLandingsRequest(project=project, page_size=size, page_token=token)
            page = world.nobody("SessionService.ListLandings", request)
            seen += [row.landed_position for row in page.landings]
            token = page.next_page_token
            if not token:
                break
        assert seen == [5, 4, 3, 2, 1]
        paths, token = [], ""
        while True:
            tree = pb.GetProjectTreeRequest(project=project, head=True, page_size=size, page_token=token)
            page = world.nobody("ProjectService.GetProjectTree", tree)
            paths += list(page.paths)
            token = page.next_page_token
            if not token:
                break
        assert paths == [b"0", b"1", b"2", b"3", b"4"]


@pytest.mark.parametrize("position", [7, (1 << 63) - 1, 1 << 63, HUGE])
def test_a_position_beyond_the_head_is_not_found(world: World, position: int) -> None:
    """And before one, all landings are."""
    for name, request in (
        ("SessionService.GetSession", pb.GetSessionRequest(project=world.open, position=position)),
        ("ProjectService.GetProjectTree", pb.GetProjectTreeRequest(project=world.open, position=position)),
    ):
        assert world.rita.refused(name, request).code == "not_found"
    request = pb.ListLandingsRequest(project=world.open, before_position=position)
    assert len(world.rita("SessionService.ListLandings", request).landings) == 1
    start = pb.StartSessionRequest(project=world.open, goal="Far", base_position=position)
    assert world.rita.refused("SessionService.StartSession", start).code == "invalid_input"


def test_contents_inside_a_landing_are_bounded_after_inflation_too(world: World, project: pb.ProjectRef) -> None:
    """Three frames of 4 MiB zeros weigh under 1 KiB, and are refused as 12 MiB; somebody who may not write, before."""
    zeros = frame(bytes(4 << 20), zstd=True)
    assert len(zeros.data) < 400
    request = landing(project, {b"a": b"a"})
    request.frames.extend([zeros] * 3)
    assert world.max.refused(*_land(request)).code == "too_large"
    assert world.stan.refused(*_land(request)).code == "permission_denied"
    plain = landing(project, {b"a": b"a"})
    plain.frames.append(frame(bytes(range(256)) * 4096 * 9))
    assert world.max.refused(*_land(plain)).code == "too_large"
    liar = pb.BlobFrame()
    liar.CopyFrom(zeros)
    liar.length = liar.size = 10
    request = landing(project, {b"a": b"a"})
    request.frames.append(liar)
    assert world.max.refused(*_land(request)).code == "invalid_input"


def test_contents_that_are_not_what_they_say_are_refused(world: World, project: pb.ProjectRef) -> None:
    """Another hash, a hash of another length, garbage for zstd, more bytes than said, a part of a content."""
    good = frame(b"hello")
    for change in (
        {"hash": bytes(32)},
        {"hash": bytes(31)},
        {"encoding": 1},
        {"length": 4},
        {"size": 9},
        {"offset": 1},
        {"size": HUGE, "offset": HUGE},
    ):
        wrong = pb.BlobFrame()
        wrong.CopyFrom(good)
        for name, value in change.items():
            setattr(wrong, name, value)
        request = landing(project, {b"a": b"a"})
        request.frames.append(wrong)
        refused = world.max.refused(*_land(request))
        assert refused.code in ("invalid_input", "too_large"), change
    assert landed(world, project) == 0


def test_a_made_up_receipt_is_refused(world: World, project: pb.ProjectRef) -> None:
    """Of another project, of no pack, of a wrong size, garbage."""
    sent = world.max("ProjectService.UploadBlobs", upload(project, [frame(b"uploaded")]))
    foreign = world.max("ProjectService.UploadBlobs", upload(world.open, [frame(b"elsewhere")])).packs[0]
    receipt = sent.packs[0]
    assert len(receipt) == 36
    sizes = [receipt[:32] + size.to_bytes(4, "big") for size in (0, 7, 8, 100, (64 << 20) - 1, (1 << 32) - 1)]
    swapped = [size.to_bytes(4, "big") + receipt[4:] for size in (0, 1)]
    for wrong in (b"", b"x", receipt + b"x", receipt[:-1], bytes(36), foreign, *sizes, *swapped):
        request = landing(project, {b"a": b"a"})
        request.packs.append(wrong)
        refused = world.max.refused(*_land(request))
        assert (refused.code, landed(world, project)) == ("invalid_input", 0), wrong.hex()
    request = landing(project, {}, changes=[added(b"u", b"uploaded")])
    request.packs.append(receipt)
    assert world.max(*_land(request)).position == 1


def test_an_unknown_state_is_refused(world: World) -> None:
    """With a name that fits in an error."""
    request = pb.ListSessionsRequest(project=world.open, state="x" * 10_000)
    refused = world.rita.refused("SessionService.ListSessions", request)
    assert (refused.code, len(refused.message) < 200) == ("invalid_input", True)
