"""What other domains may want to know of organizations. Sent when the transaction of the act is committed."""

from __future__ import annotations

from django.dispatch import Signal

# Keyword `organization_id`: it has another handle now.
renamed = Signal()
