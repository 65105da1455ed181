"""The version of this distribution, as pyproject.toml has it: for whoever needs it before anything else is loaded."""

VERSION = "0.3.0"
