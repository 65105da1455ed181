"""Git's clients at Micelio beside the same at `git http-backend`: coming, cloning, pushing, fetching.

Each module here has `rows() -> Iterator[Row]`; `make bench-git` runs them all.
"""
