"""Importing a repository as a client does that has nothing but git and the typed surface."""

from __future__ import annotations

import time
from collections.abc import Iterator

from git_server import GitClient
from mic.rpc.v1 import mic_pb2 as pb
from rpc_world import Caller

_PIECE = 1 << 20


def packed(git: GitClient, project: pb.ProjectRef, tips: bytes = b"") -> tuple[pb.StartImportRequest, bytes]:
    """The request to begin an import of all that the refs of a repository lead to, and its pack."""
    refs = dict(
        reversed(line.split(" ", 1)) for line in git("for-each-ref", "--format=%(objectname) %(refname)").splitlines()
    )
    symbolic = git.run("symbolic-ref", "-q", "HEAD")
    head = symbolic.stdout.strip()
    detached = b"" if head else bytes.fromhex(git("rev-parse", "HEAD"))
    revisions = [*refs.values(), *([detached.hex()] if detached else [])]
    revisions += [f"^{tips[at : at + 20].hex()}" for at in range(0, len(tips), 20)]
    pack = git.run("pack-objects", "--revs", "--stdout", "-q", data="".join(f"{one}\n" for one in revisions).encode())
    assert pack.returncode == 0, pack.stderr
    names = [name.encode(errors="surrogateescape") for name in refs]
    sent = pb.SentRepository(
        source="test", names=names, oids=b"".join(map(bytes.fromhex, refs.values())), head=head, detached=detached,
        pack=pack.stdout[-20:].hex(), size=len(pack.stdout),
    )  # fmt: skip
    return pb.StartImportRequest(project=project, sent=sent), pack.stdout


def send(caller: Caller, request: pb.StartImportRequest, pack: bytes) -> pb.GitImport:
    """Begin an import and send what is not there yet."""
    run = caller("ProjectService.StartImport", request).run

    def messages() -> Iterator[pb.SendImportRequest]:
        at = run.received
        yield pb.SendImportRequest(project=request.project, id=run.id, offset=at)
        for start in range(at, len(pack), _PIECE):
            yield pb.SendImportRequest(data=pack[start : start + _PIECE])

    return caller("ProjectService.SendImport", messages()).run if run.state == "receiving" else run


def finished(caller: Caller, project: pb.ProjectRef, run: pb.GitImport, seconds: float = 60) -> pb.GitImport:
    """The import when it has ended, in whichever way."""
    until = time.monotonic() + seconds
    while run.state in ("receiving", "waiting", "running"):
        assert time.monotonic() < until, run
        time.sleep(0.02)
        run = caller("ProjectService.GetImport", pb.GetImportRequest(project=project, id=run.id)).run
    return run


def imported(caller: Caller, project: pb.ProjectRef, git: GitClient) -> pb.GitImport:
    """Import a repository, as far as the project lacks it, and wait for the end of it."""
    tips = caller("ProjectService.GetImportTips", pb.GetImportTipsRequest(project=project)).oids
    request, pack = packed(git, project, _known(git, tips))
    return finished(caller, project, send(caller, request, pack))


def _known(git: GitClient, tips: bytes) -> bytes:
    names = [tips[at : at + 20] for at in range(0, len(tips), 20)]
    said = git("cat-file", "--batch-check", data=b"".join(name.hex().encode() + b"\n" for name in names))
    return b"".join(name for name, line in zip(names, said.splitlines(), strict=True) if not line.endswith("missing"))
