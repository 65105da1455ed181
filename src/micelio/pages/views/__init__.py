"""One file per page: ask the queries, hand a `Page` to `answers`."""
