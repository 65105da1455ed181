"""Search: what stands in projects, found by three characters at a time.

The rows are derived; `micelio rebuild` makes them again.
"""
