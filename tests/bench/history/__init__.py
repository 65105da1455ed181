"""Benchmarks of history: who touched a path, and why a line is as it is."""
