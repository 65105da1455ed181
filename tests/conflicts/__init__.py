"""A million small sessions against a model of the conflict check: `make conflicts`."""
