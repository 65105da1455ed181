"""The indexer: keeps the documents of each project as its log is, in order, beside the landings that it follows.

Idempotent and restartable: a batch of documents and how far they stand commit together, and files that a run did not
finish are written again by the next one. A thread does it a moment after something landed, and looks at every project
now and then: only at what a crash left.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import F, QuerySet, Sum

from mic.core.errors import MicError
from mic.core.tree import Entry
from mic.ledger.project import EMPTY_TREE, Project
from micelio.background import follow_in_thread
from micelio.databases import let_go
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import is_standing, standing_project_ids, visibilities, visibility_of
from micelio.search import pieces, shares
from micelio.search.documents import file_document, key_of, session_documents
from micelio.search.models import Document, Indexed, Kind, Touched
from micelio.search.touched import follow_paths
from micelio.sessions.queries import derived_positions
from micelio.sessions.redaction import as_shown

_log = logging.getLogger("micelio.search")

# Landings of one transaction, and documents and characters of one: other writers wait meanwhile.
LANDINGS = 200
FILES = 100
CHARACTERS = 1 << 20
# Paths that differ and are held at a time.
STEP = 20_000
# Characters of all files of one project whose text is searched; of the others the names. A content that is stored
# once can stand in a million files.
MOST = 512 << 20
# Seconds from a landing to its documents, so that those of many come at once, and between two looks at everything.
PAUSE = 1.0
SWEEP = 60.0
# Roots that runs did not finish; with more of them the files are begun anew.
_AIMS = 8

_due: set[UUID] = set()
_wake = threading.Event()


def due(project_id: UUID) -> None:
    """Follow a project soon, where an indexer runs."""
    _due.add(project_id)
    _wake.set()


def follow(project_id: UUID) -> None:
    """Make the documents of a project what its log says now. Raises as reading its store does."""
    if not is_standing(project_id) or not visibility_of(project_id):  # of a branch nothing is found, only of main
        return
    ledger = open_ledger(project_id)
    head = ledger.head()
    Indexed.objects.get_or_create(project_id=project_id)
    open_shelf = visibility_of(project_id) == "public"
    _to_shelf(project_id, open_shelf)
    _follow_landings(ledger, project_id, head.position, open_shelf)
    _follow_files(ledger, project_id, head.position, head.tree, open_shelf)
    follow_paths(ledger, project_id, head.position)
    forget(project_id, ledger.erased())


def forget(project_id: UUID, contents: Iterable[bytes]) -> int:
    """Remove the documents of contents that were erased; how many there were."""
    gone, all_of_them = 0, list(contents)
    for start in range(0, len(all_of_them), 500):
        gone += _erase(Document.objects.filter(project_id=project_id, content__in=all_of_them[start : start + 500]))
    if gone:
        shares.count_anew(project_id)
        _merge()
    return gone


def reword(project_id: UUID, positions: Sequence[int]) -> None:
    """Say of these landings what they say now, and nothing else any more."""
    ledger = open_ledger(project_id)
    with transaction.atomic():
        # Whoever is about to write what they said before sees that, and reads again.
        Indexed.objects.filter(project_id=project_id).update(reworded=F("reworded") + 1)
        state = Indexed.objects.filter(project_id=project_id).first()
        if state is None:
            return
        gone = 0
        for position in positions:
            said = Document.objects.filter(project_id=project_id, position=position).exclude(kind=Kind.CODE)
            gone += _erase(said)
            if position <= state.position:
                record, session = ledger.landing(position)
                _write(project_id, session_documents(project_id, record, as_shown(session), open_shelf=state.open))
    if gone:
        _merge()


def _erase(found: QuerySet[Document]) -> int:
    """Remove rows so that no byte of them stays."""
    if connection.vendor == "sqlite" and found.exists():
        with connection.cursor() as cursor:
            # What SQLite gives free keeps its bytes otherwise.
            cursor.execute("PRAGMA secure_delete = ON")
    return found.delete()[0]


def _merge() -> None:
    """A deleted row's pieces stay until their table is merged; PostgreSQL does that by itself."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            for table in ("search_open", "search_closed"):
                cursor.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")  # noqa: S608  # our own names


def rebuild() -> list[MicError]:
    """Forget every document and make them again from the logs; what was damaged."""
    damaged: list[MicError] = []
    for project_id in standing_project_ids():
        try:
            open_ledger(project_id).head()
            with transaction.atomic():
                Document.objects.filter(project_id=project_id).delete()
                Touched.objects.filter(project_id=project_id).delete()
                Indexed.objects.filter(project_id=project_id).delete()
                shares.count_anew(project_id)
            follow(project_id)
        except MicError as error:
            damaged.append(error)
    return damaged


def _to_shelf(project_id: UUID, open_shelf: bool) -> None:
    """Put what stands on the wrong shelf onto the other one, in steps."""
    if Indexed.objects.filter(project_id=project_id, open=open_shelf).exists():
        return
    # First: what is written from now on stands where it should.
    Indexed.objects.filter(project_id=project_id).update(open=open_shelf)
    wrong = Document.objects.filter(project_id=project_id, open=not open_shelf)
    while ids := list(wrong.values_list("id", flat=True)[:FILES]):
        Document.objects.filter(id__in=ids).update(open=open_shelf)


def _follow_landings(ledger: Project, project_id: UUID, head: int, open_shelf: bool) -> None:
    while True:
        state = Indexed.objects.get(project_id=project_id)
        if state.position >= head:
            return
        let_go()
        ledger.head()
        last = min(head, state.position + LANDINGS)
        rows: list[Document] = []
        for record in ledger.records(state.position + 1, last):
            session = as_shown(ledger.session_of(record))
            rows += session_documents(project_id, record, session, open_shelf=open_shelf)
        with transaction.atomic():
            now = Indexed.objects.select_for_update().get(project_id=project_id)
            if (now.position, now.reworded) != (state.position, state.reworded):
                continue  # another process was at it too, or words were erased meanwhile
            _write(project_id, rows)
            Indexed.objects.filter(project_id=project_id).update(position=last)


def _follow_files(ledger: Project, project_id: UUID, position: int, tree: bytes, open_shelf: bool) -> None:
    state = Indexed.objects.get(project_id=project_id)
    stands, aims = bytes(state.tree) or EMPTY_TREE, bytes(state.aims)
    if (stands, aims) == (tree, b""):
        Indexed.objects.filter(project_id=project_id).update(files_position=position)
        return
    if len(aims) >= 32 * _AIMS:
        Document.objects.filter(project_id=project_id, kind=Kind.CODE).delete()
        shares.count_anew(project_id)
        stands, aims = EMPTY_TREE, b""
    roots = [stands, *(aims[at : at + 32] for at in range(0, len(aims), 32))]
    Indexed.objects.filter(project_id=project_id).update(tree=stands, aims=aims + tree)
    text = Document.objects.filter(project_id=project_id, kind=Kind.CODE).aggregate(sum=Sum("size"))["sum"] or 0
    changed = _changed(ledger, list(dict.fromkeys(roots)), tree)
    for paths, rows in _batches(ledger, project_id, changed, open_shelf, MOST - text):
        with transaction.atomic():
            Indexed.objects.select_for_update().get(project_id=project_id)
            keys = [key_of(Kind.CODE, path) for path in paths]
            gone = list(Document.objects.filter(project_id=project_id, key__in=keys).values_list("language", "size"))
            _remove(project_id, keys)
            _write(project_id, rows)
            shares.shift(project_id, gone, ((row.language, row.size) for row in rows))
        let_go()
    done = Indexed.objects.filter(project_id=project_id, tree=stands, aims=aims + tree)
    done.update(tree=tree, aims=b"", files_position=position)


def _changed(ledger: Project, roots: Sequence[bytes], tree: bytes) -> Iterator[tuple[bytes, Entry | None]]:
    """Each path that is another in a tree than in one of the roots, sorted, with what it is there.

    In steps: a project has as many files as it likes, and memory has room for so many.
    """
    after = b""
    while True:
        steps = [ledger.diff(root, tree, after, STEP) for root in roots]
        # Behind the last of a full step there may be more, which must not be passed over for another's sake.
        ends = [step[-1].path for step in steps if len(step) == STEP]
        until = min(ends, default=None)
        found = {change.path: change.new for step in steps for change in step if until is None or change.path <= until}
        yield from sorted(found.items())
        if until is None:
            return
        after = until


def _batches(
    ledger: Project, project_id: UUID, changed: Iterable[tuple[bytes, Entry | None]], open_shelf: bool, room: int
) -> Iterator[tuple[list[bytes], list[Document]]]:
    """The paths of one transaction each, with the rows of those that are there."""
    paths: list[bytes] = []
    rows: list[Document] = []
    size = 0
    for path, entry in changed:
        paths.append(path)
        if entry is not None:
            rows.append(file_document(ledger, project_id, entry, open_shelf=open_shelf, room=room))
            size += rows[-1].size
            room -= rows[-1].size
        if len(paths) >= FILES or size >= CHARACTERS:
            yield paths, rows
            paths, rows, size = [], [], 0
    if paths:
        yield paths, rows


def _write(project_id: UUID, rows: Sequence[Document]) -> None:
    _remove(project_id, [bytes(row.key) for row in rows])
    if rows:
        pieces.add(rows)


def _remove(project_id: UUID, keys: Sequence[bytes]) -> None:
    for start in range(0, len(keys), 500):
        Document.objects.filter(project_id=project_id, key__in=keys[start : start + 500]).delete()


def behind() -> list[UUID]:
    """The projects whose documents do not follow their rows, or stand on the wrong shelf."""
    states = {
        row[0]: row[1:]
        for row in Indexed.objects.values_list("project_id", "position", "files_position", "paths_position", "open")
    }
    derived = derived_positions()
    found = []
    for project_id, visibility in visibilities().items():
        position = derived.get(project_id, 0)
        *stands, shelf = states.get(project_id, (0, visibility == "public"))
        if min(stands) < position or shelf != (visibility == "public"):
            found.append(project_id)
    return found


def start() -> Callable[[], None]:
    """Follow in a thread; returns the function that stops it."""
    return follow_in_thread("indexer", _loop, _wake)


def _loop(stopping: threading.Event) -> None:
    swept: float | None = None
    while not stopping.is_set():
        _wake.clear()
        wanted = {_due.pop() for _ in range(len(_due))}
        try:
            if swept is None or time.monotonic() - swept >= SWEEP:
                wanted.update(behind())
                swept = time.monotonic()
        except Exception:
            _log.exception("which projects are to be indexed could not be read; trying again")
        for project_id in wanted:
            if stopping.is_set():
                break
            _followed(project_id)
        let_go()
        _wake.wait(SWEEP)
        stopping.wait(PAUSE)
    connection.close()


def _followed(project_id: UUID) -> None:
    try:
        follow(project_id)
    except (MicError, OSError, IntegrityError) as error:
        # The next look at everything finds it behind.
        _log.error("project %s: what is searched does not follow its log: %s", project_id, error)
    except Exception:
        _log.exception("project %s: what is searched does not follow its log", project_id)
