"""Landings in which every line is written once, so that its content tells who wrote it: `make fuzz-attribution`."""
