"""Where things live: the addresses of pages, and reading paths and positions back out of them.

Paths of files are bytes. In an address every byte that is not plain is percent-encoded, UTF-8 or not, and it
is read back from the raw request line, because decoding it to text first would lose what is not UTF-8.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes, urlencode

from django.http import HttpRequest

from mic.core.errors import NotFound

_SAFE = "/~!$&'()*+,;=:@"
_POSITION = re.compile(r"@([0-9]{1,18})\Z")


@dataclass(frozen=True)
class Ref:
    """A point of the line: a fixed position, or the head (`position` is None)."""

    position: int | None

    def __str__(self) -> str:
        return "head" if self.position is None else f"@{self.position}"


HEAD = Ref(None)


def parse_ref(text: str) -> Ref:
    """`head` or `@N`. Raises NotFound for anything else."""
    if text == "head":
        return HEAD
    match = _POSITION.match(text)
    if match is None:
        raise NotFound(f"There is no point `{text}` on this line.", hint="Use `head`, or a position such as `@42`.")
    return Ref(int(match.group(1)))


def quote_path(path: bytes) -> str:
    """A path of a tree as part of an address."""
    return quote(path, safe=_SAFE)


# Between a project's handle and a branch. No handle has it, and no branch has what stands for its slashes.
_BRANCH, _SLASH = "@", ":"


def split_handle(handle: str) -> tuple[str, str]:
    """The handle of a project and the branch behind it, "" for main: `web@fix:login` is the branch `fix/login`."""
    project, _, branch = handle.partition(_BRANCH)
    return project, branch.replace(_SLASH, "/")


@dataclass(frozen=True)
class Site:
    """The addresses of one project, on main or on one of its branches."""

    owner: str
    project: str
    branch: str = ""

    @property
    def whole(self) -> str:
        """The project, whatever the branch."""
        return f"/{quote(self.owner, safe='')}/{quote(self.project, safe='')}"

    @property
    def root(self) -> str:
        if not self.branch:
            return self.whole
        return f"{self.whole}{_BRANCH}{quote(self.branch.replace('/', _SLASH), safe=_SLASH)}"

    @property
    def branches(self) -> str:
        return f"{self.whole}/-/branches"

    @property
    def forks(self) -> str:
        return f"{self.whole}/-/forks"

    @property
    def tags(self) -> str:
        return f"{self.whole}/-/tags"

    def on(self, branch: str) -> Site:
        """The same project on another branch."""
        return Site(self.owner, self.project, branch)

    def _at(self, kind: str, ref: Ref, path: bytes) -> str:
        return f"{self.root}/-/{kind}/{ref}" + (f"/{quote_path(path)}" if path else "")

    def tree(self, ref: Ref, path: bytes = b"") -> str:
        """A directory; the root of the head is the project's own page."""
        return self.root if ref == HEAD and not path else self._at("tree", ref, path)

    def file(self, ref: Ref, path: bytes) -> str:
        return self._at("file", ref, path)

    def line(self, ref: Ref, path: bytes, line: int) -> str:
        """One line of a file's source; far down in it, on a page that begins a little above the line."""
        begin = f"&from={line - 10}" if line > 200 else ""
        return f"{self.file(ref, path)}?view=source{begin}#L{line}"

    def raw(self, ref: Ref, path: bytes) -> str:
        return self._at("raw", ref, path)

    def history(self, ref: Ref, path: bytes) -> str:
        return self._at("history", ref, path)

    def blame(self, ref: Ref, path: bytes) -> str:
        return self._at("blame", ref, path)

    def owners(self, ref: Ref, path: bytes) -> str:
        return self._at("owners", ref, path)

    @property
    def settings(self) -> str:
        return f"{self.whole}/-/settings"

    @property
    def star(self) -> str:
        return f"{self.whole}/-/star"

    @property
    def feed(self) -> str:
        return f"{self.root}/-/landings.atom"

    @property
    def compare_form(self) -> str:
        return f"{self.root}/-/compare"

    def compare(self, old: Ref, new: Ref) -> str:
        """Two points: what changed from the first to the second."""
        return f"{self.root}/-/compare/{old}...{new}"

    def archive(self, ref: Ref, kind: str) -> str:
        """All files at a point as one: `zip` or `tar.zst`."""
        return f"{self.root}/-/archive/{ref}.{kind}"

    @property
    def zip(self) -> str:
        return self.archive(HEAD, "zip")

    @property
    def tar(self) -> str:
        return self.archive(HEAD, "tar.zst")

    @property
    def decisions(self) -> str:
        """All decisions of the project, newest first."""
        return f"/-/search?{urlencode({'repo': f'{self.owner}/{self.project}', 'type': 'decisions', 'q': 'why:'})}"

    @property
    def badges(self) -> str:
        return f"{self.root}/-/badges"

    @property
    def contributors(self) -> str:
        return f"{self.root}/-/contributors"

    @property
    def landings(self) -> str:
        return f"{self.root}/-/landings"

    def landing(self, position: int) -> str:
        return f"{self.root}/-/landings/{position}"

    @property
    def members(self) -> str:
        return f"{self.whole}/-/members"

    @property
    def audit(self) -> str:
        return f"{self.whole}/-/audit"

    @property
    def secrets(self) -> str:
        return f"{self.whole}/-/secrets"

    @property
    def sessions(self) -> str:
        return f"{self.root}/-/sessions"

    def session(self, name: str) -> str:
        return f"{self.root}/-/sessions/{quote(name, safe='')}"


def explore_address(**asked: str) -> str:
    """The page that projects are found on, with what is asked of it."""
    query = urlencode({name: value for name, value in asked.items() if value})
    return "/-/explore" + (f"?{query}" if query else "")


def own_address(request: HttpRequest) -> str:
    """The path that was asked for, percent-encoded as it came, without what stands behind the question mark."""
    scope = request.META.get("asgi.scope")
    raw = scope.get("raw_path") if isinstance(scope, dict) else None
    whole = unquote_to_bytes(raw.split(b"?", 1)[0]) if isinstance(raw, bytes) else request.path_info.encode()
    return quote_path(whole)


def moved_address(request: HttpRequest, site: Site) -> str:
    """The address that was asked for, below another project: what comes behind is kept byte for byte."""
    scope = request.META.get("asgi.scope")
    raw = scope.get("raw_path") if isinstance(scope, dict) else None
    whole = raw.decode("latin-1") if isinstance(raw, bytes) else quote(request.path_info, safe=_SAFE)
    rest = whole.split("?", 1)[0].split("/", 3)[3:]
    query = request.META.get("QUERY_STRING", "")
    return site.root + "".join(f"/{part}" for part in rest) + (f"?{query}" if query else "")


def path_from_request(request: HttpRequest) -> bytes:
    """The file path of `/{owner}/{project}/-/{kind}/{ref}/{path}`, byte for byte as it was asked for.

    The ASGI server keeps the undecoded request line in its scope; a plain WSGI server has only the decoded text.
    """
    scope = request.META.get("asgi.scope")
    raw = scope.get("raw_path") if isinstance(scope, dict) else None
    whole = unquote_to_bytes(raw) if isinstance(raw, bytes) else request.path_info.encode("utf-8", "surrogateescape")
    parts = whole.split(b"/", 6)
    return parts[6] if len(parts) == 7 else b""
