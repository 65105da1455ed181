"""The torture corpus: repositories in every form that Git has been seen to hold, made by Git's own plumbing.

`FORMS` has them by name.
"""

from compat.corpus import commits, refs, trees
from compat.corpus.form import FORMS, Form

__all__ = ["FORMS", "Form", "commits", "refs", "trees"]
