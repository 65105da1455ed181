"""Erasing words: what was said in a session goes in every copy, the log stays whole, and killed anywhere it goes on."""

from __future__ import annotations

import contextlib

import pytest
from msgspec.structs import replace

from ledgers import NOON, Traced, contents, land, objects_of, request, store_of, traced
from mic.core.errors import InvalidInput, MicError, NotFound
from mic.core.ids import content_hash
from mic.core.intent import encode_intent
from mic.core.redaction import Parts, Redaction
from mic.core.session import Alternative, Author, Decision, Message, Session, encode_session
from mic.core.stand_in import Person, without_person, without_words
from mic.core.tombstone import Reason
from mic.ledger.effects import Delete, Effect, Put, PutIf, PutNew
from mic.ledger.fork import fork, materialise
from mic.ledger.ledger import Ledger
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache
from mic.ledger.project import Project
from mic.ledger.verify import Verifier
from mic.store import MemoryStore

WORD = "hunter2"
TEXT = "Erased: the words of a session (a leaked secret), by ada on 2026-11-01 00:00 UTC."
ID = (2).to_bytes(16, "big")


def _name(number: int) -> bytes:
    return number.to_bytes(32, "big")


def _asked(number: int = 1, parts: Parts = Parts.WORDS, reason: Reason = Reason.SECRET) -> Redaction:
    return Redaction(_name(number), reason, parts, NOON, "ada")


def _saying(project: Project, number: int, base: int, word: str = WORD) -> Session:
    """Land session `number` that says a word wherever one can."""
    wanted = request(project, number, base, {b"f%d" % number: b"%d\n" % number}, goal=f"Use {word}")
    session = replace(
        wanted.session,
        conversation=(Message("human", "Ada", f"it is {word}", 5), Message("agent", "m", f"ok, {word}", 6)),
        decisions=(Decision(word, f"why {word}", (Alternative(f"not {word}", word),), "Ada", word),),
        claims=(word,),
        agent="model",
        build_context={"env": {"KEY": word}},
        attestations=({"by": word},),
        metadata={"note": word},
    )
    project.land(wanted._replace(session=session))
    return session


def _said_in(store: MemoryStore, word: str = WORD) -> list[str]:
    """The objects that say a word, as it is or in a frame."""
    import zstandard

    found = []
    for key, raw in objects_of(store).items():
        at, here = 0, word.encode() in raw
        while not here and (at := raw.find(b"\x28\xb5\x2f\xfd", at)) >= 0:
            with contextlib.suppress(zstandard.ZstdError):
                here = word.encode() in zstandard.ZstdDecompressor().decompress(
                    raw[at:], max_output_size=8 << 20, allow_extra_data=True
                )
            at += 1
        if here:
            found.append(key)
    return found


def _green(store: MemoryStore, name: str = "p") -> None:
    ledger = Ledger(store)
    assert [f for f in Verifier(name, ledger.driver.run).findings() if f.kind != "unreachable"] == []


@pytest.fixture
def made() -> tuple[Project, Traced, MemoryStore]:
    store = MemoryStore()
    project, driver = traced(store)
    project.create()
    land(project, 1, 0, {b"a": b"one\n"})
    _saying(project, 2, 1)
    land(project, 3, 2, {b"b": b"three\n"})
    return project, driver, store


def test_the_words_go_and_the_log_stays(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    assert _said_in(store) != []
    before, files = project.records(1, 3), contents(project)
    done = project.redact(_asked(), [ID], without_words)
    assert (done.sessions, done.projects, len(done.keys)) == ((ID,), ("p",), 1)
    assert _said_in(store) == []
    for reader in (project, Ledger(store).open("p")):
        assert reader.records(1, 3) == before
        assert contents(reader) == files
        session = reader.landing(2).session
        assert (session.id, session.goal, session.author) == (ID, TEXT, Author("Ada", "ada@example.org"))
        assert (session.conversation, session.decisions, session.claims) == ((), (), ())
        assert (session.build_context, session.attestations, session.agent) == ({}, (), "model")
        assert [change.path for change in session.changes] == [b"f2"]
        assert session.metadata["redacted"] == {
            "parts": 1, "class": "secret", "at": NOON, "by": "ada", "text": TEXT,
        }  # fmt: skip
        assert reader.landing(3).session.goal == "Goal 3"
    newest = project.landing(4)
    assert (newest.session.goal, newest.record.changes) == (TEXT, ())
    assert newest.session.metadata["erased"]["sessions"] == [ID]
    _green(store)


def test_again_changes_nothing(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    project.redact(_asked(), [ID], without_words)
    held = objects_of(store)
    assert project.redact(_asked(), [ID], without_words).sessions == (ID,)
    assert objects_of(store) == held


def test_a_session_that_did_not_land_here_is_named(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    held = objects_of(store)
    with pytest.raises(NotFound, match="has not landed"):
        project.redact(_asked(), [ID, bytes(16)], without_words)
    assert objects_of(store) == held


def test_what_a_person_is_named_by_goes_and_the_rest_stays() -> None:
    store = MemoryStore()
    project, _ = traced(store)
    project.create()
    owner = b"\x07" * 16
    wanted = request(project, 1, 0, {b"a": b"one\n"}, goal="Thanks, Grace@Example.org")
    session = replace(
        wanted.session,
        owner=owner,
        author=Author("Grace H", "grace@example.org"),
        conversation=(Message("human", "Grace H", "do it; gracex@example.org stays"), Message("agent", "m", "yes")),
        decisions=(Decision("Short", by="Grace H"), Decision("Long", by="Ada")),
    )
    project.land(wanted._replace(session=session))
    land(project, 2, 1, {b"b": b"two\n"})
    person = Person(frozenset((owner,)), frozenset(("Grace H",)), frozenset(("grace@example.org",)))
    asked = _asked(1, Parts.PERSON, Reason.PERSON)
    done = project.redact(asked, [(1).to_bytes(16, "big"), ID], without_person(person))
    assert done.sessions == ((1).to_bytes(16, "big"),)  # the other names nobody
    for word in ("Grace H", "grace@", "Grace@"):
        assert _said_in(store, word) == []
    found = Ledger(store).open("p").landing(1).session
    assert found.author == Author("Erased person", "erased@micelio.invalid")
    assert found.goal == "Thanks, erased@micelio.invalid"
    assert [each.author for each in found.conversation] == ["Erased person", "m"]
    assert found.conversation[0].text == "do it; gracex@example.org stays"
    assert [each.by for each in found.decisions] == ["Erased person", "Ada"]
    assert found.metadata["redacted"]["text"].startswith("Erased: the name of a person (a person's request)")
    _green(store)


def test_one_after_the_other_leaves_what_neither_erased(made: tuple[Project, Traced, MemoryStore]) -> None:
    """The second begins with what the first has left, and takes away what stood in."""
    project, _, store = made
    person = Person(frozenset(), frozenset(("Ada",)), frozenset(("ada@example.org",)))
    project.redact(_asked(1, Parts.PERSON), [ID], without_person(person))
    assert project.landing(2).session.goal == f"Use {WORD}"
    project.redact(_asked(2), [ID], without_words)
    assert _said_in(store) == []
    session = Ledger(store).open("p").landing(2).session
    assert session.author.name == "Erased person"
    assert session.goal == TEXT
    assert session.metadata["redacted"]["text"].startswith("Erased: the words of a session and the name of a person")
    _green(store)


def test_every_attempt_to_land_it_and_every_loose_copy_goes(made: tuple[Project, Traced, MemoryStore]) -> None:
    """A landing that lost its race left the session in an epoch that nothing names, in an object of another hash."""
    project, driver, store = made
    head = project.head()
    wanted = request(project, 9, 3, {b"z": b"9\n"}, goal=f"Use {WORD}")
    session = wanted.session

    def lose(effect: Effect) -> None:
        if isinstance(effect, PutIf):
            driver.before = lambda effect: None
            land(Ledger(store).open("p"), 8, 3, {b"y": b"8\n"})

    driver.before = lose
    project.land(wanted)
    assert len([key for key in _said_in(store) if "/tail/" in key]) == 3  # of session 2, and two attempts at 9
    raw = encode_intent(encode_session(session), [], {})
    store.put(f"projects/p/sessions/{session.id.hex()}.bin", encode_session(session))
    store.put(f"projects/p/pushed/{session.id.hex()}/{NOON:012x}-{content_hash(raw)[:16].hex()}.bin", raw)
    store.put(f"projects/p/intents/{NOON:012x}-{session.id.hex()}-{content_hash(raw)[:16].hex()}.bin", raw)
    store.put(f"projects/p/set-aside/intents/{NOON:012x}-{session.id.hex()}-{'0' * 32}.bin", raw)
    project.redact(_asked(), [session.id, ID], without_words)
    assert _said_in(store) == []
    assert project.head().position == head.position + 3
    _green(store)


def test_killed_anywhere_it_is_taken_up(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, driver, store = made
    begun = objects_of(store)
    project.redact(_asked(), [ID], without_words)
    ended = objects_of(store)
    writes = len([e for e in driver.effects if isinstance(e, Put | PutNew | PutIf | Delete)])
    for number in range(writes):
        for late in (False, True):
            again = store_of(begun)
            half, broken = traced(again)
            half.head()
            seen = 0

            def die(effect: Effect, number: int = number) -> None:
                nonlocal seen
                if isinstance(effect, Put | PutNew | PutIf | Delete):
                    seen += 1
                    if seen == number + 1:
                        raise KeyboardInterrupt

            setattr(broken, "after" if late else "before", die)
            with contextlib.suppress(KeyboardInterrupt, MicError):
                half.redact(_asked(), [ID], without_words)
            reader = Ledger(again).open("p")
            assert reader.landing(2).session.goal in (TEXT, f"Use {WORD}")
            whole, _ = traced(again)
            whole.redact(_asked(), [ID], without_words)
            assert _said_in(again) == []
            assert {key for key in objects_of(again) if "/erased/" in key} == {
                key for key in ended if "/erased/" in key
            }
            _green(again)


def _fork(store: MemoryStore, name: str, of: str = "p") -> Project:
    ledger = Ledger(store)
    ledger.driver.run(fork(Line(of, NodeCache(1 << 20)), Line(name, NodeCache(1 << 20))))
    return ledger.open(name)


def test_forks_read_what_stands_in_and_tell_of_it(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    earlier = _fork(store, "q")
    land(earlier, 20, 3, {b"q": b"own\n"})
    deeper = _fork(store, "r", "q")
    assert deeper.landing(2).session.goal == f"Use {WORD}"
    with pytest.raises(InvalidInput, match="2 forks") as met:
        project.redact(_asked(), [ID], without_words)
    assert sorted(met.value.details["forks"]) == ["q", "r"]
    with pytest.raises(InvalidInput, match="forked from"):
        earlier.redact(_asked(), [ID], without_words, with_forks=True)
    assert _said_in(store) != []
    done = project.redact(_asked(), [ID], without_words, with_forks=True)
    assert sorted(done.projects) == ["p", "q", "r"]
    assert _said_in(store) == []
    later = _fork(store, "s")
    for each, last in ((earlier, 5), (deeper, 5), (later, 4)):
        assert each.head().position == last
        assert each.landing(2).session.goal == TEXT
    assert earlier.landing(5).session.goal == TEXT
    for name in ("p", "q", "r", "s"):
        _green(store, name)


def test_a_fork_that_becomes_independent_keeps_what_stands_in(made: tuple[Project, Traced, MemoryStore]) -> None:
    """Its own redactions before and after have names and numbers of their own."""
    project, _, store = made
    other = _fork(store, "q")
    _saying(other, 20, 3, "swordfish")
    other.redact(_asked(5), [(20).to_bytes(16, "big")], without_words)
    ada = Person(frozenset(), frozenset(), frozenset(("ada@example.org",)))
    project.redact(_asked(1, Parts.PERSON), [ID], without_person(ada), with_forks=True)
    Ledger(store).driver.run(materialise(Line("q", NodeCache(1 << 20))))
    alone = Ledger(store).open("q")
    assert alone.landing(2).session.author.name == "Erased person"
    assert alone.landing(4).session.goal == TEXT
    alone.redact(_asked(6), [ID], without_words)
    found = Ledger(store).open("q").landing(2).session
    assert (found.goal, found.author.name) == (TEXT, "Erased person")
    assert _said_in(store, "swordfish") == []
    assert {key.split("/")[1] for key in _said_in(store)} == {"p"}
    for key in list(objects_of(store)):
        if key.startswith("projects/p/"):
            store.delete(key)
    _green(store, "q")


def test_a_file_with_the_bytes_of_the_session_stands_in_the_way(made: tuple[Project, Traced, MemoryStore]) -> None:
    project, _, store = made
    record = project.records(2, 2)[0]
    place = project.line.objects.find(record.session_object)
    raw = store.get_range(place.key, place.offset, place.length)
    land(project, 7, 3, {b"copy": raw})
    with pytest.raises(InvalidInput, match="have the bytes"):
        project.redact(_asked(), [ID], without_words)
    assert project.landing(2).session.goal == f"Use {WORD}"
