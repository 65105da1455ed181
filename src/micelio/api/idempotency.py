"""`Idempotency-Key`: a POST that is sent again, because its answer was lost, is not done again.

A key belongs to an account and the token in use. The first request with it takes it, is carried out, and leaves its
answer behind; what comes later with the same key and the same body gets that answer. Only what succeeded is kept: what
was refused changed nothing, and may be tried again with the same key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from uuid import UUID

from django.db import IntegrityError, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils import timezone

from mic.core.errors import Busy, InvalidInput, TooLarge
from micelio.api.limits import KEY_HOLDS, LARGEST_KEPT, LONGEST_KEY, MOST_KEYS
from micelio.api.models import KeptAnswer
from micelio.api.problems import KeyReused
from micelio.api.request import ApiRequest
from micelio.vault import keyring

_HEADERS = ("Content-Type", "ETag", "Location", "Cache-Control")


def once(request: ApiRequest, carry_out: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The answer to a request, made now unless its key has one. Raises KeyReused, Busy, TooLarge, InvalidInput."""
    key = request.headers.get("Idempotency-Key")
    account = request.actor.user_id
    # Whoever is nobody can make nothing that could be made twice.
    if request.method != "POST" or key is None or account is None:
        return carry_out()
    name, asked = _name(request, key), _request(request)
    kept = _take(account, name, asked)
    if kept is not None:
        return _again(kept, asked)
    answer = None
    try:
        answer = carry_out()
    finally:
        _leave(account, name, answer)
    return answer


def purge_expired() -> int:
    """Forget answers whose time is over. Returns how many."""
    removed, _ = KeptAnswer.objects.filter(created_at__lt=timezone.now() - KEY_HOLDS).delete()
    return removed


@transaction.atomic
def encrypt_anew() -> int:
    """Encrypt with the newest key what an older one has encrypted; how many answers."""
    ring, done = keyring(), 0
    for row in KeptAnswer.objects.select_for_update().exclude(body=""):
        if not ring.is_newest(row.body):
            purpose = _purpose(row.name)
            row.body = ring.seal(ring.open(row.body, purpose), purpose)
            row.save(update_fields=["body"])
            done += 1
    return done


def _name(request: ApiRequest, key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidInput(
            f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters.", hint="Use a new UUID."
        )
    # A narrower token of the same account must not be told what a wider one was.
    return _digest(request.actor.token, key)


def _request(request: ApiRequest) -> str:
    return _digest(request.get_full_path(), hashlib.sha256(request.body).hexdigest())


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _take(account: UUID, name: str, asked: str) -> KeptAnswer | None:
    """None when the key is now this request's; else what is there. One statement decides between two at once."""
    mine = KeptAnswer.objects.filter(user_id=account)
    now = timezone.now()
    try:
        with transaction.atomic():
            mine.filter(name=name, created_at__lt=now - KEY_HOLDS).delete()
            if mine.count() >= MOST_KEYS and not mine.filter(name=name).exists():
                raise TooLarge(
                    f"You have used {MOST_KEYS:,} idempotency keys within a day; that is the limit.",
                    hint="Send what need not be safe to repeat without one.",
                )
            KeptAnswer.objects.create(user_id=account, name=name, request=asked, created_at=now)
    except IntegrityError:
        found = mine.filter(name=name).first()
        if found is None:  # it was refused a moment ago, and has let go of the key
            raise _in_work() from None
        return found
    return None


def _again(kept: KeptAnswer, asked: str) -> HttpResponse:
    if kept.request != asked:
        raise KeyReused(
            "This Idempotency-Key was sent before with another request.", hint="Use a new key for another request."
        )
    if not kept.status:
        raise _in_work()
    body = keyring().open(kept.body, _purpose(kept.name))
    return HttpResponse(body, status=kept.status, headers={**kept.headers, "Idempotency-Replayed": "true"})


def _in_work() -> Busy:
    return Busy(
        "A request with this Idempotency-Key is being carried out.",
        hint="Repeat it in a moment. If that one was cut off, look whether it was done, then use a new key.",
    )


def _leave(account: UUID, name: str, answer: HttpResponseBase | None) -> None:
    """Keep what succeeded; let go of the key otherwise."""
    mine = KeptAnswer.objects.filter(user_id=account, name=name)
    # Only a landing that merged very many paths has such an answer, and landings are repeated safely by their session.
    if not isinstance(answer, HttpResponse) or answer.status_code >= 300 or len(answer.content) > LARGEST_KEPT:
        mine.delete()
        return
    headers = {header: answer.headers[header] for header in _HEADERS if header in answer.headers}
    body = keyring().seal(answer.content.decode(), _purpose(name))
    mine.update(status=answer.status_code, headers=headers, body=body)


def _purpose(name: str) -> str:
    return f"kept answer {name}"
