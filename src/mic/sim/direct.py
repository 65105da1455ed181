"""Driving a protocol straight against the bucket: no time passes, nothing goes wrong."""

from __future__ import annotations

from typing import Any

from mic.core.errors import MicError
from mic.ledger.effects import Attempt, Protocol
from mic.sim.bucket import Bucket


def drive(bucket: Bucket, protocol: Protocol[Any]) -> Any:
    """The protocol's result; its errors are raised here."""

    def apply(effect: Any) -> Any:
        if not isinstance(effect, Attempt):
            return bucket.apply(effect)
        try:
            return bucket.apply(effect.effect)
        except MicError as error:
            return error

    try:
        wanted = next(protocol)
        while True:
            try:
                answer = [apply(effect) for effect in wanted] if type(wanted) is tuple else apply(wanted)
            except MicError as error:
                wanted = protocol.throw(error)
            else:
                wanted = protocol.send(answer)
    except StopIteration as stop:
        return stop.value
