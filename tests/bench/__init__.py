"""`make bench`: figures against a real peer in the same run, written to docs/benchmarks.md."""
