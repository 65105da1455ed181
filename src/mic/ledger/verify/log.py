"""The log: every epoch from the head down, commit points, packs."""

from __future__ import annotations

from collections.abc import Iterator

from mic.core.commit_point import decode_commit_point, number_name
from mic.core.errors import Corrupt, NotFound
from mic.core.head import Head
from mic.core.origin import Origin, Tie, decode_origin
from mic.core.tree import EMPTY_TREE
from mic.ledger.follow import MAX_DEPTH, read_epoch, read_pack_toc
from mic.ledger.line import Line
from mic.ledger.tip import points
from mic.ledger.verify.check import Check, Link, get
from mic.ledger.verify.erased import graves
from mic.ledger.verify.finding import Finding, finding
from mic.store import Tagged


def chain(check: Check, head: Head) -> Iterator[Finding]:
    """Every epoch from the head down to position 0, through the origins of a fork."""
    try:
        owners = _owners(check)
    except (NotFound, Corrupt) as error:
        yield finding(error, check.line.origin_key)
        owners = [(check.line, Head(0, EMPTY_TREE, 0))]
    check.own = owners[0][1].position
    at, level = head, 0
    try:
        while at.position:
            while at.position <= owners[level][1].position:
                if at.position == owners[level][1].position and at != owners[level][1]:
                    raise Corrupt(f"{owners[level][0].origin_key} names another head than the log at @{at.position}")
                level += 1
            epoch = check.run(read_epoch(owners[level][0], at))
            check.links.append(Link(owners[level][0], epoch))
            at = epoch.prev
            check.told("log", head.position - at.position, head.position)
        check.whole = True
        if at.tree != EMPTY_TREE:
            yield Finding("wrong", check.line.head_key, "the log does not begin with the empty tree")
    except Corrupt as error:
        yield finding(error, "")
        yield Finding("missing", check.line.head_key, f"positions 1 to {at.position} are out of its reach")
    check.links.reverse()
    yield from graves(check, [owner for owner, _ in owners])
    for owner, epoch in check.links:
        key = owner.epoch_key(epoch.new)
        check.named.add(key)
        check.epochs.add(check.line.epoch_key(epoch.new))
        check.objects.add(key, epoch.data_start, epoch.objects)


def _owners(check: Check) -> list[tuple[Line, Head]]:
    """The line, and those it reads through, each with the head behind which it has its own log."""
    nothing = Head(0, EMPTY_TREE, 0)
    owners: list[tuple[Line, Head]] = []
    line = check.line
    while len(owners) <= MAX_DEPTH:
        origin = _origin(check, line)
        if origin is None:
            return [*owners, (line, nothing)]
        owners.append((line, origin.head))
        line = Line(origin.project, check.line.cache)
    raise Corrupt(f"{line.origin_key} is the last of more than {MAX_DEPTH} forks of forks", object=line.origin_key)


def _origin(check: Check, line: Line) -> Origin | None:
    try:
        raw: Tagged = check.run(get(line.origin_key))
    except NotFound:
        return None
    origin = decode_origin(raw.data, line.origin_key)
    return origin if origin.tie is Tie.READS_THROUGH else None


def commit_points(check: Check) -> Iterator[Finding]:
    """Every commit point that counts leads to a head of the log."""
    if check.line.point is None:
        return
    made = {link.epoch.new for link in check.links} | {link.epoch.prev for link in check.links}
    keys = [item.key for item in check.run(points(check.line))]
    boundaries = [key for key in keys if key.startswith(check.line.boundaries_prefix)]
    floor = boundaries[-1].rsplit("/", 1)[1] if boundaries else ""
    for key in keys:
        name = key.rsplit("/", 1)[1]
        if name < floor:
            continue  # waits to be removed
        check.named.add(key)
        if name > number_name(check.line.point.number):
            continue  # came since the head was read
        try:
            point = decode_commit_point(check.run(get(key)).data, key)
        except NotFound:
            continue  # was removed since it was listed
        except Corrupt as error:
            yield finding(error, key)
            continue
        if number_name(point.number) != key.rsplit("/", 1)[1] or point.head not in made:
            yield Finding("wrong", key, "it leads to a head that is not in the log")


def packs(check: Check) -> Iterator[Finding]:
    """The list of contents of every pack that an epoch names."""
    for number, (owner, epoch) in enumerate(check.links):
        for pack in epoch.packs:
            key = owner.pack_key(pack.hash)
            if key in check.named:
                continue
            check.named.add(key)
            try:
                check.objects.add(key, 0, check.run(read_pack_toc(owner, pack)))
            except Corrupt as error:
                yield finding(error, key)
        check.told("packs", number + 1, len(check.links))


def order(check: Check, head: Head) -> Iterator[Finding]:
    """Positions without a gap, a clock that grows, each session once."""
    position, hlc = 0, -1
    sessions: dict[bytes, int] = {}
    for record in check.records():
        name = f"landing @{record.position}"
        if position and record.position != position + 1:
            yield Finding("wrong", name, f"it follows on @{position}")
        if record.hlc <= hlc:
            yield Finding("wrong", name, "its clock is not behind that of the landing before")
        if record.base_position >= record.position:
            yield Finding("wrong", name, f"its base is @{record.base_position}")
        if (first := sessions.setdefault(record.session, record.position)) != record.position:
            yield Finding("wrong", name, f"its session had landed @{first} already")
        position, hlc = record.position, record.hlc
    if check.links and check.links[-1].epoch.new != head:
        yield Finding("wrong", check.line.head_key, "it is not the end of its log")
