"""The files at a position as one file to take away: made piece by piece, the same bytes whoever asks and whenever.

Times are that of the landing, names begin with `{project}-{position}/`, files stand in the order of the tree. What no
working copy would hold (`.git/...`) is left out; a content that was erased says so in its place.
"""

from __future__ import annotations

import io
import stat
import tarfile
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

import zstandard
from django.http import HttpResponse

from mic.core.errors import Erased, InvalidInput, TooLarge
from mic.core.head import hlc_ms
from mic.core.paths import unwritable_reason
from mic.core.tree import CHUNKED, CONFLICT, Entry
from mic.ledger.project import Project
from micelio.pages.modes import EXECUTABLE, GITLINK, SYMLINK
from micelio.pages.text import count_words, size_words

KINDS = {"zip": "application/zip", "tar.zst": "application/zstd"}
# Beyond these `git clone` is the better way; a zip of more than 65,535 files is none that every program reads.
MOST_FILES = 65_000
MOST_BYTES = 2 << 30
# Only between a view and the edge of the same process, as `handover.CONTENT_HEADER`.
ARCHIVE_HEADER = "X-Micelio-Archive"
# Bytes that are gathered before they are sent; names that are read from the tree at once.
_PIECE = 256 * 1024
_NAMES = 1000
# Of a zip: no time before this one can be written in it.
_EARLIEST = 315_532_800


@dataclass(frozen=True, slots=True)
class Archive:
    """What to send: the files of a project at a position, below a folder of this name."""

    project: UUID
    position: int
    kind: str
    folder: str

    def header(self) -> str:
        """As the view tells it to the edge. A project's handle has no blank."""
        return f"{self.project.hex} {self.position} {self.kind} {self.folder}"


def parse_header(text: str) -> Archive:
    """What `Archive.header` says."""
    project, position, kind, folder = text.split(" ")
    return Archive(UUID(project), int(position), kind, folder)


def require_small(ledger: Project, root: bytes) -> None:
    """Raises TooLarge for what is too much for one file."""
    files, size = ledger.totals(root)
    if files > MOST_FILES or size > MOST_BYTES:
        raise TooLarge(
            f"{count_words(files, 'file')} of {size_words(size)} are too much for an archive: "
            f"at most {count_words(MOST_FILES, 'file')} of {size_words(MOST_BYTES)} are sent as one.",
            hint="Use `git clone` or `mic clone`.",
        )


def hand_over_archive(archive: Archive, root: bytes) -> HttpResponse:
    """An answer whose body the edge will send."""
    response = HttpResponse(content_type=KINDS[archive.kind])
    response.headers[ARCHIVE_HEADER] = archive.header()
    response.headers["ETag"] = f'"{root.hex()[:32]}-{archive.position}-{archive.kind}"'
    response.headers["Content-Disposition"] = f"attachment; filename={archive.folder}.{archive.kind}"
    return response


def parse_name(name: str) -> tuple[str, str]:
    """(point, kind) of `head.zip` or `@42.tar.zst`. Raises InvalidInput."""
    for kind in KINDS:
        if name.endswith(f".{kind}"):
            return name.removesuffix(f".{kind}"), kind
    raise InvalidInput(
        "There is no archive of this kind.", hint=f"Ask for {' or '.join(f'`head.{kind}`' for kind in KINDS)}."
    )


def pieces(ledger: Project, archive: Archive) -> Iterator[bytes]:
    """The archive. Raises as reading the store does."""
    root = ledger.tree_at(archive.position)
    seconds = hlc_ms(ledger.records(archive.position, archive.position)[0].hlc) // 1000
    made = _zip if archive.kind == "zip" else _tar
    return made(ledger, root, archive.folder, seconds)


class _Sink(io.RawIOBase):
    """What is written and was not taken yet."""

    def __init__(self) -> None:
        self.held = bytearray()
        self._written = 0

    def tell(self) -> int:
        return self._written

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        view = memoryview(data)  # type: ignore[arg-type]
        self.held += view
        self._written += view.nbytes
        return view.nbytes

    def taken(self) -> bytes:
        data = bytes(self.held)
        self.held.clear()
        return data


def _entries(ledger: Project, root: bytes) -> Iterator[Entry]:
    after = b""
    while found := ledger.files(root, b"", after, _NAMES):
        yield from (entry for entry in found if entry.kind != CONFLICT and not unwritable_reason(entry.path))
        after = found[-1].path


def _content(ledger: Project, entry: Entry) -> tuple[int, Iterator[bytes]]:
    if entry.kind == CHUNKED and not ledger.tombstones([entry.hash]):
        return entry.size, ledger.pieces(entry.hash)
    try:
        data = ledger.blob(entry.hash)
    except Erased as erased:
        data = str(erased.details["text"]).encode()
    return len(data), iter((data,))


def _zip(ledger: Project, root: bytes, folder: str, seconds: int) -> Iterator[bytes]:
    sink = _Sink()
    when = time.gmtime(max(seconds, _EARLIEST))[:6]
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as out:
        for entry in _entries(ledger, root):
            if entry.mode == GITLINK:
                continue
            info = zipfile.ZipInfo(f"{folder}/{_zip_name(entry.path)}", when)
            info.create_system = 3  # of Unix: the mode counts
            kind = stat.S_IFLNK | 0o777 if entry.mode == SYMLINK else stat.S_IFREG | _permissions(entry)
            info.external_attr = kind << 16
            info.compress_type = zipfile.ZIP_DEFLATED
            _, data = _content(ledger, entry)
            with out.open(info, "w", force_zip64=entry.size >= 1 << 31) as file:
                for piece in data:
                    file.write(piece)
                    if len(sink.held) >= _PIECE:
                        yield sink.taken()
            if len(sink.held) >= _PIECE:
                yield sink.taken()
    yield sink.taken()


def _zip_name(path: bytes) -> str:
    """A zip has text for names: a byte that is no UTF-8 stands there as `%E9`."""
    return "".join(
        f"%{ord(letter) - 0xDC00:02X}" if "\udc80" <= letter <= "\udcff" else letter
        for letter in path.decode("utf-8", "surrogateescape")
    )


def _permissions(entry: Entry) -> int:
    return 0o755 if entry.mode == EXECUTABLE else 0o644


def _tar(ledger: Project, root: bytes, folder: str, seconds: int) -> Iterator[bytes]:
    sink = _Sink()
    press = zstandard.ZstdCompressor(level=6, threads=0).compressobj()
    with tarfile.open(
        fileobj=sink, mode="w", format=tarfile.GNU_FORMAT, encoding="utf-8", errors="surrogateescape"
    ) as out:
        for entry in _entries(ledger, root):
            if entry.mode == GITLINK:
                continue
            info = tarfile.TarInfo(f"{folder}/{entry.path.decode('utf-8', 'surrogateescape')}")
            info.mtime, info.mode = seconds, _permissions(entry)
            size, data = _content(ledger, entry)
            if entry.mode == SYMLINK:
                info.type, info.mode = tarfile.SYMTYPE, 0o777
                info.linkname = b"".join(data).decode("utf-8", "surrogateescape")
                out.addfile(info)
                continue
            info.size = size
            out.addfile(info)  # the header; the content follows piece by piece
            out.members.clear()  # type: ignore[attr-defined]  # it remembers them all otherwise
            for piece in data:
                sink.write(piece)
                if len(sink.held) >= _PIECE:
                    yield press.compress(sink.taken())
            sink.write(bytes(-size % tarfile.BLOCKSIZE))
            out.offset += size + -size % tarfile.BLOCKSIZE
            if len(sink.held) >= _PIECE:
                yield press.compress(sink.taken())
    yield press.compress(sink.taken()) + press.flush()
