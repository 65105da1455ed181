"""What is said when a process that writes files ends: its own words, whenever it came to them."""

from __future__ import annotations

import os
import pickle
import socket
from queue import SimpleQueue
from typing import Any

import pytest

from mic.cli.transfer import writers
from mic.core.errors import Corrupt, MicError, StorageFull, Unavailable
from mic.rpc.v1 import mic_pb2 as pb


@pytest.mark.parametrize("last", [StorageFull("no space left on the disk for a"), None])
def test_a_writer_that_ended_while_contents_were_sent_to_it(last: MicError | None) -> None:
    ours, theirs = socket.socketpair()
    writer = writers._Line(theirs)
    writer.send(writers._AT, (7).to_bytes(4, "little"))
    if last is not None:
        writer.send(writers._FAILED, pickle.dumps(last))
    theirs.shutdown(socket.SHUT_RDWR)  # as the end of its process does
    told: list[Any] = []
    client: Any = None
    writers._Tending(writers._Line(ours), client, pb.ProjectRef(), SimpleQueue(), told.append).run(b"begin")
    ours.close()
    expected = last or Unavailable("A process that wrote files was ended.")
    assert [(type(one), one.message) for one in told] == [(type(expected), expected.message)]


def test_contents_that_are_no_message() -> None:
    ours, theirs = socket.socketpair()
    forge = writers._Line(ours)
    forge.send(writers._CHUNK, b"\xff\xff\xff")
    forge.send(writers._END)
    with pytest.raises(Corrupt, match="The forge sent contents that cannot be read"):
        list(writers._Writer(writers._Line(theirs), os.getppid()).chunks(pb.ProjectRef(), [bytes(32)]))
