"""Organizations: the owners of projects, and who belongs to them in which role."""
