"""A landing of many files: what it asks of the store does not grow with their number."""

from __future__ import annotations

from ledgers import contents, request, traced
from mic.core.blob import encode_blob
from mic.core.ids import content_hash
from mic.ledger.effects import GetRange, PutIf, PutNew
from mic.ledger.frame import Frame
from mic.store import MemoryStore


def test_uploaded_contents_are_looked_at_in_few_reads() -> None:
    """2,000 files in one pack: three writes, and a handful of reads for the sizes that it states."""
    project, driver = traced(MemoryStore())
    project.create()
    files = {b"d%02d/f%04d" % (n // 50, n): b"line %d\n" % n * 20 for n in range(2000)}
    upload = project.upload()
    for data in files.values():
        stored = encode_blob(data)
        project.run(upload.receive(Frame(content_hash(data), len(data), 0, len(data), True, stored[8:])))
    packs = project.run(upload.finish())
    wanted = request(project, 1, 0, files, send=False)
    driver.effects.clear()
    landed = project.land(wanted._replace(packs=packs))
    assert landed.position == 1
    assert len(packs) == 1
    assert sum(isinstance(effect, PutNew | PutIf) for effect in driver.effects) == 2
    assert sum(isinstance(effect, GetRange) for effect in driver.effects) <= 6
    assert {path: data for path, (_, data) in contents(project).items()} == files
