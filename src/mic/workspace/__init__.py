"""The working copy: its index, what changed in it, how files get into it, the open session.

`mic status` runs on every prompt, so `columns`, `place`, `scan` and `goal` are written for start-up time: they
import next to nothing (tests/unit/workspace/test_hot_path.py holds the list). The other files are the comfortable
face over them, for commands that already pay for more.
"""
