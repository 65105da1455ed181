"""Which untracked names are nobody's business: `.gitignore` and `.micignore`, in every folder, with Git's rules.

Rules: gitignore(5). The deepest file that has a matching line decides, in it the last such line, and `.micignore`
comes after `.gitignore`; a name under an ignored folder is ignored. Patterns are matched as bytes against one level
at a time, so `!*/` means folders only, as it does for Git.
"""

from __future__ import annotations

import posix
import re

NAMES = (b".gitignore", b".micignore")
MAX_IGNORE_FILE = 1 << 20
_SIGNS = b"*?[\\"
_POSIX_CLASSES = {
    b"alpha": rb"a-zA-Z",
    b"digit": rb"0-9",
    b"alnum": rb"a-zA-Z0-9",
    b"upper": rb"A-Z",
    b"lower": rb"a-z",
    b"space": rb"\s",
    b"blank": rb" \t",
    b"punct": rb"!-/:-@\[-`{-~",
    b"xdigit": rb"0-9a-fA-F",
}


class Rule:
    """One line of an ignore file: what it matches, relative to the folder of the file."""

    __slots__ = ("anchored", "folders_only", "ignores", "regex")

    def __init__(self, regex: re.Pattern[bytes], ignores: bool, folders_only: bool, anchored: bool) -> None:
        self.regex = regex
        self.ignores = ignores
        self.folders_only = folders_only
        self.anchored = anchored


def parse_rule(line: bytes) -> Rule | None:
    """The rule of a line; None for comments, blank lines and patterns that can match nothing."""
    if line.startswith(b"#"):
        return None
    while line.endswith(b" ") and not line.endswith(b"\\ "):
        line = line[:-1]
    ignores = not line.startswith(b"!")
    if not ignores:
        line = line[1:]
    folders_only = line.endswith(b"/")
    if folders_only:
        line = line[:-1]
    anchored = b"/" in line
    if line.startswith(b"/"):
        line = line[1:]
    if not line:
        return None
    # Git compares what stands before the first sign by itself, and begins to match behind it: `a**/b` is for `ab` too.
    begin = next((place for place, byte in enumerate(line) if byte in _SIGNS), len(line)) if anchored else 0
    source = _translate(line, begin)
    if source is None:
        return None
    return Rule(re.compile(source, re.DOTALL), ignores, folders_only, anchored)


def parse_rules(text: bytes) -> list[Rule]:
    """The rules of an ignore file, in its order."""
    lines = text.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    return [rule for rule in (parse_rule(line.removesuffix(b"\r")) for line in lines) if rule is not None]


def _translate(pattern: bytes, begin: int) -> bytes | None:
    """A wildmatch pattern, whose signs are at `begin` and behind it, as a regular expression; None when it cannot match
    anything."""
    out = []
    place = 0
    while place < len(pattern):
        char = pattern[place : place + 1]
        if char == b"*":
            end = place
            while pattern[end : end + 1] == b"*":
                end += 1
            behind_slash = pattern[place - 1 : place] == b"/"
            starts = behind_slash or place in (0, begin)
            if end - place >= 2 and starts and pattern[end : end + 1] == b"/":
                out.append(rb"(?:.*/)?")
                end += 1
            elif end - place >= 2 and starts and end == len(pattern) and place:
                out.append(rb".+" if behind_slash else rb".*")
            else:
                out.append(rb"[^/]*")
            place = end
        elif char == b"?":
            out.append(rb"[^/]")
            place += 1
        elif char == b"[":
            found = _translate_class(pattern, place)
            if found is None:
                return None
            source, place = found
            out.append(source)
        else:
            if char == b"\\":
                place += 1
                char = pattern[place : place + 1]
                if not char:
                    return None
            out.append(re.escape(char))
            place += 1
    return b"".join(out)


def _translate_class(pattern: bytes, place: int) -> tuple[bytes, int] | None:
    """`[...]` at `place` as a regular expression, and the place behind it; None when it is not closed."""
    place += 1
    negated = pattern[place : place + 1] in (b"!", b"^")
    if negated:
        place += 1
    out = []
    first = True
    while True:
        char = pattern[place : place + 1]
        if not char:
            return None
        if char == b"]" and not first:
            break
        first = False
        if pattern.startswith(b"[:", place) and (end := pattern.find(b":]", place)) > 0:
            name = pattern[place + 2 : end]
            if name not in _POSIX_CLASSES:
                return None
            out.append(_POSIX_CLASSES[name])
            place = end + 2
            continue
        if char == b"\\":
            place += 1
            char = pattern[place : place + 1]
            if not char:
                return None
        place += 1
        last = pattern[place + 1 : place + 2]
        if pattern[place : place + 1] == b"-" and last not in (b"", b"]"):
            place += 2
            if last == b"\\":
                last = pattern[place : place + 1]
                place += 1
            if not last:
                return None
            if char <= last:
                out.append(re.escape(char) + b"-" + re.escape(last))
            continue
        out.append(re.escape(char))
    if not out:
        return (rb"[^/]" if negated else rb"(?!)"), place + 1
    inside = b"".join(out)
    return (b"(?!/)[" + (b"^" if negated else b"") + inside + b"]"), place + 1


class Ignores:
    """The ignore files of one workspace, read when they are first needed. `root` is an open folder."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._rules: dict[bytes, list[Rule]] = {}
        self._folders: dict[bytes, bool] = {b"": False}

    def ignored(self, path: bytes, is_folder: bool) -> bool:
        """Whether an untracked name is to be left alone."""
        if is_folder:
            known = self._folders.get(path)
            if known is None:
                known = self._folders[path] = self._judge(path, True)
            return known
        return self._judge(path, False)

    def _judge(self, path: bytes, is_folder: bool) -> bool:
        folder, _, name = path.rpartition(b"/")
        if folder and self.ignored(folder, True):
            return True
        while True:
            relative = path[len(folder) + 1 :] if folder else path
            for rule in reversed(self._rules_of(folder)):
                if rule.folders_only and not is_folder:
                    continue
                if rule.regex.fullmatch(relative if rule.anchored else name):
                    return rule.ignores
            if not folder:
                return False
            folder = folder.rpartition(b"/")[0]

    def _rules_of(self, folder: bytes) -> list[Rule]:
        rules = self._rules.get(folder)
        if rules is None:
            rules = self._rules[folder] = []
            for name in NAMES:
                rules += parse_rules(self._read(folder + b"/" + name if folder else name))
        return rules

    def _read(self, path: bytes) -> bytes:
        """An ignore file's bytes; none when there is no such regular file. Like Git, never through a symlink."""
        try:
            handle = posix.open(path, posix.O_RDONLY | posix.O_NOFOLLOW | posix.O_NONBLOCK, dir_fd=self._root)
        except OSError:
            return b""
        try:
            if posix.fstat(handle).st_mode & 0o170000 != 0o100000:
                return b""
            parts = []
            left = MAX_IGNORE_FILE
            while left and (part := posix.read(handle, left)):
                parts.append(part)
                left -= len(part)
            return b"".join(parts)
        finally:
            posix.close(handle)
