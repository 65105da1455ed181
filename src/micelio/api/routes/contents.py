"""Files of a project at a position: listed, and read byte for byte."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from mic.core.errors import NotFound
from mic.core.paths import display
from mic.core.tree import CONFLICT, DIRECTORY, Entry
from mic.ledger.project import Project
from micelio.api.answers import begin, page
from micelio.api.headers import ranged
from micelio.api.paths import path_of
from micelio.api.request import ApiRequest
from micelio.api.shapes import AskedPage, Flag, OnLine, Page, PathBytes, Position, Told, path_fields
from micelio.pages.modes import GITLINK, SYMLINK
from micelio.pages.raw import raw_answer
from micelio.projects.ledgers import open_ledger
from micelio.projects.queries import get_project

router = Router(tags=["files"])
At = Annotated[Position | None, Field(description="A position; left out: the head.", examples=[1])]


class TreeEntry(Told):
    """A file or a directory."""

    path: str
    path_bytes: PathBytes
    kind: Literal["file", "directory", "symlink", "commit"]
    mode: str | None = Field(description="Git's, in octal; null of a directory.")
    size: int = Field(description="In bytes; of a directory 0.")
    hash: str | None = Field(description="SHA-256 of the content; null of a directory.")
    position: int = Field(description="Where the list was read: pages of one list are of one position.")


class AskedTree(AskedPage, OnLine):
    """Where, and how deep."""

    at: At = None
    recursive: Annotated[Flag, Field(description="All files below it, instead of one level.")] = False


class AskedFile(OnLine):
    """Where."""

    at: At = None


@router.get("/projects/{owner}/{project}/tree", response=Page[TreeEntry], summary="List the files at the root")
def list_root(request: ApiRequest, owner: str, project: str, asked: Query[AskedTree]) -> HttpResponse:
    """One level, or all files."""
    return _listed(request, owner, project, asked)


@router.get(
    "/projects/{owner}/{project}/tree/{file:path}", response=Page[TreeEntry], summary="List the files of a directory"
)
def list_directory(request: ApiRequest, owner: str, project: str, path: str, asked: Query[AskedTree]) -> HttpResponse:
    """One level, or all files below it. Slashes in the path stay as they are."""
    return _listed(request, owner, project, asked)


@router.get(
    "/projects/{owner}/{project}/files/{file:path}",
    response={200: bytes},
    summary="Read a file",
    openapi_extra=ranged(),
)
def read_file(request: ApiRequest, owner: str, project: str, path: str, asked: Query[AskedFile]) -> HttpResponse:
    """Its bytes, or the range that was asked for. Slashes in the path stay as they are."""
    project_id, ledger, position = _opened(request, owner, project, asked.branch, asked.at)
    name = path_of(request)
    entry = ledger.entry(ledger.tree_at(position), name) if name else None
    if entry is None or entry.kind == CONFLICT:
        raise NotFound(
            f"There is no file {display(name)[:200]} at @{position}.", hint="List the directory that it should be in."
        )
    return raw_answer(request, project_id, ledger, entry)


def _opened(request: ApiRequest, owner: str, project: str, branch: str, at: int | None) -> tuple[UUID, Project, int]:
    found = get_project(request.actor, owner, project, branch)
    ledger = open_ledger(found.line)
    return found.line, ledger, ledger.head().position if at is None else at


def _listed(request: ApiRequest, owner: str, project: str, asked: AskedTree) -> HttpResponse:
    begun: Any = begin(request, asked)
    _, ledger, position = _opened(request, owner, project, asked.branch, begun[0] if begun else asked.at)
    root, directory = ledger.tree_at(position), path_of(request).rstrip(b"/")
    after = base64.b64decode(begun[1]) if begun else b""
    listing = ledger.files if asked.recursive else ledger.list_dir
    found = listing(root, directory, after, asked.limit + 1)
    if not found and directory and not after:
        raise NotFound(
            f"There is no directory {display(directory)[:200]} at @{position}.", hint="List the one above it."
        )
    return page(
        request,
        asked,
        found,
        lambda entry: _entry(entry, position),
        lambda entry: [position, base64.b64encode(entry.path).decode()],
    )


def _entry(entry: Entry, position: int) -> TreeEntry:
    directory = entry.kind == DIRECTORY
    kind = "directory" if directory else {SYMLINK: "symlink", GITLINK: "commit"}.get(entry.mode, "file")
    return TreeEntry(
        **path_fields(entry.path),  # type: ignore[arg-type]
        kind=kind,  # type: ignore[arg-type]
        mode=None if directory else f"{entry.mode:06o}",
        size=0 if directory else entry.size,
        hash=None if directory else entry.hash.hex(),
        position=position,
    )
