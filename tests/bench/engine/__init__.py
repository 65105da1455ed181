"""The engine alone, without a forge around it: trees, packs, chunks, deltas, caches.

Each module here has `rows() -> Iterator[Row]`; `make bench-engine` runs them all.
"""
