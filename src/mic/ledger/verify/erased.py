"""What was erased: it is known before the rest is read, and nothing holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mic.core.errors import Corrupt
from mic.ledger.line import Line
from mic.ledger.tombstones import read_graves, stand_ins
from mic.ledger.verify.check import Check
from mic.ledger.verify.finding import Finding, finding
from mic.ledger.verify.graves import left_of


def graves(check: Check, owners: Sequence[Line]) -> Iterator[Finding]:
    """What was erased, here and in what this reads through."""
    for owner in owners:
        try:
            found = check.run(read_graves(owner))
        except Corrupt as error:
            yield finding(error, owner.erased_prefix)
            continue
        check.objects.bury(owner.prefix, found.tombstones.values(), found.displaced)
        check.objects.stand_ins = {**check.objects.stand_ins, **stand_ins(found)}
        packs = {owner.prefix + moved.name for item in found.displaced for moved in item.moved}
        check.named |= found.names | packs
        for content in found.gone:
            check.gone.setdefault(content, []).append(owner.prefix)
        for _, _, redaction in found.redactions:
            if redaction.name in found.gone:
                check.silent.update(item.session_object for item in redaction.stand_ins)
        for key, kind, why in left_of(owner, found, check.run):
            yield Finding(kind, key, why)


def copies(check: Check) -> Iterator[Finding]:
    """Nothing in the log holds a content that is gone."""
    for content in sorted(check.gone):
        place = check.objects.recent.get(content)
        if place is None or check.objects.is_zero(place):
            continue
        if place.key.startswith(tuple(check.gone[content])):  # else a fork has landed it by itself
            yield Finding("wrong", place.key, f"it holds {content.hex()}, which was erased")
    for session_object in sorted(check.silent):
        place = check.objects.recent.get(session_object)
        if place is not None and not check.objects.is_zero(place):
            yield Finding("wrong", place.key, f"it holds the session object {session_object.hex()}, which was erased")
