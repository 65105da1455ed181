"""`python -m micelio`."""

import gc
import sys

# Older ones lack modules that are imported below and would fail with a riddle; say it in words.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("micelio: Micelio needs Python 3.11; this is " + sys.version.split()[0] + ".")

# Before anything is loaded: of what a start makes, and a landing of 100,000 files, next to nothing is a cycle. Python's
# own 700 new objects between two searches for them are for small programs, and took a sixth of a start.
gc.set_threshold(50_000, 20, 20)

from micelio.command import main  # noqa: E402

sys.exit(main())
