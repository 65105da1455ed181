"""What several forges over one PostgreSQL must agree about. Over SQLite there is one forge, and nothing to agree."""
