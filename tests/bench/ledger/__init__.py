"""The ledger under load: many clients landing in one project.

Each module here has `rows() -> Iterator[Row]`; `make bench-ledger` runs them all.
"""
