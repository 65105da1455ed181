"""What one short request looks up is looked up once."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

# By what was asked; None outside of a short request, where everything is looked up anew.
asked: ContextVar[dict[Any, Any] | None] = ContextVar("micelio_asked", default=None)
