"""Sends the large contents, archives and exports that pages hand over, piece by piece; no thread waits for a reader."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from uuid import UUID

from django.db import connection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mic.ledger.project import Project
from micelio.exports import kept
from micelio.pages.archive import ARCHIVE_HEADER, parse_header, pieces
from micelio.pages.handover import CONTENT_HEADER, EXPORT_HEADER
from micelio.projects.ledgers import open_ledger

_CONTENT = CONTENT_HEADER.lower().encode()
_ARCHIVE = ARCHIVE_HEADER.lower().encode()
_EXPORT = EXPORT_HEADER.lower().encode()
# Archives that are made at once; whoever comes then waits, without a thread. Each takes most of a core while its reader
# keeps up.
_ARCHIVES = asyncio.Semaphore(2)


class LargeContents:
    """Wraps the pages: replaces the empty body of an answer that names a content by that content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        content = archive = export = b""

        async def looked_at(message: Message) -> None:
            nonlocal content, archive, export
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                content = next((value for name, value in headers if name.lower() == _CONTENT), b"")
                archive = next((value for name, value in headers if name.lower() == _ARCHIVE), b"")
                export = next((value for name, value in headers if name.lower() == _EXPORT), b"")
                dropped = [_CONTENT, _ARCHIVE, _EXPORT, *([b"content-length"] if archive else [])]
                if content or archive or export:
                    message["headers"] = [item for item in headers if item[0].lower() not in dropped]
            if not (content or archive or export) or message["type"] == "http.response.start":
                await send(message)

        await self._app(scope, receive, looked_at)
        with_body = scope["method"] != "HEAD"
        if content:
            await _send_content(content.decode("ascii"), with_body, send)
        if export:
            await _send_export(export.decode("ascii"), with_body, send)
        if archive:
            await _send_archive(archive.decode("ascii"), with_body, send)


async def _send_content(name: str, with_body: bool, send: Send) -> None:
    project, content, start, stop = name.split("/")
    if with_body:
        ledger = await asyncio.to_thread(_open, UUID(project))
        await _send_all(ledger.pieces(bytes.fromhex(content), int(start), int(stop)), send)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_export(name: str, with_body: bool, send: Send) -> None:
    run, start, stop = name.split("/")
    if with_body:
        await _send_all(kept.pieces(UUID(run), int(stop), int(start)), send)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_archive(name: str, with_body: bool, send: Send) -> None:
    archive = parse_header(name)
    if with_body:
        async with _ARCHIVES:
            ledger = await asyncio.to_thread(_open, archive.project)
            await _send_all(await asyncio.to_thread(pieces, ledger, archive), send)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _send_all(parts: Iterator[bytes], send: Send) -> None:
    while (data := await asyncio.to_thread(next, parts, None)) is not None:
        if data:
            await send({"type": "http.response.body", "body": data, "more_body": True})


def _open(project: UUID) -> Project:
    try:
        return open_ledger(project)
    finally:
        connection.close()  # this thread is not one that pages are made in
