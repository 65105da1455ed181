"""Commands that change files here: clone, sync, goto, revert, branch, sparse, resolve, undo."""
