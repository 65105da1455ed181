"""Events that are recorded once in a while and not each time: a first read of the day, a token at a new address.

A row of `Once` per key is what several forges agree by; memory only spares asking. Both are bounded by time.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone

from micelio.audit.models import Once

# Keys in memory; 200 bytes each.
_REMEMBERED = 100_000

_known: OrderedDict[str, datetime] = OrderedDict()
_lock = threading.Lock()


def once(key: Sequence[str], keep: timedelta, note: Callable[[], None]) -> None:
    """Call `note` in a transaction, unless that was done for this key less than `keep` ago.

    Costs nothing when this process has seen the key, and one query when another has.
    """
    name = hashlib.sha256("\0".join(key).encode("utf-8", "surrogatepass")).hexdigest()
    now = timezone.now()
    with _lock:
        until = _known.get(name)
    if until is not None and until > now:
        return
    row = Once.objects.filter(key=name, forget_at__gt=now).values_list("forget_at", flat=True).first()
    if row is not None:
        transaction.on_commit(partial(_remember, name, row))
        return
    forget_at = now + keep
    with transaction.atomic():
        Once.objects.filter(key=name, forget_at__lte=now).delete()
        _, new = Once.objects.get_or_create(key=name, defaults={"forget_at": forget_at})
        if new:
            note()
        # Not before the commit: what was rolled back was not recorded.
        transaction.on_commit(partial(_remember, name, forget_at))


def forget_old() -> int:
    """Remove what has run out; how many rows."""
    removed, _ = Once.objects.filter(forget_at__lte=timezone.now()).delete()
    return removed


def _remember(name: str, until: datetime) -> None:
    with _lock:
        _known[name] = until
        _known.move_to_end(name)
        while len(_known) > _REMEMBERED:
            _known.popitem(last=False)
