"""`micelio verify` and `micelio repair` in a simulated world: what they may say and do.

Beside faults a check may report what it was given to read. On the bucket that a run leaves behind, a check may only
name what nothing leads to, and there is nothing to repair.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from random import Random

from mic.core.errors import Corrupt
from mic.core.tree import scan
from mic.ledger import follow, log, repair, trees
from mic.ledger.effects import Protocol
from mic.ledger.line import Line
from mic.ledger.nodes import NodeCache, with_nodes
from mic.ledger.verify import Finding, Verifier
from mic.sim import compaction, rollups
from mic.sim.actors import Plan, Steps, Through, idle, shown
from mic.sim.bucket import Bucket
from mic.sim.direct import drive
from mic.sim.front import Front, Task
from mic.sim.model import File, Files
from mic.sim.oracle import Oracle, Violation

# What a crash may leave behind, or a race that was lost: epochs that no head names, packs of uploads and compaction,
# commit points below a boundary, and what a collector has written down.
_LEFT_OVER = re.compile(r"(landing-log/(tail|seq|boundary)/[^/]+|packs/[0-9a-f]{64}\.pack|gc/[0-9a-f]{16})")
_LATE = re.compile(r"origin$|forks/|head$|git/views/")  # beside the former, below what was erased
# Written again by a repair where a seal was due anyway.
_DERIVED = re.compile(r"(landing-log/[0-9]{12}\.log|landing-log/bloom-index/[^/]+/[^/]+|packs/index/[^/]+\.run)")


def checker(plan: Plan, count: int, most: float, rnd: Random) -> Steps:
    """Verifies a project while all others go on; `most` seconds between two times."""
    for _ in range(count):
        yield idle(rnd, most * 4)
        yield Through(
            rnd.randrange(plan.fronts),
            lambda run: list(Verifier(plan.oracle.project, run).findings()),
            partial(_check_findings, plan.oracle),
        )


def _check_findings(
    oracle: Oracle, front: Front, task: Task, findings: list[Finding] | None, error: BaseException | None
) -> None:
    """What is said besides leftovers needs wrong bytes, a missing head, or an origin that was erased meanwhile."""
    if findings is None:
        oracle.done("verified", front, task, error)
        return
    bad = [finding for finding in findings if finding.kind != "unreachable"]
    if oracle.purges is not None and bad:
        if oracle.purges.explains(front, Corrupt(bad[0].message), task.began):
            bad = []
        bad = [finding for finding in bad if finding.kind != "unfinished"]
    oracle.count("verified with findings" if bad else "verified")
    if bad and not task.damaged and not front.world.headless(task.began) and not oracle.torn(task.began):
        raise Violation(f"a check says what is not so: {bad[0]}")


def check(bucket: Bucket, oracle: Oracle, fronts: Sequence[Front]) -> None:
    """A project at the end of a run, and the front ends that served it; raises Violation."""
    if oracle.gone:
        _check_gone(bucket, oracle)
    elif oracle.head is not None:
        check_history(bucket, oracle)
        compaction.check_contents(bucket, oracle)
        compaction.check_fronts(bucket, oracle, fronts)
        rollups.check_again(bucket, oracle)
        _check_left_behind(bucket, oracle)


def check_history(bucket: Bucket, oracle: Oracle) -> None:
    """A reader that has never seen the project finds the whole of it in the raw bucket; raises Violation."""
    model, line = oracle.model, Line(oracle.project, NodeCache(8 << 20))
    head = drive(bucket, follow.refresh(line))
    if head.position != model.head:
        raise Violation(f"the head of {oracle.project} is at {head.position}, {model.head} landed")
    if model.head:
        sessions = [record.session for record in drive(bucket, log.records(line, 1, model.head))]
        if sessions != model.sessions:
            raise Violation(f"the log of {oracle.project} holds other sessions than landed")
    for session in [*oracle.sent, *model.sessions]:
        if line.find_session(session) != model.positions.get(session):
            raise Violation(
                f"session {session.hex()} is found at {line.find_session(session)}, "
                f"not at {model.positions.get(session)}"
            )
    step = max(1, model.head // 12)
    for position in sorted({*range(0, model.head, step), model.head}):
        files = drive(bucket, _whole(line, position))
        if not oracle.are(files, position):
            raise Violation(f"the tree of {oracle.project} at {position} is not the one that was landed: {files}")


def _whole(line: Line, position: int) -> Protocol[Files]:
    root = yield from trees.tree_at(line, position)
    entries = yield from with_nodes(line.objects, line.cache, scan(line.cache, root))
    files = {}
    for entry in entries:
        files[entry.path] = File(entry.mode, (yield from shown(line.objects, entry.hash)))
    return files


def _check_gone(bucket: Bucket, oracle: Oracle) -> None:
    """Of an erased project there is only what arrived late; it is in nobody's way."""
    left = [key.removeprefix(oracle.prefix) for key in bucket.objects if key.startswith(oracle.prefix)]
    strange = [key for key in left if not (_LEFT_OVER.fullmatch(key) or _DERIVED.fullmatch(key) or _LATE.match(key))]
    if strange:
        raise Violation(f"{oracle.project} was erased, and there are {strange}")


def _check_left_behind(bucket: Bucket, oracle: Oracle) -> None:
    """The calm bucket is whole, and repairing it changes nothing; raises Violation."""
    findings = _verified(bucket, oracle)
    before = dict(bucket.objects)
    done = drive(bucket, repair.repair(oracle.project, findings, oracle.model.head))
    changed = {key for key in before.keys() | bucket.objects.keys() if before.get(key) != bucket.objects.get(key)}
    if any(key in before or not _DERIVED.fullmatch(key.removeprefix(oracle.prefix)) for key in changed):
        raise Violation(f"a repair with nothing to repair changed {sorted(changed)}: {done}")
    if changed:
        _verified(bucket, oracle)
        if again := drive(bucket, repair.repair(oracle.project, findings, oracle.model.head)):
            raise Violation(f"a second repair does something: {again}")


def _verified(bucket: Bucket, oracle: Oracle) -> list[Finding]:
    findings = list(Verifier(oracle.project, partial(drive, bucket)).findings())
    for finding in findings:
        if finding.kind != "unreachable" or not _LEFT_OVER.fullmatch(finding.object.removeprefix(oracle.prefix)):
            raise Violation(f"a check of the bucket that is left says: {finding}")
        oracle.count("left over")
    return findings
