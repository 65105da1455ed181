"""No secret lands: the new contents of a session are searched before the ledger is asked.

What was found clean is remembered by project and hash in this process, so what was uploaded is not read back; a memory
shared by projects would tell members of one what another has. What the project holds already is not new: it has landed,
and is reported, not refused (ADR 39).
"""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from uuid import UUID

from mic.core.blob import decode_blob
from mic.core.errors import Erased, InvalidInput, MicError, Unavailable
from mic.core.paths import display
from mic.core.scanning import Finding, Scan, scan_many
from mic.core.session import Change, Op, Session
from mic.core.tree import EMPTY_TREE
from mic.ledger.frame import Frame, plain
from mic.ledger.project import LandRequest, Project
from micelio.accounts.actor import Actor
from micelio.findings.found import path_place
from micelio.findings.queries import decided
from micelio.projects.queries import whole_id
from micelio.scanning.allowed import PATH, Allowed, parse_allowed
from micelio.scanning.refuse import secret_found

_log = logging.getLogger("micelio.scanning")

# Contents without a finding; 200 bytes each.
_REMEMBERED = 200_000

_clean: OrderedDict[tuple[str, bytes], None] = OrderedDict()
_lock = threading.Lock()


def _remember(ledger: Project, hashes: Iterable[bytes]) -> None:
    with _lock:
        for name in hashes:
            _clean[ledger.line.project, name] = None
            _clean.move_to_end((ledger.line.project, name))
        while len(_clean) > _REMEMBERED:
            _clean.popitem(last=False)


def refuse_secrets(actor: Actor, ledger: Project, request: LandRequest) -> None:
    """Raises SecretFound for a secret in a new content that is not allowed, InvalidInput for a list that cannot be.

    Raises Unavailable when the search itself fails: what was not searched does not land.
    """
    try:
        _refuse(actor, ledger, request)
    except MicError:
        raise
    except Exception as error:
        _log.exception("the search for secrets failed")
        raise Unavailable(
            "The contents could not be searched for secrets, so nothing landed.",
            hint="Repeat later; whoever runs the forge finds the reason in its log.",
        ) from error


def _refuse(actor: Actor, ledger: Project, request: LandRequest) -> None:
    session = request.session
    own = next((change for change in session.changes if change.path == PATH and change.op != Op.DELETED), None)
    added = _own_list(actor, ledger, request, own) if own is not None else None
    found = list(_search(ledger, request))
    if not found:
        return
    listed = added if added is not None else landed_list(ledger)
    allowed = {(entry.fingerprint, entry.path) for entry in listed}
    left = [(path, item) for path, item in found if (item.fingerprint, display(path)) not in allowed]
    # What an admin has let be, in the same file, says no more in a new form of it.
    keys = {(path_place(path), item.fingerprint) for path, item in left}
    known = decided(whole_id(UUID(ledger.line.project)), keys) if keys else set()
    left = [(path, item) for path, item in left if (path_place(path), item.fingerprint) not in known]
    if left and ledger.find_session(session.id) is None:  # else it is only told where it landed
        raise secret_found(left)


def _search(ledger: Project, request: LandRequest) -> Iterator[tuple[bytes, Finding]]:
    """Findings in the contents that neither the project holds nor anybody has searched, for each path."""
    paths: dict[bytes, list[bytes]] = {}
    for change in request.session.changes:
        if change.op == Op.DELETED or (ledger.line.project, change.hash) in _clean:
            continue
        if not ledger.has_blob(change.hash):
            paths.setdefault(change.hash, []).append(change.path)
    bad: dict[bytes, list[Finding]] = {}
    sent = (
        (name, decode_blob(request.contents[name], name, "a content")) for name in paths if name in request.contents
    )
    bad.update(scan_many(sent))
    for name in paths:
        if name not in request.contents:
            stream = Scan()
            for piece in ledger.sent_pieces(request, name):
                stream.feed(piece)
            if found := stream.finish():
                bad[name] = found
    _remember(ledger, (name for name in paths if name not in bad))
    for name, items in bad.items():
        for path in paths[name]:
            yield from ((path, item) for item in items)


def _own_list(actor: Actor, ledger: Project, request: LandRequest, change: Change) -> list[Allowed]:
    """The list that a session brings along; whoever adds to it signs for it."""
    entries = parse_allowed(_content(ledger, request, change.hash))
    before = set(_kept_list(ledger, change.base_hash))
    for entry in entries:
        if entry not in before and entry.by != actor.handle:
            raise InvalidInput(
                f"{display(PATH)} has a new entry by {entry.by!r}, and {actor.handle} lands it.",
                hint="Whoever allows a finding lands the entry.",
            )
    return entries


def _content(ledger: Project, request: LandRequest, name: bytes) -> bytes:
    raw = request.contents.get(name)
    return decode_blob(raw, name, "a content") if raw is not None else b"".join(ledger.sent_pieces(request, name))


def landed_list(ledger: Project) -> list[Allowed]:
    """What the project's newest tree allows."""
    root = ledger.head().tree
    entry = ledger.entry(root, PATH) if root != EMPTY_TREE else None
    return _kept_list(ledger, entry.hash) if entry is not None else []


def _kept_list(ledger: Project, name: bytes) -> list[Allowed]:
    """The entries of a list that has landed, b"" for none. One that was erased allows nothing."""
    try:
        return parse_allowed(ledger.blob(name)) if name else []
    except Erased:
        return []


def newly_allowed(session: Session, ledger: Project, request: LandRequest) -> list[Allowed]:
    """Entries that a session adds to the list, for the audit log."""
    own = next((change for change in session.changes if change.path == PATH and change.op != Op.DELETED), None)
    if own is None:
        return []
    before = set(_kept_list(ledger, own.base_hash))
    return [entry for entry in parse_allowed(_content(ledger, request, own.hash)) if entry not in before]


class Watched:
    """Frames of an upload on their way: contents without a finding are remembered once the upload has verified them.

    Findings are not told here: an upload is only an upload, and what is found is found again when it lands.
    """

    def __init__(self, ledger: Project, frames: Iterable[Frame]) -> None:
        self._ledger, self._frames = ledger, frames
        self._names: set[bytes] = set()
        self._bad: set[bytes] = set()

    def __iter__(self) -> Iterator[Frame]:
        batch: list[tuple[bytes, bytes]] = []
        size = 0
        for frame in self._frames:
            if not frame.listed and not frame.offset and frame.length == frame.size:
                data = plain(frame)
                batch.append((frame.hash, data))
                size += len(data)
                if size >= 1 << 20:
                    self._scan(batch)
                    batch, size = [], 0
            yield frame
        self._scan(batch)

    def _scan(self, batch: list[tuple[bytes, bytes]]) -> None:
        self._bad.update(name for name, _ in scan_many(batch))
        self._names.update(name for name, _ in batch)

    def verified(self) -> None:
        """The upload is whole, and every content is what its name says."""
        _remember(self._ledger, self._names - self._bad)
