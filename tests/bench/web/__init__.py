"""What the web of the forge takes: search over a million lines, beside `git grep`."""
