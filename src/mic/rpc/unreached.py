"""Nobody answered: the forge was not reached, which is another thing than a forge that says no."""

from __future__ import annotations

from mic.core.errors import Unavailable


class Unreached(Unavailable):
    """No connection, no name, no answer in time. What was asked may have been done: an answer can be lost as well."""
