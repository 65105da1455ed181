"""The version of this distribution, as pyproject.toml has it: for whoever needs it before anything else is loaded."""

VERSION = "0.3.0"

# Of the documents that `--json` prints: it grows when a field goes or means something else (docs/agents/json.md).
JSON = 1
