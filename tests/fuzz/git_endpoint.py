"""Git's door of a running forge against requests and packs that nobody's client would send."""

from __future__ import annotations

import gzip
import http.client
import random
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from urllib.parse import urlsplit

from forge_process import Forge
from fuzz.doors import failures_in
from fuzz.mutate import mutate
from fuzz.packs import HARMLESS, SHAPES, Story, sound
from fuzz.run import SLOW, Target
from rpc_world import World

ZERO = b"0" * 40
_CAPABILITIES = (
    b"report-status", b"report-status-v2", b"side-band-64k", b"atomic", b"quiet", b"delete-refs", b"ofs-delta",
    b"push-options", b"object-format=sha1", b"object-format=sha256", b"agent=x", b"session-id=y", b"push-cert=z",
    b"no-such-thing",
)  # fmt: skip
_REFS = (
    b"refs/heads/main", b"refs/heads/a", b"refs/heads/a/b", b"refs/tags/v1", b"refs/notes/commits", b"refs/landings/1",
    b"refs/sessions/x", b"refs/for/main", b"HEAD", b"refs/heads/..", b"refs/heads/a b", b"refs/heads/\xff", b"",
    b"refs/heads/-x", b"refs/heads/x.lock", b"refs/" + b"x" * 5000, b"refs/heads/a\0b",
)  # fmt: skip
_OPTIONS = (b"accept-secrets=because", b"a;b", b"x=\r\n", b"\xff", b"x" * 5000, b"")
_CERTIFICATE = (
    b"push-cert\0push-options", b"certificate version 0.1\n", b"pusher A <a@b> 1 +0000\n", b"nonce x\n", b"\n",
    b"-----BEGIN PGP SIGNATURE-----\n", b"push-cert-end\n",
)  # fmt: skip
_FLAGS = (
    b"thin-pack", b"no-progress", b"include-tag", b"ofs-delta", b"deepen-relative", b"sideband-all", b"wait-for-done",
    b"done", b"deepen 1", b"deepen 0", b"deepen -1", b"deepen 99999999999999999999", b"deepen-since 1",
    b"deepen-since -1", b"deepen-not refs/heads/main", b"deepen-not x", b"filter blob:none", b"filter tree:1",
    b"filter blob:limit=1k", b"filter sparse:oid=x", b"filter combine:tree:1+blob:none", b"packfile-uris https",
    b"want-ref refs/heads/main", b"no-such-thing",
)  # fmt: skip


def line(text: bytes) -> bytes:
    """A pkt-line; what is too long for one is cut."""
    return b"%04x" % (len(text[:65516]) + 4) + text[:65516]


class GitEndpoint:
    """A forge of its own with one project that has landings; a context manager. `failed` counts what its log says."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.forge = Forge(folder / "data", MICELIO_LIMITS="off")
        self.world = World(self.forge)
        self.project = self.world.project()
        for number in range(5):
            self.world.land(self.world.rita, self.project, {b"f%d" % number: b"x\n" * 99, b"d/g": b"%d\n" % number})
        self._token = self.forge.token("max")
        where = urlsplit(self.forge.base_url)
        self._host, self._port = where.hostname or "127.0.0.1", where.port or 80
        self._line: http.client.HTTPConnection | None = None
        self._refs = self.refs()

    def __enter__(self) -> GitEndpoint:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._line is not None:
            self._line.close()
        self.world.close()
        self.forge.end()

    def targets(self) -> list[Target]:
        """Requests by protocol, pushes by what is wrong with them."""
        return [
            Target("Git: fetch by v2", self._fetch_v2),
            Target("Git: fetch by v0 and v1", self._fetch_v0),
            Target("Git: commands of pushes", self._commands),
            Target("Git: packs", self._packs),
        ]

    def failed(self) -> list[str]:
        """What the forge's log says of failures, each kind once."""
        return failures_in(self.forge.log())

    def refs(self) -> dict[bytes, bytes]:
        """The refs by name, as ids in hexadecimal digits."""
        _, said, _ = self._asked("GET", "info/refs?service=git-upload-pack", {}, b"")
        found = {}
        for text in said.split(b"\n"):
            before, _, name = text.partition(b"\0")[0].partition(b" ")
            if name.startswith(b"refs/") and not name.endswith(b"^{}"):
                found[name] = before[-40:]
        return found

    def _asked(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes, float]:
        started = time.monotonic()
        for again in (True, False):
            if self._line is None:
                self._line = http.client.HTTPConnection(self._host, self._port, timeout=SLOW * 3)
            try:
                address = f"/{self.project.organization}/{self.project.handle}/{path}"
                self._line.request(method, address, body, {"Authorization": f"Bearer {self._token}", **headers})
                answer = self._line.getresponse()
                said = answer.read()
            except (http.client.HTTPException, OSError):
                self._line.close()
                self._line = None
                if again and method == "GET":
                    continue
                return 0, b"", time.monotonic() - started
            if answer.will_close:
                self._line = None
            return answer.status, said, time.monotonic() - started
        raise AssertionError

    def _post(
        self, rng: random.Random, service: str, headers: dict[str, str], body: bytes
    ) -> tuple[bytes, tuple[bytes, str] | None]:
        """What was said, and what is wrong with that."""
        headers = {"Content-Type": f"application/x-{service}-request", **headers}
        sent = body
        if rng.random() < 0.1:
            headers["Content-Encoding"] = rng.choice(("gzip", "gzip", "gzip", "deflate", "br"))
            sent = gzip.compress(body, 1)
            sent = mutate(rng, [sent], len(sent) + 64) if rng.random() < 0.3 else sent
        status, said, took = self._asked("POST", service, headers, sent)
        if status == 0 or status >= 500:
            return said, (body, f"answered {status}: {said[:300]!r}")
        if b"Something went wrong" in said or b"log says more" in said:
            return said, (body, f"failed: {said[:300]!r}")
        return said, ((body, f"took {took:.1f} s") if took > SLOW else None)

    def _ids(self, rng: random.Random) -> bytes:
        known = list(self._refs.values())
        odd = (b"ab" * 20, ZERO, b"x" * 40, b"A" * 40, b"", known[0][:39])
        return rng.choice(odd) if rng.random() < 0.2 else rng.choice(known)

    def _fetch_v2(self, rng: random.Random) -> tuple[bytes, str] | None:
        command = rng.choice((b"fetch", b"fetch", b"fetch", b"ls-refs", b"object-info", b"bundle-uri", b"x"))
        texts: list[bytes] = []
        for _ in range(rng.choice((0, 1, 2, 3, 6))):
            texts.append(rng.choice((b"want ", b"want ", b"have ", b"shallow ", b"oid ")) + self._ids(rng))
        texts += rng.sample(_FLAGS, rng.choice((0, 1, 2, 3)))
        if command == b"ls-refs":
            odd = (b"peel", b"symrefs", b"unborn", b"ref-prefix refs/", b"ref-prefix ", b"ref-prefix refs/landings/1")
            texts = rng.sample(odd, rng.choice((0, 1, 3)))
        body = line(b"command=" + command) + line(b"object-format=sha1") * rng.randrange(2)
        body += b"0001" + b"".join(map(line, texts)) + b"0000"
        body = mutate(rng, [body]) if rng.random() < 0.4 else body
        return self._post(rng, "git-upload-pack", {"Git-Protocol": rng.choice(("version=2", "version=2:x"))}, body)[1]

    def _fetch_v0(self, rng: random.Random) -> tuple[bytes, str] | None:
        asked = b" ".join(
            rng.sample((b"multi_ack_detailed", b"multi_ack", b"no-done", b"side-band-64k", b"side-band", b"ofs-delta",
            b"thin-pack", b"shallow", b"filter", b"agent=x", b"no-such-thing"), rng.choice((0, 2, 5)))
        )  # fmt: skip
        body = b""
        for number in range(rng.choice((0, 1, 1, 2, 3))):
            body += line(b"want " + self._ids(rng) + (b" " + asked if number == 0 else b"") + b"\n")
        body += b"".join(line(text) for text in rng.sample(_FLAGS, rng.choice((0, 0, 1, 2)))) + b"0000"
        body += b"".join(line(b"have " + self._ids(rng) + b"\n") for _ in range(rng.choice((0, 1, 3))))
        body += rng.choice((b"0000", line(b"done\n"), line(b"done\n"), b""))
        body = mutate(rng, [body]) if rng.random() < 0.4 else body
        headers = rng.choice(({}, {"Git-Protocol": "version=1"}, {"Git-Protocol": "version=9"}))
        return self._post(rng, "git-upload-pack", headers, body)[1]

    def _commands(self, rng: random.Random) -> tuple[bytes, str] | None:
        said = b" ".join(rng.sample(_CAPABILITIES[: rng.choice((8, 8, 14))], rng.choice((1, 3, 6))))
        story = Story(rng)
        texts = []
        if rng.random() < 0.1:
            texts += rng.sample(_CERTIFICATE, 4)
        for number in range(rng.choice((0, 1, 1, 2, 3))):
            old, new = rng.choice((ZERO, self._ids(rng))), rng.choice((ZERO, self._ids(rng), story.tip.hex().encode()))
            texts.append(old + b" " + new + b" " + rng.choice(_REFS) + (b"\0" + said if number == 0 else b""))
        if rng.random() < 0.1:
            texts.insert(0, b"shallow " + self._ids(rng))
        body = b"".join(map(line, texts)) + b"0000"
        if b"push-options" in said or rng.random() < 0.05:
            body += b"".join(map(line, rng.sample(_OPTIONS, rng.choice((0, 1, 3))))) + b"0000"
        body += sound(story).pack if rng.random() < 0.7 else b""
        return self._pushed(rng, mutate(rng, [body], len(body) + 512) if rng.random() < 0.4 else body)

    def _packs(self, rng: random.Random) -> tuple[bytes, str] | None:
        parent = bytes.fromhex(self._refs.get(b"refs/heads/main", ZERO).decode()) if rng.random() < 0.5 else b""
        story = Story(rng, parent)
        shapes = (sound, *HARMLESS.values(), *SHAPES.values())
        pack, tip = rng.choice(shapes)(story)
        pack = mutate(rng, [pack], len(pack) + 512) if rng.random() < 0.4 else pack
        name = rng.choice(_REFS[:3])
        old = self._refs.get(name, ZERO)
        body = line(b"%b %b %b\0report-status ofs-delta" % (old, tip.hex().encode(), name)) + b"0000" + pack
        return self._pushed(rng, body)

    def _pushed(self, rng: random.Random, body: bytes) -> tuple[bytes, str] | None:
        said, wrong = self._post(rng, "git-receive-pack", {}, body)
        if wrong is not None:
            return wrong
        after = self.refs()
        moved = {name for name in after.keys() | self._refs.keys() if after.get(name) != self._refs.get(name)}
        # Whoever wants no report is told nothing.
        told = b"report-status" in body
        silent = [name for name in moved if told and b"ok " + name not in said]
        self._refs = after
        return (body, f"{silent} moved, and was told: {said[:300]!r}") if silent else self._whole(moved)

    def _whole(self, moved: Sequence[bytes] | set[bytes]) -> tuple[bytes, str] | None:
        """What moved can be cloned: its pack comes to its end."""
        for name in moved:
            if name in self._refs:
                body = line(b"want " + self._refs[name] + b"\n") + b"0000" + line(b"done\n")
                kind = {"Content-Type": "application/x-git-upload-pack-request"}
                status, said, _ = self._asked("POST", "git-upload-pack", kind, body)
                if status != 200 or b"PACK" not in said[:20]:
                    return body, f"{name!r} cannot be fetched: {status} {said[:300]!r}"
        return None
