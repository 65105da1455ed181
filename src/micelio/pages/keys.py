"""Keys on pages with differences: the next file, the next hunk, side by side. Every one is a link or scrolling too."""

from __future__ import annotations

import re

from django.views.decorators.http import require_safe

from micelio.served_script import ServedScript

# Pages that have differences. Their policy lets this one file run, by its whole address, and nothing else.
PAGES = re.compile(r"/[^/]+/[^/]+/-/(landings|sessions|compare)/.")

_SCRIPT = ServedScript("micelio.pages", "keys.js", "keys")
script_address = _SCRIPT.address
serve = require_safe(_SCRIPT.serve)
