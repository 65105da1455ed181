"""Where a reader reports a secret: the link on the page that holds it."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from mic.core.ids import ulid_text
from micelio.pages.addresses import Site


def report_address(site: Site, *, path: bytes = b"", position: int = 0, session_id: bytes = b"") -> str:
    """The form about a file as of a position, or about a session. Paths are encoded twice: they need not be text."""
    asked = {"path": quote(path, safe=""), "at": position} if path else {"session": ulid_text(session_id)}
    return f"{site.secrets}/report?{urlencode(asked)}"
