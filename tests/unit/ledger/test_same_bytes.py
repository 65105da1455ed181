"""A file whose bytes are those of a tree node, a session or a list: one hash, one object, and both can be read."""

from __future__ import annotations

from ledgers import REGULAR, check_history, contents, land, traced
from mic.core.epoch import NODE, SESSION
from mic.core.session import encode_session
from mic.core.tree import Inner, Node
from mic.ledger.ledger import Ledger
from mic.ledger.nodes import fetch_nodes
from mic.ledger.project import Project
from mic.ledger.verify import Verifier
from mic.store import MemoryStore

FILES = {b"f%04d" % number: b"" for number in range(3000)}


def _nodes(project: Project) -> list[Node]:
    """Every node of the newest tree."""
    found, todo = [], [project.head().tree]
    while todo:
        node = project.run(fetch_nodes(project.line.objects, project.line.cache, [todo.pop()]))
        found += node.values()
        todo += [child for one in node.values() if isinstance(one, Inner) for child in one.children()]
    return found


def _check(project: Project) -> None:
    """This process and a new one read everything; nothing is damaged; both go on."""
    store = project.driver.store
    for reader in (project, Ledger(store, cache_bytes=1).open("p")):
        check_history(reader)
    assert [found for found in Verifier("p", project.run).findings() if found.kind != "unreachable"] == []


def test_a_file_with_the_bytes_of_a_node_that_is_there() -> None:
    """Neither hides the other, and the project goes on, whether they lie in one epoch or in two."""
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, FILES)
    nodes = {b"copies/%d" % number: node.raw for number, node in enumerate(_nodes(project))}
    assert len(nodes) > 8
    land(project, 2, 1, nodes)
    cold = Ledger(project.driver.store, cache_bytes=1).open("p")
    found = contents(cold)
    assert {path: data for path, (_, data) in found.items() if path in nodes} == nodes
    assert {
        frame.hash: frame.size for frame in cold.frames([cold.entries(cold.head().tree, [p])[p].hash for p in nodes])
    }
    land(cold, 3, 2, {b"f0001": b"goes on"})
    _check(cold)


def test_a_node_with_the_bytes_of_a_file_that_is_there() -> None:
    """A file that is the leaf of a tree to come."""
    other, _ = traced(MemoryStore())
    other.create()
    land(other, 1, 0, FILES)
    last = max((node for node in _nodes(other) if not isinstance(node, Inner)), key=lambda node: node.last_key)
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"a": last.raw})
    land(project, 2, 1, FILES)
    assert last.hash in {node.hash for node in _nodes(project)}
    cold = Ledger(project.driver.store, cache_bytes=1).open("p")
    assert contents(cold) == {b"a": (REGULAR, last.raw)} | {path: (REGULAR, b"") for path in FILES}
    land(cold, 3, 2, {b"a": b"changed"})
    _check(cold)


def test_a_file_with_the_bytes_of_a_landed_session() -> None:
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, {b"a": b"one"})
    raw = encode_session(project.landing(1).session)
    place = project.line.objects.find(project.landing(1).record.session_object)
    assert place is not None
    assert place.kind == SESSION
    land(project, 2, 1, {b"copy": raw})
    cold = Ledger(project.driver.store).open("p")
    assert cold.landing(1).session.goal == "Goal 1"
    assert contents(cold)[b"copy"] == (REGULAR, raw)
    _check(cold)


def test_a_node_is_content_that_need_not_be_sent_again() -> None:
    """What the project holds under a hash it holds, whatever it is stored for."""
    project, _ = traced(MemoryStore())
    project.create()
    land(project, 1, 0, FILES)
    root = project.head().tree
    place = project.line.objects.find(root)
    assert place is not None
    assert place.kind == NODE
    assert project.has_blob(root)
