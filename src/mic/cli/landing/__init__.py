"""What landing asks for and leaves: what waits, what clashes, what became of it."""
