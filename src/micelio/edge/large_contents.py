"""Sends the large contents that pages hand over, chunk by chunk, holding no thread while the reader is slow."""

from __future__ import annotations

import asyncio
from uuid import UUID

from django.db import connection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mic.ledger.project import Project
from micelio.pages.handover import CONTENT_HEADER
from micelio.projects.ledgers import open_ledger

_NAME = CONTENT_HEADER.lower().encode()


class LargeContents:
    """Wraps the pages: replaces the empty body of an answer that names a content by that content."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wanted = b""

        async def looked_at(message: Message) -> None:
            nonlocal wanted
            if message["type"] == "http.response.start":
                headers = message.get("headers", [])
                wanted = next((value for name, value in headers if name.lower() == _NAME), b"")
                if wanted:
                    message["headers"] = [item for item in headers if item[0].lower() != _NAME]
            if not wanted or message["type"] == "http.response.start":
                await send(message)

        await self._app(scope, receive, looked_at)
        if wanted:
            await _send_content(wanted.decode("ascii"), scope["method"] != "HEAD", send)


async def _send_content(name: str, with_body: bool, send: Send) -> None:
    project, content, start, stop = name.split("/")
    if with_body:
        ledger = await asyncio.to_thread(_open, UUID(project))
        pieces = ledger.pieces(bytes.fromhex(content), int(start), int(stop))
        while data := await asyncio.to_thread(next, pieces, b""):
            await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _open(project: UUID) -> Project:
    try:
        return open_ledger(project)
    finally:
        connection.close()  # this thread is not one that pages are made in
