"""Finding secrets in bytes: a pure function from contents to findings, linear in their size whatever they hold.

Nothing here reads a store, a clock or a setting. What a finding means for a landing is `micelio.sessions`' to say.
"""

from __future__ import annotations

from mic.core.scanning.finding import Finding
from mic.core.scanning.rules import RULES_VERSION
from mic.core.scanning.scanner import MAX_FINDINGS, Scan, scan, scan_many
from mic.core.scanning.words import redact

__all__ = ["MAX_FINDINGS", "RULES_VERSION", "Finding", "Scan", "redact", "scan", "scan_many"]
