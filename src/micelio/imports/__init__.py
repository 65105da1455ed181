"""Importing Git repositories: runs with their stages and counters, what was sent for them, and carrying them out."""
