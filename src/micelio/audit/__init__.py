"""Who did what to which thing, and when: rows that are added inside the acting transaction and never changed."""
