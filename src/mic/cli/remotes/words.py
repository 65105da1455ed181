"""What sessions said, beside the commits that go to another Micelio, and of those that came from one.

Commits name the session whose landing they are. Which words that session has says the forge that landed it; they go as
the notes of their commits, and land with them (docs/formats.md). Git servers get none.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from mic.cli.forge.connection import Address, connect
from mic.cli.remotes.configured import MICELIO, Remote
from mic.cli.remotes.git import HEADS, Landed, Mirror, Moved, Spec
from mic.cli.terminal.output import Output
from mic.cli.terminal.words import decision_of
from mic.core.brought import NOTES, Brought, decode_brought, encode_brought
from mic.core.errors import InvalidInput, MicError, NotFound, TooLarge
from mic.core.ids import ulid_text
from mic.core.session import Message
from mic.rpc.client import Client
from mic.rpc.v1 import mic_pb2 as pb

# Newest commits whose words go along, of one push or fetch: each is a question to a forge.
MOST = 2_000
_WROTE = "refs/notes/ai"


def words_to_push(mirror: Mirror, remote: Remote, address: Address, specs: Iterable[Spec], out: Output) -> list[Spec]:
    """The notes that go with a push to another Micelio: what sessions said, and who wrote which lines; none elsewhere.

    `address` is where the commits landed. What that forge does not tell is not carried, and stops no push.
    """
    sources = [spec.source for spec in specs if spec.source.startswith(HEADS)]
    if remote.kind != MICELIO or not sources:
        return []
    landed = mirror.landed(sources, f"refs/remotes/{remote.name}/", MOST + 1)
    if len(landed) > MOST:
        out.note(f"What sessions said goes with the newest {MOST:,} commits; the older ones go without.")
    try:
        with connect(address.instance) as client:
            told = {oid: encode_brought(said) for oid, said in words_of(client, address, landed[:MOST])}
    except MicError as error:
        out.note(f"What sessions said stays here: {error.message}")
        return []
    notes = []
    if told:
        mirror.note(_out(remote), told, anew=True)
        notes.append(Spec(_out(remote), NOTES.decode(), True))
    if landed and mirror.fetch_own(_WROTE, _wrote(remote)):
        notes.append(Spec(_wrote(remote), _WROTE, False))
    return notes


def fetch_words(mirror: Mirror, remote: Remote, moved: Iterable[Moved], out: Output) -> int:
    """Ask the Micelio that commits came from what their sessions said, to be shown with them; of how many it is known.

    One that does not answer is said, and the commits are here all the same.
    """
    tips = [each.new for each in moved if each.new]
    if remote.kind != MICELIO or not tips:
        return 0
    landed = mirror.landed(tips, f"refs/notes/remotes/{remote.name}", MOST, known=mirror.notes(_in(remote.name)))
    address = address_of_remote(remote)
    try:
        with connect(address.instance) as client:
            told = {oid: encode_brought(said) for oid, said in words_of(client, address, landed)}
    except MicError as error:
        out.note(f"What sessions said at {remote.name} is not known: {error.message}")
        return 0
    if told:
        mirror.note(_in(remote.name), told, anew=False)
    return len(told)


def words_here(mirror: Mirror, name: str, oid: str) -> Brought | None:
    """What is known of a fetched commit's session; None for nothing."""
    raw = mirror.noted(_in(name), oid)
    try:
        return decode_brought(raw) if raw else None
    except (InvalidInput, TooLarge):
        return None


def words_of(client: Client, address: Address, landed: Iterable[Landed]) -> Iterator[tuple[str, Brought]]:
    """The words of those commits that the forge knows as landings of these sessions."""
    project = address.on("").ref
    for each in landed:
        if not each.session or not each.position:
            continue
        try:
            request = pb.GetSessionRequest(project=project, id_prefix=each.session)
            session: pb.Session = client.call(client.sessions.GetSession, request).session
        except (NotFound, InvalidInput):
            continue  # of a third forge, whose commits both have
        if ulid_text(session.id) == each.session and session.landed_position == each.position:
            yield each.oid, _brought(session, address)


def address_of_remote(remote: Remote) -> Address:
    """The project that a remote at a Micelio is."""
    from mic.cli.forge.connection import parse_address

    return parse_address(remote.url.removesuffix(".git"))


def _brought(session: pb.Session, address: Address) -> Brought:
    turns = len(session.conversation)
    decisions = tuple(
        # A conversation that is kept apart does not go along.
        replace(each, message=each.message if each.message <= turns else 0)
        for each in map(decision_of, session.decisions)
    )
    return Brought(
        forge=address.instance,
        project=f"{address.organization}/{address.project}",
        session=ulid_text(session.id),
        position=session.landed_position,
        goal=session.goal,
        agent=session.agent,
        conversation=tuple(Message(m.role, m.author, m.text, m.at_ms) for m in session.conversation),
        decisions=decisions,
    )


def _in(name: str) -> str:
    return f"refs/notes/remotes/{name}"


def _out(remote: Remote) -> str:
    return f"refs/notes/out/{remote.name}"


def _wrote(remote: Remote) -> str:
    return f"refs/notes/wrote/{remote.name}"
