"""Finding secrets in bytes: a pure function from contents to findings, linear in their size whatever they hold.

Nothing here reads a store, a clock or a setting. What a finding means for a landing is `micelio.sessions`' to say.
"""

from __future__ import annotations

from micelio.scanning.finding import Finding
from micelio.scanning.rules import RULES_VERSION
from micelio.scanning.scanner import MAX_FINDINGS, Scan, scan, scan_many
from micelio.scanning.words import redact

__all__ = ["MAX_FINDINGS", "RULES_VERSION", "Finding", "Scan", "redact", "scan", "scan_many"]
