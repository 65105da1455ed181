"""What git's fsck says of an object: its own message ids, with the severities that it gives them by default.

Commits, tags, trees, and the two kinds of content that Git itself acts on. Ids and severities are those of
git-fsck's documentation ("FSCK MESSAGES", of git 2.45); a server with `receive.fsckObjects` takes warnings for errors.
As git does, a commit or a tag is judged line by line up to its first error.
"""

from __future__ import annotations

import contextlib
import re
from functools import lru_cache
from operator import lt
from typing import Literal, NamedTuple

from mic.git.fsck_names import is_dot_git, is_git_file
from mic.git.tree_entries import readable_entries
from mic.git.tree_windows import Window

Severity = Literal["error", "warn", "info"]

_WARN = frozenset(
    {
        "emptyName", "fullPathname", "hasDot", "hasDotdot", "hasDotgit", "nullSha1", "zeroPaddedFilemode",
        "nulInCommit", "largePathname",
    }
)  # fmt: skip
_INFO = frozenset(
    {
        "badFilemode", "badTagName", "missingTaggerEntry", "gitattributesSymlink", "gitignoreSymlink",
        "mailmapSymlink", "gitmodulesParse",
    }
)  # fmt: skip


class Finding(NamedTuple):
    """One thing that is wrong with an object."""

    msg_id: str
    severity: Severity


class TreeFindings(NamedTuple):
    """What is wrong with a tree, and which of its entries are contents that are to be looked at, too."""

    findings: list[Finding]
    gitmodules: list[bytes]
    gitattributes: list[bytes]


class _Stop(Exception):
    """An error: git looks no further."""


_IDENT = rb" [^<>\n\0]* <[^<>\n\0]*> (?:0|[1-9][0-9]{0,17}) [+-][0-9]{4}\n"
# Nearly all commits: about a microsecond, where line by line takes ten.
_USUAL_COMMIT = re.compile(
    rb"tree [0-9a-f]{40}\n(?:parent [0-9a-f]{40}\n)*author(?=" + _IDENT + rb")[^\n]*\ncommitter" + _IDENT
)
_HEX = re.compile(rb"[0-9a-fA-F]{40}\n")
_DATE = re.compile(rb"[ \t]*([0-9]+)")
_ZONE = re.compile(rb"[+-][0-9]{4}\n")
_BAD_REF = re.compile(rb"\.\.|@\{|//|/\.|\.lock(?:/|\Z)|[\x00-\x20\x7f~^:?*\[\\]|\.\Z|/\Z|\A[./]|\A\Z")
_LAST_SECOND = (1 << 63) - 1
# 100664 is of git's first months, which wrote it; only with --strict would it be told.
_MODES = frozenset({b"100644", b"100755", b"100664", b"120000", b"40000", b"160000"})
_LONGEST_NAME = 4096


def check_object(kind: str, raw: bytes) -> list[Finding]:
    """What is wrong with an object by itself; `kind` is commit, tree, tag or blob."""
    if kind == "commit":
        return check_commit(raw)
    if kind == "tag":
        return check_tag(raw)
    return check_tree(raw).findings if kind == "tree" else []


def finding(msg_id: str) -> Finding:
    """The finding with this id."""
    return Finding(msg_id, "warn" if msg_id in _WARN else "info" if msg_id in _INFO else "error")


def check_commit(raw: bytes) -> list[Finding]:
    """What is wrong with a commit, b"tree ..." onwards."""
    if _USUAL_COMMIT.match(raw) is not None and b"\0" not in raw and (b"\n\n" in raw or raw.endswith(b"\n")):
        return []
    lines = _Lines(raw)
    with contextlib.suppress(_Stop):
        _commit(lines)
    return lines.findings


def check_tag(raw: bytes) -> list[Finding]:
    """What is wrong with an annotated tag, b"object ..." onwards."""
    lines = _Lines(raw)
    with contextlib.suppress(_Stop):
        _tag(lines)
    return lines.findings


def check_tree(raw: bytes) -> TreeFindings:
    """What is wrong with a tree: entries of mode, blank, name, NUL and 20 bytes of id."""
    found: dict[str, None] = {}
    modules: list[bytes] = []
    attributes: list[bytes] = []
    entries, readable = readable_entries(raw)
    if not readable:
        found["badTree"] = None
    for mode in {mode for mode, _, _ in entries} - _MODES:
        if mode[:1] == b"0":
            found["zeroPaddedFilemode"] = None
        if mode.lstrip(b"0") not in _MODES:
            found["badFilemode"] = None
    if _NULL in raw and any(oid == _NULL for _, _, oid in entries):
        found["nullSha1"] = None
    # A folder's name is compared as if it ended in a slash.
    keys = [
        name + b"/" if mode[-5:] == b"40000" and mode.lstrip(b"0") == b"40000" else name for mode, name, _ in entries
    ]
    if not all(map(lt, keys, keys[1:])):
        pairs = zip(entries, entries[1:], keys, keys[1:], strict=False)
        if any(key > after and entry[1] != other[1] for entry, other, key, after in pairs):
            found["treeNotSorted"] = None
    if len({name for _, name, _ in entries}) != len(entries):
        found["duplicateEntries"] = None
    for mode, name, oid in entries:
        if _ODD_NAME.match(name) is not None or len(name) > _LONGEST_NAME:
            _check_name(found, modules, attributes, name, mode, oid)
    return TreeFindings([finding(msg_id) for msg_id in found], modules, attributes)


def is_sound_version(raw: bytes, window: Window) -> bool:
    """Whether there is nothing to say of a tree, if there was nothing to say of the one that `window` is over.

    False also where only `check_tree` can say: of new names that Git acts on, and of links that come or go.
    """
    before = {name for _, name, _ in window.gone}
    names = set()
    for digits, name, oid in window.fresh:
        odd = _ODD_NAME.match(name) is not None or len(name) > _LONGEST_NAME
        if digits not in _PLAIN or oid == _NULL or (odd and _odd(name) != _NOTHING):
            return False
        # A file and a folder of one name need not stand side by side.
        if name not in before and raw.count(b" " + name + b"\0") != 1:
            return False
        names.add(name)
    if len(names) != len(window.fresh) or any(digits not in _PLAIN for digits, _, _ in window.gone):
        return False
    for run in window.runs:
        if any(digits != b"40000" and digits.endswith(b"40000") for digits, _, _ in run):
            return False
        keys = [name + b"/" if digits == b"40000" else name for digits, name, _ in run]
        if not all(map(lt, keys, keys[1:])):
            return False
    return True


_NULL = bytes(20)
# A link beside `.gitmodules` counts for what that may say.
_PLAIN = frozenset({b"100644", b"100755", b"160000", b"40000"})
# A name that Git acts on has a sign that divides folders or shortens names, or begins with a dot, with what some file
# systems leave out, or as a short name does.
_ODD_NAME = re.compile(rb"[.\xe2\xefgGmM]|[^/\\~]*[/\\~]")


_GITS_OWN = ("gitmodules", "gitattributes", "gitignore", "mailmap")


class _Odd(NamedTuple):
    """What there is to say of a name, whatever it names; and which of Git's own files it is, on some file system."""

    findings: tuple[str, ...]
    files: tuple[str, ...]


_NOTHING = _Odd((), ())


@lru_cache(maxsize=4096)
def _odd(name: bytes) -> _Odd:
    """The same names come in every version of a tree."""
    found = {
        "fullPathname": b"/" in name, "hasDot": name == b".", "hasDotdot": name == b"..",
        "largePathname": len(name) > _LONGEST_NAME, "hasDotgit": is_dot_git(name),
    }  # fmt: skip
    files = tuple(file for file in _GITS_OWN if is_git_file(name, file))
    return _Odd(tuple(msg_id for msg_id, is_so in found.items() if is_so), files)


def _check_name(
    found: dict[str, None], modules: list[bytes], attributes: list[bytes], name: bytes, mode: bytes, oid: bytes
) -> None:
    findings, files = _odd(name)
    found.update(dict.fromkeys(findings))
    for file in files:
        if mode.lstrip(b"0") == b"120000":
            found[f"{file}Symlink"] = None
        elif file == "gitmodules":
            modules.append(oid)
        elif file == "gitattributes":
            attributes.append(oid)


class _Lines:
    """An object of lines, read from its beginning; what was found so far."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.at = 0
        self.findings: list[Finding] = []

    def report(self, msg_id: str) -> None:
        """Note a finding; stop at an error."""
        found = finding(msg_id)
        self.findings.append(found)
        if found.severity == "error":
            raise _Stop

    def headers(self) -> None:
        """The header ends with an empty line, or the object with the end of a line; and it holds no NUL."""
        end = self.raw.find(b"\n\n")
        if self.raw.find(b"\0", 0, end if end >= 0 else len(self.raw)) >= 0:
            self.report("nulInHeader")
        if end < 0 and not self.raw.endswith(b"\n"):
            self.report("unterminatedHeader")

    def skip(self, word: bytes) -> bool:
        """Whether this line begins with a word, which is passed over then."""
        found = self.raw.startswith(word, self.at)
        self.at += len(word) if found else 0
        return found

    def oid(self, msg_id: str) -> None:
        """An object id that ends the line."""
        found = _HEX.match(self.raw, self.at)
        if found is None:
            self.report(msg_id)
        else:
            self.at = found.end()

    def text(self) -> bytes | None:
        """The rest of the line, None when it has no end."""
        end = self.raw.find(b"\n", self.at)
        if end < 0:
            return None
        start, self.at = self.at, end + 1
        return self.raw[start:end]

    def ident(self) -> None:
        """A name, an e-mail, a date and a time zone, up to the end of the line."""
        start, end = self.at, self.raw.find(b"\n", self.at)
        end = len(self.raw) if end < 0 else end
        self.at = min(end + 1, len(self.raw))
        line = self.raw[start : end + 1]
        if line[:1] == b"<":
            self.report("missingNameBeforeEmail")
        opened = _first_of(line, 0)
        if line[opened : opened + 1] == b">":
            self.report("badName")
        if line[opened : opened + 1] != b"<":
            self.report("missingEmail")
        if line[opened - 1 : opened] != b" ":
            self.report("missingSpaceBeforeEmail")
        closed = _first_of(line, opened + 1)
        if line[closed : closed + 1] != b">":
            self.report("badEmail")
        if line[closed + 1 : closed + 2] != b" ":
            self.report("missingSpaceBeforeDate")
        self._date(line, closed + 2)

    def _date(self, line: bytes, at: int) -> None:
        if line[at : at + 1] == b"0" and line[at + 1 : at + 2] != b" ":
            self.report("zeroPaddedDate")
        date = _DATE.match(line, at)
        if date is None:
            self.report("badDate")
        elif len(date[1]) > 20 or int(date[1]) > _LAST_SECOND:
            self.report("badDateOverflow")
        elif line[date.end() : date.end() + 1] != b" ":
            self.report("badDate")
        elif _ZONE.fullmatch(line, date.end() + 1) is None:
            self.report("badTimezone")


def _first_of(line: bytes, at: int) -> int:
    """Where the next angle bracket is, or the end of the line."""
    found = [place for sign in (b"<", b">", b"\n") if (place := line.find(sign, at)) >= 0]
    return min(found, default=len(line))


def _commit(lines: _Lines) -> None:
    lines.headers()
    if not lines.skip(b"tree "):
        lines.report("missingTree")
    lines.oid("badTreeSha1")
    while lines.skip(b"parent "):
        lines.oid("badParentSha1")
    authors = 0
    while lines.skip(b"author "):
        authors += 1
        lines.ident()
    if authors != 1:
        lines.report("multipleAuthors" if authors else "missingAuthor")
    if not lines.skip(b"committer "):
        lines.report("missingCommitter")
    lines.ident()
    if b"\0" in lines.raw:
        lines.report("nulInCommit")


def _tag(lines: _Lines) -> None:
    lines.headers()
    if not lines.skip(b"object "):
        lines.report("missingObject")
    lines.oid("badObjectSha1")
    if not lines.skip(b"type "):
        lines.report("missingTypeEntry")
    kind = lines.text()
    if kind is None:
        lines.report("missingType")
    if kind not in (b"commit", b"tree", b"blob", b"tag"):
        lines.report("badType")
    if not lines.skip(b"tag "):
        lines.report("missingTagEntry")
    name = lines.text()
    if name is None:
        lines.report("missingTag")
    elif _BAD_REF.search(name):
        lines.report("badTagName")
    if lines.skip(b"tagger "):
        lines.ident()
    else:
        lines.report("missingTaggerEntry")
