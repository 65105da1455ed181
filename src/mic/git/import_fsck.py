"""What an import keeps although a push of it is refused: git's fsck calls it an error, and it harms nobody.

Old histories have commits without an e-mail, or trees in a wrong order, and an id covers them. They are kept as they
are and counted by git's message ids. What endangers whoever clones stays out, as in a push.
"""

from __future__ import annotations

from mic.git.fsck import Finding
from mic.git.push_fsck import DANGEROUS, PushFsck, refuse

_HARMLESS_FILES = frozenset({"gitmodulesLarge", "gitmodulesParse", "gitattributesLarge", "gitattributesLineLength"})
_HARMFUL_FILES = ("gitmodules", "gitattributes")


class ImportFsck(PushFsck):
    """As for a push, but errors of the form are counted in `marked`, by message id."""

    def __init__(self) -> None:
        super().__init__()
        self.marked: dict[str, int] = {}

    def judge(self, what: str, findings: list[Finding]) -> None:
        for found in findings:
            msg_id = found.msg_id
            harmful = msg_id.startswith(_HARMFUL_FILES) and msg_id not in _HARMLESS_FILES
            if msg_id in DANGEROUS or (harmful and found.severity == "error"):
                refuse(what, [found])
            if found.severity == "error":
                self.marked[msg_id] = self.marked.get(msg_id, 0) + 1
