"""Writing accounts: making them, changing one's own, one-time links and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, NotFound
from micelio.accounts.actor import SCOPE, Actor, actor_of
from micelio.accounts.handles import parse_handle
from micelio.accounts.models import HandleClaim, SignInLink, User
from micelio.accounts.policy import require_operator, require_self
from micelio.audit.actions import record

LINK_LIFETIME = timedelta(hours=24)
# A refresh token and its access token are made one after the other in one step of one request.
_ONE_STEP = timedelta(seconds=1)
CLIENT_ID = "mic-cli"


def claim_handle(handle: str, kind: str) -> None:
    """Take `handle` for a "user" or an "organization", inside the caller's transaction. Raises AlreadyExists."""
    try:
        with transaction.atomic():
            HandleClaim.objects.create(handle=handle, kind=kind)
    except IntegrityError as error:
        raise AlreadyExists(f"The handle {handle} is taken.", hint="Choose another handle.") from error


@transaction.atomic
def register(user: User, via: str) -> None:
    """Save an account that a person makes for themselves; its handle has its final spelling. Raises AlreadyExists."""
    claim_handle(user.handle, "user")
    user.save(force_insert=True)
    record(actor_of(user, via), "account.create", "account", user.id, user.handle)


@transaction.atomic
def create_user(actor: Actor, handle: str, *, name: str = "", email: str = "", is_admin: bool = False) -> User:
    """Make an account without a password, as the operator. Raises InvalidInput, AlreadyExists."""
    require_operator(actor)
    user = User(handle=parse_handle(handle, reserved_too=True), name=name, email=_email(email), is_admin=is_admin)
    user.set_unusable_password()
    claim_handle(user.handle, "user")
    _save_with_email(user, insert=True)
    record(actor, "account.create", "account", user.id, user.handle, is_admin=is_admin)
    return user


@transaction.atomic
def ensure_administrator(actor: Actor) -> User:
    """The forge's first active administrator; made, with the handle admin, when there is none."""
    require_operator(actor)
    admin = User.objects.filter(is_admin=True, is_active=True).order_by("created_at").first()
    return admin or create_user(actor, "admin", name="Administrator", is_admin=True)


@transaction.atomic
def update_account(actor: Actor, user: User, *, name: str, email: str, password: str = "") -> None:
    """Change one's own name, address and, when given, password. Raises InvalidInput, AlreadyExists."""
    require_self(actor, user.id)
    user.name, user.email = name.strip(), _email(email)
    if password:
        user.set_password(password)
    _save_with_email(user)
    if password:
        SignInLink.objects.filter(user=user, closed_at=None).update(closed_at=timezone.now())
    record(actor, "account.update", "account", user.id, user.handle, password_changed=bool(password))


@transaction.atomic
def make_sign_in_link(actor: Actor, user: User) -> str:
    """A fresh token for `/-/sign-in/once/<token>`, good once and for 24 hours; older ones are closed."""
    require_operator(actor)
    now = timezone.now()
    SignInLink.objects.filter(user=user, closed_at=None).update(closed_at=now)
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, token_hash=_hash(token), expires_at=now + LINK_LIFETIME)
    record(actor, "account.link", "account", user.id, user.handle)
    return token


@transaction.atomic
def burn_sign_in_link(token: str) -> User:
    """The account behind a one-time token, which is spent by this call. Raises NotFound when it is good no more."""
    now = timezone.now()
    open_links = SignInLink.objects.filter(token_hash=_hash(token), closed_at=None, expires_at__gt=now)
    # One statement decides: of two posts at once, one changes the row.
    if open_links.update(closed_at=now) == 1:
        user = SignInLink.objects.select_related("user").get(token_hash=_hash(token)).user
        if user.is_active:
            record(actor_of(user, "link"), "account.sign_in", "account", user.id, user.handle)
            return user
    raise NotFound("This sign-in link is spent or expired.", hint="Ask the operator for a new one.")


@transaction.atomic
def issue_token(actor: Actor, user: User, lifetime: timedelta) -> str:
    """An access token for scripts, shown once and kept as a hash."""
    require_operator(actor)
    value = secrets.token_urlsafe(48)
    token = Token(type=Token.Type.ACCESS_TOKEN, client_id=CLIENT_ID, user=user, expires_at=timezone.now() + lifetime)
    token.set_value(value)
    token.set_scopes([SCOPE])
    token.save()
    record(actor, "account.token", "account", user.id, user.handle, days=lifetime.days)
    return value


def ensure_client() -> None:
    """The public OAuth client of the `mic` command: device grant and refresh, nothing else."""
    wanted = {
        "name": "mic",
        "type": Client.Type.PUBLIC,
        "grant_types": f"{Client.GrantType.DEVICE_CODE}\n{Client.GrantType.REFRESH_TOKEN}",
        "scopes": f"{SCOPE}\nopenid\nprofile",
        "default_scopes": SCOPE,
        "redirect_uris": "",
        "response_types": "",
    }
    Client.objects.get_or_create(id=CLIENT_ID, defaults=wanted | {"secret": "!"})


@transaction.atomic
def end_grant(client_id: str, refresh_token: str) -> None:
    """End the access token that was handed out with this refresh token (RFC 7009, section 2.1).

    The provider ends the token it is given and no other. A value that is no refresh token changes nothing.
    """
    grant = Token.objects.by_value(refresh_token).filter(type=Token.Type.REFRESH_TOKEN, client_id=client_id).first()
    if grant is None:
        return
    made = (grant.created_at, grant.created_at + _ONE_STEP)
    pair = Token.objects.filter(type=Token.Type.ACCESS_TOKEN, client_id=client_id, user_id=grant.user_id)
    pair.filter(created_at__range=made).delete()


@transaction.atomic
def purge_expired() -> int:
    """Remove tokens and links that can never be used again. Returns how many."""
    tokens, _ = Token.objects.expired().delete()
    links, _ = SignInLink.objects.filter(expires_at__lt=timezone.now()).delete()
    return int(tokens) + links


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _email(text: str) -> str:
    email = text.strip().lower()
    try:
        if email:
            validate_email(email)
    except ValidationError as error:
        raise InvalidInput(f"{text[:80]!r} is not an e-mail address.", hint="Use the form name@example.org.") from error
    return email


def _save_with_email(user: User, *, insert: bool = False) -> None:
    """Save the account and keep allauth's own list of addresses the same as the account's."""
    try:
        with transaction.atomic():
            user.save(force_insert=insert)
            known = EmailAddress.objects.filter(user=user)
            known.exclude(email=user.email).delete()
            if user.email and not known.exists():
                EmailAddress.objects.create(user=user, email=user.email, primary=True, verified=False)
    except IntegrityError as error:
        raise AlreadyExists(f"Another account has the address {user.email}.", hint="Use another address.") from error
