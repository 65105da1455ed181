"""Contents on their way into files, within one process."""

from __future__ import annotations

from collections.abc import Callable

from mic.cli.transfer.contents import Source, stream_contents
from mic.core.errors import Corrupt
from mic.core.tree import Entry
from mic.rpc.v1 import mic_pb2 as pb
from mic.workspace.checkout import Checkout

_TOLD = 100  # files between two calls of `at`


def write_each(
    source: Source,
    project: pb.ProjectRef,
    checkout: Checkout,
    needed: list[Entry],
    at: Callable[[int], None],
    session_id: bytes = b"",
) -> None:
    """Fetch the contents of these files and write them; `at` is told how many are done.

    Raises Corrupt for what the forge sent wrongly or not at all, and as `Checkout.write`.
    """
    done = told = 0
    put = checkout.put
    while needed:
        by_hash: dict[bytes, list[Entry]] = {}
        for entry in needed:
            by_hash.setdefault(entry.hash, []).append(entry)
        again: list[Entry] = []
        for name, _, whole, pieces, erased in stream_contents(source, project, list(by_hash), session_id):
            wanted = by_hash.pop(name, None)
            if wanted is None:
                raise Corrupt(f"The forge sent {name.hex()}, which nobody asked for.", hint="Try again.")
            if whole is None:
                # A large content is streamed into one file; its other names ask for it again.
                again += wanted[1:]
                wanted = wanted[:1]
            if whole is not None and not erased:
                for entry in wanted:
                    put(entry, whole)
            else:
                for entry in wanted:
                    checkout.write(entry, pieces, erased=erased)
            done += len(wanted)
            if done >= told + _TOLD:
                at(done)
                told = done
        if by_hash:
            raise Corrupt(f"The forge did not send {next(iter(by_hash)).hex()}.", hint="Run the same command again.")
        needed = again
    at(done)
