"""The bucket that settings name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from mic.core.errors import InvalidInput
from mic.store.port import check_key
from mic.store.s3_place import S3Place
from micelio.setting_values import BadSetting, choice


def parse(values: Mapping[str, str]) -> S3Place | None:
    """The bucket that the store is in, None when it is a directory. Raises BadSetting, never with a secret in it."""
    backend = values.get("STORAGE_BACKEND", "local")
    if backend not in ("local", "s3", "tiered"):
        raise BadSetting(f"STORAGE_BACKEND is {backend!r}; use local, s3 or tiered.")
    given = sorted(name for name in values if name.startswith("S3_"))
    if backend == "local":
        if given:
            raise BadSetting(f"{given[0]} is set, but STORAGE_BACKEND is local; set it to s3 or tiered, or unset both.")
        return None
    if "STORAGE_LOCAL_PATH" in values:
        raise BadSetting(f"STORAGE_LOCAL_PATH is set, but STORAGE_BACKEND is {backend}; unset one of them.")
    for name in given:
        if not values[name].isascii() or not values[name].isprintable() or " " in values[name]:
            raise BadSetting(f"{name} holds a blank or a sign that cannot be meant; correct it.")
    if "S3_BUCKET" not in values:
        raise BadSetting(f"STORAGE_BACKEND is {backend}, which needs S3_BUCKET; set it to the name of the bucket.")
    bucket, prefix = values["S3_BUCKET"], values.get("S3_PREFIX", "")
    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", bucket):
        raise BadSetting(f"S3_BUCKET is {bucket!r}, which is not the name of a bucket; give the bare name.")
    try:
        check_key(prefix or "none")
    except InvalidInput:
        raise BadSetting(f"S3_PREFIX is {prefix!r}; use letters, digits, - and _, with / between folders.") from None
    endpoint = _endpoint(values.get("S3_ENDPOINT_URL", ""))
    region = values.get("S3_REGION", "us-east-1" if endpoint else "")
    if not re.fullmatch(r"[a-z0-9-]{1,64}", region):
        raise BadSetting(f"S3_REGION is {region!r}; set it to the region of the bucket, for example eu-central-1.")
    key, secret, token = _credentials(values)
    return S3Place(
        bucket,
        region,
        endpoint,
        prefix,
        virtual_host=not choice(values, "S3_ADDRESSING", "path", "virtual"),
        access_key_id=key,
        secret_access_key=secret,
        session_token=token,
        unsigned=values.get("S3_CREDENTIALS") == "none",
    )


def _endpoint(value: str) -> str:
    """Scheme, host and port of an S3 server. Plain http is taken only because it is asked for."""
    parts = urlsplit(value)
    try:
        bad = bool(value) and (parts.scheme not in ("http", "https") or not parts.hostname or (parts.port or 0) < 0)
    except ValueError:
        bad = True
    if parts.username is not None or parts.password is not None:
        raise BadSetting("S3_ENDPOINT_URL holds a user name or a password; put them into S3_ACCESS_KEY_ID and so on.")
    if bad or parts.path not in ("", "/") or parts.query or parts.fragment:
        raise BadSetting(f"S3_ENDPOINT_URL is {value!r}; use https://host[:port], or http:// for a server beside this.")
    return value.rstrip("/")


def _credentials(values: Mapping[str, str]) -> tuple[str, str, str]:
    """Access key, secret key and session token; all "" when they come from elsewhere or are not needed."""
    names = ("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_SESSION_TOKEN")
    source = values.get("S3_CREDENTIALS", "keys")
    if source not in ("keys", "environment", "none"):
        raise BadSetting("S3_CREDENTIALS is none of keys, environment and none; correct it.")
    given = [name for name in names if name in values]
    if source != "keys":
        if given:
            raise BadSetting(f"{given[0]} is set, but S3_CREDENTIALS is {source}; unset one of them.")
        return "", "", ""
    for name in names[:2]:
        if name not in values:
            hint = "set it, or S3_CREDENTIALS=environment to find them as Amazon's tools do"
            raise BadSetting(f"{name} is missing, which the bucket needs; {hint}.")
    return values[names[0]], values[names[1]], values.get(names[2], "")
