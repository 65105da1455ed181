"""Projects: their names, visibility and permissions, and the way to their data."""
