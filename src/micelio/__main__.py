"""`python -m micelio`."""

import sys

# Older ones lack modules that are imported below and would fail with a riddle; say it in words.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("micelio: Micelio needs Python 3.11; this is " + sys.version.split()[0] + ".")

from micelio.command import main

sys.exit(main())
