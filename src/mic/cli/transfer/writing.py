"""Contents on their way into files, within one process."""

from __future__ import annotations

from collections.abc import Callable

from mic.cli.transfer.contents import Content, Source, stream_batches
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

        def those_of(name: bytes, by_hash: dict[bytes, list[Entry]] = by_hash) -> list[Entry]:
            wanted = by_hash.pop(name, None)
            if wanted is None:
                raise Corrupt(f"The forge sent {name.hex()}, which nobody asked for.", hint="Try again.")
            return wanted

        for some in stream_batches(source, project, list(by_hash), session_id):
            if isinstance(some, Content):
                wanted = those_of(some.hash)
                if some.whole is None:
                    # A large content is streamed into one file; its other names ask for it again.
                    again += wanted[1:]
                    wanted = wanted[:1]
                for entry in wanted:
                    checkout.write(entry, some.pieces, erased=some.erased)
                done += len(wanted)
            else:
                for name, data in some:
                    for entry in those_of(name):
                        put(entry, data)
                        done += 1
                    if done >= told + _TOLD:
                        at(done)
                        told = done
            if done >= told + _TOLD:
                at(done)
                told = done
        if by_hash:
            raise Corrupt(f"The forge did not send {next(iter(by_hash)).hex()}.", hint="Run the same command again.")
        needed = again
    at(done)
