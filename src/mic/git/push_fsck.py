"""What a push is refused for: the errors of git's fsck, and those of its warnings that endanger who clones.

Beyond those: submodules whose path holds a control character (CVE-2025-48384) or leads through a link of the same
folder, however it is spelt (CVE-2024-32002). Clients of some age follow them into their own repository.

A server with `receive.fsckObjects` takes every warning for an error. Old histories hold some that do no harm, a NUL in
a message or a mode with a zero before it; those go through, byte for byte.
"""

from __future__ import annotations

import re

from mic.core.blob import MAX_WHOLE
from mic.core.errors import InvalidInput
from mic.git.fsck import Finding, check_object, check_tree, finding, is_sound_version
from mic.git.fsck_files import check_gitattributes, check_gitmodules, submodules
from mic.git.packentry import BLOB, NAMES, TREE
from mic.git.packs import Packs
from mic.git.tree_entries import parse_tree
from mic.git.tree_windows import Window

DANGEROUS = frozenset({"emptyName", "fullPathname", "hasDot", "hasDotdot", "hasDotgit", "nullSha1"})
_SYMLINK = 0o120000
_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_FILES = ((".gitmodules", check_gitmodules), (".gitattributes", check_gitattributes))


class PushFsck:
    """Judges the objects of a push one after the other, and at its end the contents that Git acts on."""

    def __init__(self) -> None:
        self._links: set[tuple[bytes, frozenset[bytes]]] = set()  # content, and the links beside it in small letters
        self._files: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})  # content -> tree that names it
        self._odd: set[bytes] = set()  # trees of which there was something to say

    def add(self, oid: bytes, kind: int, data: bytes, window: Window | None = None) -> None:
        """Judge an object; of a tree, where it differs from one that was judged. Raises InvalidInput with git's id."""
        if window is not None and window.base not in self._odd and is_sound_version(data, window):
            return
        name = NAMES[kind].decode()
        if kind != TREE:
            self.judge(f"{name} {oid.hex()}", check_object(name, data))
            return
        findings, *special = check_tree(data)
        if findings:
            self._odd.add(oid)
        self.judge(f"tree {oid.hex()}", findings)
        for files, contents in zip(self._files, special, strict=True):
            files.update(dict.fromkeys(contents, oid))
        if special[0] and b"120000 " in data:
            links = frozenset(entry.name.lower() for entry in parse_tree(data, oid) if int(entry.digits, 8) == _SYMLINK)
            self._links |= {(content, links) for content in special[0]}

    def judge(self, what: str, findings: list[Finding]) -> None:
        """Raises InvalidInput when one of the findings keeps a push out."""
        refuse(what, findings)

    def finish(self, packs: Packs) -> None:
        """Judge every `.gitmodules` and `.gitattributes` that a tree of the push names. Raises InvalidInput."""
        for (name, check), files in zip(_FILES, self._files, strict=True):
            for oid, tree in files.items():
                found = packs.find(oid)
                if found is None or found.kind != BLOB:
                    continue
                large = found.size > MAX_WHOLE
                findings = [finding(f"{name[1:]}Large")] if large else check(packs.read(oid, BLOB)[1])
                self.judge(f"{name} {oid.hex()} of tree {tree.hex()[:12]}", findings)
        self._submodules(packs)

    def _submodules(self, packs: Packs) -> None:
        beside: dict[bytes, list[frozenset[bytes]]] = {oid: [] for oid in self._files[0]}
        for oid, links in self._links:
            beside[oid].append(links)
        for oid, all_links in beside.items():
            found = packs.find(oid)
            if found is None or found.kind != BLOB:
                continue
            for _, path in submodules(packs.read(oid, BLOB)[1]):
                first = path.lower().partition(b"/")[0]
                if _CONTROL.search(path) or any(first in links for links in all_links):
                    self.judge(f".gitmodules {oid.hex()}", [finding("gitmodulesPath")])


def refuse(what: str, findings: list[Finding]) -> None:
    """Raises InvalidInput for the first finding that is an error or dangerous."""
    for found in findings:
        if found.severity == "error" or found.msg_id in DANGEROUS:
            raise InvalidInput(
                f"The {what} is refused: {found.msg_id}.",
                hint="`git help fsck` says what that is; rewrite the history without it.",
                msg_id=found.msg_id,
            )
