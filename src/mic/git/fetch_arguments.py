"""What a client says it wants and has: the same words in protocol v2 and in the older ones, judged once."""

from __future__ import annotations

import re
from binascii import unhexlify
from collections.abc import Callable
from dataclasses import dataclass, field

from mic.core.errors import InvalidInput
from mic.git.serving import FetchRequest, GitRepositoryView

_NUMBER = re.compile(rb"[0-9]{1,18}")
_LIMIT = re.compile(r"blob:limit=([0-9]{1,15})([kKmMgG]?)")
_TREE = re.compile(r"tree:([0-9]{1,9})")
_FACTOR = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
# The places where Git looks for a ref of which only the end is named (gitrevisions).
_PLACES = (b"", b"refs/", b"refs/tags/", b"refs/heads/", b"refs/remotes/")
# The depth that stands for all of the history: `git fetch --unshallow` asks for it.
_MOST_DEPTH = 0x7FFFFFFF


@dataclass
class FetchArguments:
    """What was said so far. `read` takes one argument; `request` makes of all a request that can be answered."""

    wants: list[bytes] = field(default_factory=list)
    haves: list[bytes] = field(default_factory=list)
    shallow: list[bytes] = field(default_factory=list)
    depth: int = 0
    deepen_relative: bool = False
    deepen_since: int = 0
    deepen_not: list[bytes] = field(default_factory=list)
    filter: str = ""
    flags: set[bytes] = field(default_factory=set)

    @property
    def deepens(self) -> bool:
        """Whether the client asks for another end of its history."""
        return bool(self.depth or self.deepen_since or self.deepen_not)

    def read(self, text: bytes, flags: frozenset[bytes]) -> bool:
        """Take one argument; `flags` are those without a value that are known here. False for an unknown one.

        Raises InvalidInput for a value that cannot be meant.
        """
        if len(text) == _ID_TEXT and text[:5] in _LISTS:  # nearly all of a large request
            _LISTS[text[:5]](self).append(oid(text[5:]))
            return True
        name, _, value = text.partition(b" ")
        if value and name in _READERS:
            _READERS[name](self, value)
            return True
        if text in flags:
            self.flags.add(text)
            return True
        return False

    def request(self, view: GitRepositoryView, common: list[bytes]) -> FetchRequest:
        """The request for what the client lacks that has `common`. Raises InvalidInput."""
        if self.depth and (self.deepen_since or self.deepen_not):
            raise InvalidInput("A depth cannot be asked for together with a date or a ref that the history ends at.")
        return FetchRequest(
            wants=tuple(dict.fromkeys(self.wants)),
            haves=tuple(common),
            shallow=tuple(dict.fromkeys(self.shallow)),
            depth=self.depth,
            deepen_relative=self.deepen_relative or b"deepen-relative" in self.flags,
            deepen_since=self.deepen_since,
            deepen_not=tuple(_whole_names(view, self.deepen_not)),
            filter=self.filter,
            thin=b"thin-pack" in self.flags,
            ofs_delta=b"ofs-delta" in self.flags,
            include_tag=b"include-tag" in self.flags,
        )

    def _depth(self, value: bytes) -> None:
        self.depth = min(number(value), _MOST_DEPTH)
        if not self.depth:
            raise InvalidInput("The depth that is asked for is 0.", hint="Use 1 or more.")

    def _since(self, value: bytes) -> None:
        self.deepen_since = number(value)

    def _filter(self, value: bytes) -> None:
        self.filter = parse_filter(value.decode("ascii", "replace"))


_READERS: dict[bytes, Callable[[FetchArguments, bytes], None]] = {
    b"want": lambda asked, value: asked.wants.append(oid(value)),
    b"have": lambda asked, value: asked.haves.append(oid(value)),
    b"shallow": lambda asked, value: asked.shallow.append(oid(value)),
    b"deepen": FetchArguments._depth,
    b"deepen-since": FetchArguments._since,
    b"deepen-not": lambda asked, value: asked.deepen_not.append(value),
    b"filter": FetchArguments._filter,
}


_ID_TEXT = len(b"want ") + 40
_LISTS: dict[bytes, Callable[[FetchArguments], list[bytes]]] = {
    b"want ": lambda asked: asked.wants,
    b"have ": lambda asked: asked.haves,
}


def oid(text: bytes) -> bytes:
    """The 20 bytes of an object id in hexadecimal. Raises InvalidInput."""
    if len(text) == 40:
        try:
            return unhexlify(text)
        except ValueError:
            pass
    raise InvalidInput(f"{text[:80]!r} is not the name of an object: 40 hexadecimal digits.")


def number(text: bytes) -> int:
    """A number in decimal digits. Raises InvalidInput."""
    if _NUMBER.fullmatch(text) is None:
        raise InvalidInput(f"{text[:40]!r} is not a number.")
    return int(text)


def parse_filter(text: str) -> str:
    """A filter in its one spelling: "blob:none", "blob:limit=N" in bytes, "tree:N". Raises InvalidInput for others."""
    if text == "blob:none":
        return text
    if found := _LIMIT.fullmatch(text):
        return f"blob:limit={int(found[1]) * _FACTOR[found[2].lower()]}"
    if found := _TREE.fullmatch(text):
        return f"tree:{int(found[1])}"
    raise InvalidInput(
        f"The filter {text[:80]!r} is not one that this forge knows.",
        hint="Use blob:none, blob:limit=N or tree:N.",
    )


def _whole_names(view: GitRepositoryView, names: list[bytes]) -> list[bytes]:
    """The refs that these names mean. Raises InvalidInput for a name that means none, or several."""
    if not names:
        return []
    known = {ref.name for ref in view.refs().refs}
    found = []
    for name in names:
        whole = [place + name for place in _PLACES if place + name in known]
        whole = whole or [ref.name for ref in view.hidden([name])]
        if len(whole) != 1:
            count = "several refs are" if whole else "no ref is"
            raise InvalidInput(f"The history shall end at {name[:200]!r}, and {count} called that.")
        found.append(whole[0])
    return found
