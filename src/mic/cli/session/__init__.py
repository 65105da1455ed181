"""A session while it is open: its words, pushed, put aside, taken up, stacked on another."""
