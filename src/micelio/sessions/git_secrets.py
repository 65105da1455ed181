"""No secret becomes visible through a ref: every object of a push is searched, whichever ref names it.

What lands on main is judged as a history is (`import_secrets`); a branch or a tag has no landing yet, so its objects
are judged by themselves. A finding that main's `.micelio/secrets.toml` allows is allowed here too.
"""

from __future__ import annotations

import logging

from mic.core.errors import MicError, SecretFound, Unavailable
from mic.core.scanning import scan_many
from mic.git.packentry import NAMES, TREE
from mic.ledger.project import Project
from micelio.sessions.secrets import landed_list

_log = logging.getLogger("micelio.scanning")

_BATCH = 1 << 20


def object_secret(found: str) -> SecretFound:
    """What is said to whoever imports: a branch, a tag or an old version holds what looks like a secret."""
    return SecretFound(
        f"This repository holds what looks like a secret, so nothing of it is visible: {found}.",
        hint="Revoke it. Then an admin of the project lets it in: `mic import git --accept-secrets REASON`.",
    )


class ObjectSearch:
    """Fed with each object once; `found` says of the first finding that is not allowed where it is, "" for none.

    `clean`: nothing at all was found so far, not even what is allowed.
    """

    def __init__(self, ledger: Project) -> None:
        self._allowed = {entry.fingerprint for entry in landed_list(ledger)}
        self._batch: list[tuple[tuple[int, bytes], bytes]] = []
        self._bytes = 0
        self.found = ""
        self.clean = True

    def add(self, oid: bytes, kind: int, data: bytes) -> None:
        """The next object. Raises Unavailable when the search fails: what was not searched stays out."""
        if kind == TREE or self.found:
            return
        self._batch.append(((kind, oid), data))
        self._bytes += len(data)
        if self._bytes >= _BATCH:
            self.finish()

    def finish(self) -> str:
        """Search what waits; what `found` says then."""
        try:
            for (kind, oid), findings in scan_many(self._batch):
                for item in findings:
                    self.clean = False
                    if item.fingerprint not in self._allowed and not self.found:
                        what = f"{NAMES[kind].decode()} {oid.hex()[:12]}"
                        self.found = f"{what} holds what looks like a secret ({item.rule}, line {item.line})"
        except MicError:
            raise
        except Exception as error:
            _log.exception("the search for secrets failed")
            raise Unavailable(
                "The push could not be searched for secrets, so nothing of it is kept.",
                hint="Repeat later; whoever runs the forge finds the reason in its log.",
            ) from error
        self._batch, self._bytes = [], 0
        return self.found
