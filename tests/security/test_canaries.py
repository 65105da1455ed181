"""Secrets that are planted in every setting and field come out nowhere: not in a repr, an error, a log or a dump."""

from __future__ import annotations

import ast
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from django.apps import apps

from browser import Browser
from forge_process import Forge
from mic.core.errors import MicError
from mic.rpc.v1 import mic_pb2 as pb
from micelio import config
from micelio.accounts import browser_sessions, second_factor
from micelio.accounts.policy import OPERATOR
from micelio.api import idempotency
from micelio.mail import outbox
from micelio.operators.settings_view import settings_view
from micelio.vault import Keyring
from rpc_world import Caller, World, session_id

HEX = "c0ffee00" * 8
OLD = "deadc0de" * 8
# Every setting that is a secret, with a good value that can be told in any text.
SETTINGS = {
    "SECRET_KEY_BASE": "canary-signing-" + "s" * 64,
    "ENCRYPTION_KEY": HEX,
    "ENCRYPTION_PREVIOUS_KEYS": OLD,
    "S3_ACCESS_KEY_ID": "canaryaccesskeyid",
    "S3_SECRET_ACCESS_KEY": "canary-bucket-secret",
    "S3_SESSION_TOKEN": "canary-bucket-session",
    "MICELIO_FRONT_END_SECRET": "canary-front-end-secret-of-32-signs",
    "DATABASE_URL": "postgresql://ana:canary-database-pw@127.0.0.1:1/db",
    "SMTP_PASSWORD": "canary-mail-password",
    "GITHUB_CLIENT_SECRET": "canary-github-secret",
    "GITLAB_CLIENT_SECRET": "canary-gitlab-secret",
}
BESIDE = {
    "STORAGE_BACKEND": "s3", "S3_BUCKET": "bucket", "S3_REGION": "eu-central-1", "S3_CREDENTIALS": "keys",
    "MICELIO_FRONT_END_ADDRESS": "10.1.0.1:7000", "MICELIO_FRONT_END_NETWORKS": "10.1.0.0/16",
    "MICELIO_HOST": "10.1.0.1",
    "SMTP_HOST": "mail.example.org", "SMTP_USERNAME": "ana",
    "GITHUB_CLIENT_ID": "gh", "GITLAB_CLIENT_ID": "gl",
}  # fmt: skip
CANARY = re.compile(r"canary|c0ffee00|deadc0de|\\xc0\\xff\\xee", re.IGNORECASE)
# They only sound like secrets.
HARMLESS = {"MICELIO_KEYS_DIR", "MICELIO_NETWORKS_TOKENS", "MICELIO_TLS_KEY", "MICELIO_PASSWORD_BREACHES"}


def test_no_secret_setting_is_missing_here() -> None:
    """A new setting that sounds like a secret is planted, too, or is said to be none."""
    sounding = {name for name in config._READ if re.search("SECRET|KEY|PASSWORD|TOKEN|DATABASE_URL", name)}
    assert sounding - HARMLESS == set(SETTINGS)


def test_settings_do_not_show_their_secrets() -> None:
    """Not in any of the ways that an object becomes text, nor in those of what it holds."""
    settings = config.load({**BESIDE, **SETTINGS})
    parts = (settings, settings.s3, settings.postgres, settings.front_end, settings.postal, *settings.oauth)
    assert None not in parts
    assert len(parts) == 7
    assert not CANARY.search(" ".join(f"{[part]!r} {part!s} {part}" for part in parts))
    assert settings.encryption_keys()[0].hex() == HEX


def test_administrators_see_settings_and_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """With each of them planted; what else is set is told."""
    monkeypatch.setattr(config, "_installed", config.load({**BESIDE, **SETTINGS}))
    shown = {row.name: row.value for row in settings_view(OPERATOR)}
    assert (shown["SMTP_HOST"], shown["DATABASE_URL"]) == ("mail.example.org:587", "PostgreSQL")
    assert shown["GITHUB_BASE_URL"] == "https://github.com"
    assert not CANARY.search(repr(shown))


@pytest.mark.parametrize("name", sorted(SETTINGS))
@pytest.mark.parametrize("spoil", ["\x01{}", "{} {}", "{}\u00e9", "x{}", "[{}", "{}@@:1:2//"])
def test_a_bad_setting_is_not_repeated(name: str, spoil: str) -> None:
    """The error names the setting, and not what it holds."""
    values = {**BESIDE, **SETTINGS, name: spoil.replace("{}", SETTINGS[name])}
    try:
        said = repr(config.load(values))
    except MicError as error:
        said = f"{error} {error!r} {error.message} {error.hint} {error.details}"
    assert not CANARY.search(said)


# Every column whose name sounds like a secret, and what is in it: "sealed" is encrypted by `micelio.vault`, "hashed" is
# a one-way hash of a random value (of a password: Argon2), "public" is no secret.
COLUMNS = {
    "accounts.User.password": "hashed",
    "accounts.Picture.data": "public",  # a picture that everybody sees
    "accounts.SignInLink.token_hash": "hashed",
    "accounts.FamilyToken.token_hash": "hashed",
    "accounts.Invitation.token_hash": "hashed",
    "organizations.Invitation.token_hash": "hashed",
    "tokens.AccessToken.token_hash": "hashed",
    "allauth_idp_oidc.Token.hash": "hashed",
    "allauth_idp_oidc.Token.data": "public",  # what the grant asked for
    "allauth_idp_oidc.Client.secret": "public",  # "" for the public client `mic-cli`, and there is no other
    "allauth_idp_oidc.Client.data": "public",
    "mfa.Authenticator.data": "sealed",
    "mail.Letter.sealed": "sealed",
    "api.KeptAnswer.body": "sealed",
    "audit.AuditEvent.token": "public",  # its public id
    "audit.Once.key": "hashed",
    "cluster.KeyMark.mark": "hashed",
    "projects.Project.cdn_key": "public",  # a name in an edge network, of public projects only
    "account.EmailConfirmation.key": "unused",  # links are signed instead
    "socialaccount.SocialApp.secret": "unused",  # providers come from settings
    "socialaccount.SocialApp.key": "unused",
    "socialaccount.SocialToken.token": "unused",  # asked for once, and not kept
    "socialaccount.SocialToken.token_secret": "unused",
    "imports.GitImport.accept_secrets": "public",  # an admin's reason
    "imports.GitImport.marked": "public",  # what git's fsck says, by message
    "search.Document.key": "public",  # which session, or which file, by hash
    "sessions.Session.session_key": "hashed",
    "sessions.Session.session_data": "sealed",
    "usersessions.UserSession.session_key": "hashed",
    "usersessions.UserSession.data": "public",
}
_SOUNDS = re.compile(
    r"secret|token(?!s_url)|password|passw|(?<!public_)key$|hash$|sealed|^data$|^body$|session_data|mark"
)


def test_no_stored_secret_is_missing_here() -> None:
    """A new column that sounds like a secret says what it holds."""
    text = {"CharField", "TextField", "JSONField", "BinaryField"}
    sounding = {
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if field.get_internal_type() in text and _SOUNDS.search(field.name) and not field.is_relation
    }
    assert sounding == set(COLUMNS)


def test_everything_sealed_is_encrypted_anew() -> None:
    """`micelio encrypt-anew` knows each module that seals, but for the cache: what is there is over within a day."""
    source = Path(inspect.getfile(config)).parent
    sealing = {path for path in source.rglob("*.py") if "keyring().seal(" in path.read_text("utf-8")}
    named = {str(path.relative_to(source)) for path in sealing}
    assert named == {
        "accounts/browser_sessions.py", "accounts/second_factor.py", "api/idempotency.py", "mail/outbox.py",
        "sealed_cache.py",
    }  # fmt: skip
    command = ast.unparse(ast.parse((source / "command.py").read_text("utf-8")))
    assert "for room in (second_factor, outbox, idempotency)" in command
    assert "browser_sessions.encrypt_anew()" in command
    for room in (second_factor, outbox, idempotency, browser_sessions):
        assert callable(room.encrypt_anew)


@dataclass(frozen=True)
class Planted:
    """A forge in which everything that can hold a secret holds one; `secrets` by what they are."""

    forge: Forge
    world: World
    secrets: dict[str, str]
    answers: list[str]


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    folder = tmp_path_factory.mktemp("canaries")
    keys = {name: SETTINGS[name] for name in ("SECRET_KEY_BASE", "ENCRYPTION_KEY", "ENCRYPTION_PREVIOUS_KEYS")}
    forge = Forge(folder / "data", MICELIO_ACCESS_LOG="on", **keys)
    try:
        world = World(forge)
        secrets, answers = _plant(world)
        yield Planted(forge, world, secrets, answers)
        world.close()
    finally:
        forge.end()


def _plant(world: World) -> tuple[dict[str, str], list[str]]:
    forge, secrets, answers = world.forge, {}, []
    secrets["password"] = "canary correct horse battery"
    secrets["link"] = forge.once("rita").rpartition("/")[2]
    with Browser(forge.base_url) as browser:
        browser.sign_in_once(f"{forge.base_url}/-/sign-in/once/{secrets['link']}")
        answers += [
            browser.get(path).text for path in ("/", "/-/account", "/-/account/tokens", "/-/absent", "/-/audit")
        ]
        secrets["cookie"] = browser.cookies["sessionid"]
        # It waits in the session until a first code proves that the app has it.
        asked = browser.get("/-/account/second-factor/app").text
        secrets["app in set-up"] = re.findall(r'<code class="cmd"[^>]*>([A-Z2-7]{32})</code>', asked)[0]
        # Signed in with a password, wrong and right, and asked for with errors.
        for path in ("/-/sign-in", "/-/sign-up"):
            answers.append(browser.submit("/-/account", to=path, login="rita", password=secrets["password"] + "x").text)
        page = f"/{world.organization}/open/-/secrets/report"
        answers.append(browser.submit(f"{page}?path=readme.txt&at=1", page, line="x").text)
    token = pb.CreateTokenRequest(name="canary", scopes=["project:read", "project:write"], mixes=True)
    secrets["personal token"] = world.rita("AccountService.CreateToken", token).value
    agent = pb.CreateSessionTokenRequest(project=world.open, session_id=session_id())
    secrets["agent token"] = world.rita("AccountService.CreateSessionToken", agent).value
    secrets["access token"] = forge.token("rita")
    # An answer with a token in it is kept for whoever repeats the request.
    headers = {"Authorization": f"Bearer {secrets['access token']}", "Idempotency-Key": "canary"}
    body = {"name": "kept", "scopes": ["project:read"]}
    kept = httpx.post(f"{forge.base_url}/api/v1/me/tokens", headers=headers, json=body)
    assert kept.status_code == 201, kept.text
    secrets["token in a kept answer"] = re.findall(r"mic_pat_\w+", kept.text)[0]
    for name in ("personal token", "agent token"):
        with Caller(forge.grpc_address, secrets[name] + "x") as wrong:
            refused = wrong.refused("AuthService.GetCurrentUser", pb.GetCurrentUserRequest())
            answers.append(f"{refused.message} {refused.trailing}")
        refused_page = httpx.get(f"{forge.base_url}/api/v1/me", headers={"Authorization": f"Bearer {secrets[name]}x"})
        answers.append(refused_page.text)
    # In an address, where it should not be: whoever sent it sees it again, and nobody else.
    httpx.get(f"{forge.base_url}/?token={secrets['personal token']}")
    return secrets, answers


def _written(planted: Planted) -> dict[str, bytes]:
    """Everything that the forge has written: the database, its log, and every file but its keys."""
    files = {
        str(path): path.read_bytes()
        for path in planted.forge.data_dir.rglob("*")
        if path.is_file() and "keys" not in path.parts
    }
    return files | {"log": planted.forge.log().encode(), "audit": planted.forge.run("audit", "export").encode()}


def test_planted_secrets_come_out_nowhere(planted: Planted) -> None:
    """Every line logged, every file read, every answer looked through."""
    assert len(planted.secrets) == 8
    hidden = {**planted.secrets, **{name: SETTINGS[name] for name in ("SECRET_KEY_BASE", "ENCRYPTION_KEY")}}
    found = {
        (name, place)
        for place, data in _written(planted).items()
        for name, value in hidden.items()
        if value.encode() in data or json.dumps(value)[1:-1].encode() in data
    }
    assert found == set()
    told = {name for name, value in hidden.items() if any(value in answer for answer in planted.answers)}
    assert told == set()


def test_a_key_that_is_not_given_is_named_and_not_shown(planted: Planted) -> None:
    """After the key was lost, the error tells which one is missing, by a name that tells nothing."""
    sealed = Keyring([bytes.fromhex(HEX)]).seal("canary", "test")
    with pytest.raises(MicError) as raised:
        Keyring([bytes.fromhex(OLD)]).open(sealed, "test")
    assert not CANARY.search(f"{raised.value} {raised.value.hint} {Keyring([bytes.fromhex(HEX)])!r} {sealed}")
