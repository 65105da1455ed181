"""Writing accounts: making them, changing one's own, one-time links and tokens."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from allauth.account.internal.flows.email_verification import send_verification_email_to_address
from allauth.account.models import EmailAddress
from allauth.idp.oidc.models import Client, Token
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from mic.core.errors import AlreadyExists, InvalidInput, NotFound, TooLarge
from micelio.accounts import browsers, families, invitations, letters
from micelio.accounts.actor import ANONYMOUS, SCOPE, Actor, actor_of, require_signed_in
from micelio.accounts.handles import parse_handle
from micelio.accounts.models import HandleClaim, SignInLink, User
from micelio.accounts.policy import require_operator, require_self, require_whole, waits_for_approval
from micelio.accounts.signals import sign_ins_end
from micelio.audit.actions import record
from micelio.config import current
from micelio.mail import outbox

LINK_LIFETIME = timedelta(hours=24)
# A refresh token and its access token are made one after the other in one step of one request.
_ONE_STEP = timedelta(seconds=1)
CLIENT_ID = "mic-cli"
# Accounts that an administrator has yet to look at. More than that is no queue but an attack.
MOST_WAITING = 1000


def claim_handle(handle: str, kind: str) -> None:
    """Take `handle` for a "user" or an "organization", inside the caller's transaction. Raises AlreadyExists."""
    try:
        with transaction.atomic():
            HandleClaim.objects.create(handle=handle, kind=kind)
    except IntegrityError as error:
        raise AlreadyExists(f"The handle {handle} is taken.", hint="Choose another handle.") from error


@transaction.atomic
def register(user: User, via: str, invitation: str = "") -> None:
    """Save an account that a person makes for themselves; its handle has its final spelling.

    `invitation` is the token of one, which is spent, or "". Raises AlreadyExists, NotFound for an invitation that is
    over, TooLarge when too many wait for approval.
    """
    user.waiting = waits_for_approval(invited=bool(invitation))
    user.is_active = not user.waiting
    if user.waiting and User.objects.filter(waiting=True).count() >= MOST_WAITING:
        raise TooLarge("Too many accounts wait for approval.", hint="Ask an administrator of this forge.")
    claim_handle(user.handle, "user")
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:  # two sign-ups at once
        raise AlreadyExists("Another account has this address.", hint="Use another address.") from error
    if invitation:
        invitations.spend(invitation, user)
    record(actor_of(user, via), "account.create", "account", user.id, user.handle, waits=user.waiting)


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
def update_account(actor: Actor, user: User, *, name: str) -> None:
    """Change one's own name. Raises PermissionDenied, InvalidInput."""
    require_self(actor, user.id)
    longest = User._meta.get_field("name").max_length or 0
    if len(name) > longest or "\x00" in name:
        raise InvalidInput(f"A name has at most {longest} characters, and no NUL.", hint="Shorten it.")
    before, user.name = user.name, name.strip()
    user.save(update_fields=["name"])
    record(actor, "account.update", "account", user.id, user.handle, before=before, after=user.name)


def held_account(actor: Actor) -> User:
    """The actor's own row, which nobody else changes before this transaction ends. Raises as `require_self`."""
    require_whole(actor)
    return User.objects.select_for_update().get(id=require_signed_in(actor))


@transaction.atomic
def change_address(actor: Actor, user: User, email: str) -> None:
    """Change one's own address at once, where no mail is sent and so none can be confirmed.

    Raises InvalidInput, AlreadyExists.
    """
    require_self(actor, user.id)
    before, user.email = user.email, _email(email)
    _save_with_email(user)
    record(actor, "account.address", "account", user.id, user.handle, before=before, after=user.email)


@transaction.atomic
def ask_for_address(actor: Actor, user: User, request: HttpRequest, email: str) -> None:
    """Write to a new address of one's own; it counts once it is confirmed. The present one goes on meanwhile."""
    require_self(actor, user.id)
    # One that was never confirmed and is still the account's own is kept: allauth would take it for an older wish.
    EmailAddress.objects.filter(user=user, verified=False).exclude(email=user.email).delete()
    row = EmailAddress.objects.create(user=user, email=email.lower())
    send_verification_email_to_address(request, row)
    record(actor, "account.address_asked", "account", user.id, user.handle, wanted=row.email)


@transaction.atomic
def change_password(actor: Actor, user: User, password: str, *, tokens_too: bool) -> None:
    """Set one's own password. Every sign-in ends, and with `tokens_too` every personal token. Raises PermissionDenied.

    The browser that asks goes on when its door gives it a new key.
    """
    require_self(actor, user.id)
    user.set_password(password)
    user.save(update_fields=["password"])
    end_sign_ins(actor, user, tokens_too=tokens_too)
    record(actor, "account.password", "account", user.id, user.handle, tokens_too=tokens_too)


@transaction.atomic
def reset_password(user: User, password: str) -> None:
    """Set the password of whoever has proved to hold the account's address. Every sign-in and every token ends."""
    user.set_password(password)
    user.save(update_fields=["password"])
    actor = actor_of(user, "link")
    end_sign_ins(actor, user, tokens_too=True)
    record(actor, "account.password_reset", "account", user.id, user.handle)


def end_sign_ins(actor: Actor, user: User, *, tokens_too: bool) -> None:
    """End all that lets `user` in, inside the caller's transaction: browsers, `mic`, links, and tokens where asked."""
    browsers.end_all(user.id)
    Token.objects.filter(user=user).delete()
    families.end_all_of(user.id)
    SignInLink.objects.filter(user=user, closed_at=None).update(closed_at=timezone.now())
    sign_ins_end.send(User, actor=actor, user=user, tokens_too=tokens_too)


@transaction.atomic
def make_sign_in_link(actor: Actor, user: User) -> str:
    """A fresh token for `/-/sign-in/once/<token>`, good once and for 24 hours; older ones are closed."""
    require_operator(actor)
    token = _new_link(user, "", LINK_LIFETIME)
    record(actor, "account.link", "account", user.id, user.handle)
    return token


@transaction.atomic
def mail_sign_in_link(email: str) -> bool:
    """Send a link, good once and for 15 minutes, to the active account with this address; whether there is one.

    Whoever asks must not be told which of both it was.
    """
    user = User.objects.filter(email__iexact=email, is_active=True).first() if email else None
    if user is None:
        return False
    token = _new_link(user, user.email, letters.LINK_LASTS)
    outbox.post(user.email, *letters.sign_in_link(user.handle, token))
    record(ANONYMOUS, "account.link_mailed", "account", user.id, user.handle)
    return True


@transaction.atomic
def tell_unknown(email: str) -> None:
    """Write to an address that somebody asked a link for and that no account has; where mail is sent."""
    if current().postal is not None:
        outbox.post(email, *letters.unknown())


@transaction.atomic
def burn_sign_in_link(token: str) -> tuple[User, str]:
    """The account behind a one-time token, which is spent by this call, and the address that the link was sent to.

    Raises NotFound when it is good no more.
    """
    now, hashed = timezone.now(), _hash(token)
    open_links = SignInLink.objects.filter(token_hash=hashed, closed_at=None, expires_at__gt=now)
    # One statement decides: of two posts at once, one changes the row.
    if open_links.update(closed_at=now) == 1:
        row = SignInLink.objects.select_related("user").get(token_hash=hashed)
        if row.user.is_active:
            record(actor_of(row.user, "link"), "account.link_used", "account", row.user.id, row.user.handle)
            return row.user, row.mailed_to
    raise NotFound("This sign-in link is spent or expired.", hint="Ask for a new one.")


def _new_link(user: User, mailed_to: str, lasts: timedelta) -> str:
    """A token for `user`. It closes older ones of its kind: what a stranger asks for must not close the operator's."""
    now = timezone.now()
    alike = SignInLink.objects.filter(user=user, closed_at=None)
    alike = alike.exclude(mailed_to="") if mailed_to else alike.filter(mailed_to="")
    alike.update(closed_at=now)
    token = secrets.token_urlsafe(32)
    SignInLink.objects.create(user=user, mailed_to=mailed_to, token_hash=_hash(token), expires_at=now + lasts)
    return token


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
    """End all tokens of the sign-in that this refresh token belongs to (RFC 7009, section 2.1).

    The provider ends the token it is given and no other. A value that is no refresh token changes nothing.
    """
    if families.end_family_of(refresh_token):
        return
    # A sign-in of an earlier version, which was never renewed since.
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
    return int(tokens) + links + families.purge_expired()


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


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
