"""Settings: what is read, what is refused, and in which words."""

from __future__ import annotations

import re
from ipaddress import ip_address
from pathlib import Path

import pytest

from micelio.command import main
from micelio.config import load
from micelio.setting_values import BadSetting


def test_defaults_serve_this_machine_only() -> None:
    """With an empty environment the forge listens on loopback, web on 4000 and gRPC on 4001."""
    settings = load({})
    assert (settings.host, settings.port, settings.grpc_port) == ("127.0.0.1", 4000, 4001)
    assert settings.base_url == "http://localhost:4000"
    assert settings.grpc_address == "localhost:4001"
    assert settings.sign_up == "open"


def test_store_lies_in_the_data_directory_unless_named() -> None:
    """STORAGE_LOCAL_PATH moves the store alone."""
    assert load({"MICELIO_DATA_DIR": "/srv/m"}).store_dir == Path("/srv/m/store")
    moved = load({"MICELIO_DATA_DIR": "/srv/m", "STORAGE_LOCAL_PATH": "/big/disk"})
    assert (moved.data_dir, moved.store_dir) == (Path("/srv/m"), Path("/big/disk"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MICELIO_DATADIR", "/srv/m"),
        ("PORT", "70000"),
        ("PORT", "-1"),
        ("GRPC_PORT", "four"),
        ("MICELIO_SIGN_UP", "maybe"),
        ("MICELIO_ACCESS_LOG", "yes"),
        ("SECRET_KEY_BASE", "short"),
        ("MICELIO_PASSWORD_BREACHES", "http://example.org/range/"),
        ("MICELIO_PASSWORD_BREACHES", "https://example.org/range"),
        ("STORAGE_BACKEND", "s3"),
        ("STORAGE_BACKEND", "tiered"),
        ("STORAGE_BACKEND", "floppy"),
        ("DATABASE_URL", "mysql://db/micelio"),
        ("DATABASE_URL", "postgres://db"),
        ("DATABASE_CONNECTIONS", "1"),
        ("DATABASE_CONNECTIONS", "20"),
        ("S3_BUCKET", "mine"),
        ("SMTP_HOST", "mail.example.org:25"),
        ("SMTP_PORT", "587"),
        ("SMTP_PASSWORD", "hunter2 hunter2"),
        ("GITHUB_CLIENT_ID", "abc"),
        ("GITLAB_BASE_URL", "https://gitlab.example.org"),
        ("MICELIO_SIGN_UP", "sometimes"),
        ("MICELIO_BASE_URL", "forge.example.org"),
        ("MICELIO_BASE_URL", "https://forge.example.org/micelio"),
        ("MICELIO_BASE_URL", "https://me@forge.example.org"),
        ("MICELIO_CONFIG", "/does/not/exist.toml"),
    ],
)
def test_unknown_or_unsafe_setting_is_refused_by_name(name: str, value: str) -> None:
    """A setting that cannot be honoured stops the start with a sentence that names it."""
    with pytest.raises(BadSetting, match=name) as caught:
        load({name: value})
    assert caught.value.message.endswith(".")
    assert "\n" not in caught.value.message


FRONT_END = {
    "MICELIO_HOST": "10.1.0.4",
    "MICELIO_FRONT_END_ADDRESS": "10.1.0.4:4001",
    "MICELIO_FRONT_END_SECRET": "s" * 32,
    "MICELIO_FRONT_END_NETWORKS": "10.1.0.0/16, fd00::/8",
}


def test_front_ends_know_each_other_when_all_three_settings_are_there() -> None:
    place = load(FRONT_END).front_end
    assert place is not None
    assert place.address == "10.1.0.4:4001"
    assert [place.allows(ip_address(text)) for text in ("10.1.9.9", "fd00::7", "10.2.0.1", "127.0.0.1")] == [
        True, True, False, False,
    ]  # fmt: skip
    assert "sss" not in repr(place)
    assert load({}).front_end is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MICELIO_FRONT_END_ADDRESS", "front.example.org:4001"),
        ("MICELIO_FRONT_END_ADDRESS", "10.1.0.4"),
        ("MICELIO_FRONT_END_ADDRESS", "10.2.0.4:4001"),
        ("MICELIO_FRONT_END_SECRET", "short"),
        ("MICELIO_FRONT_END_SECRET", ""),
        ("MICELIO_FRONT_END_NETWORKS", "0.0.0.0/0"),
        ("MICELIO_FRONT_END_NETWORKS", "10.1.0.4/16"),
        ("MICELIO_FRONT_END_NETWORKS", "10.1.0.0/16,8.8.8.0/24"),
        ("MICELIO_FRONT_END_NETWORKS", "10.1.0.0/16,"),
        ("MICELIO_FRONT_END_SECRETS", "s" * 32),
        ("MICELIO_HOST", "127.0.0.1"),
    ],
)
def test_front_end_settings_that_are_unsafe_are_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=name) as caught:
        load({**FRONT_END, name: value})
    assert "s" * 32 not in caught.value.message


def test_variables_of_the_client_may_share_the_environment() -> None:
    """MICELIO_TOKEN and MICELIO_INSTANCE belong to `mic` and are let pass."""
    assert load({"MICELIO_TOKEN": "x", "MICELIO_INSTANCE": "http://localhost:4000"}).port == 4000


def test_file_gives_values_and_environment_wins(tmp_path: Path) -> None:
    """MICELIO_CONFIG names a TOML file of the same names; a variable beats it."""
    file = tmp_path / "micelio.toml"
    file.write_text('PORT = 5000\nGRPC_PORT = 5001\nMICELIO_SIGN_UP = "closed"\n')
    settings = load({"MICELIO_CONFIG": str(file), "PORT": "6000"})
    assert (settings.port, settings.grpc_port, settings.sign_up) == (6000, 5001, "closed")


@pytest.mark.parametrize("text", ["SURPRISE = 1\n", "PORT = [1]\n", "PORT = \n", "SMTP_TLS = true\n"])
def test_file_with_an_unknown_name_or_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    """The file is held to the same rules as the environment, and is named in the sentence."""
    file = tmp_path / "micelio.toml"
    file.write_text(text)
    with pytest.raises(BadSetting, match=r"micelio\.toml"):
        load({"MICELIO_CONFIG": str(file)})


def test_https_address_makes_cookies_secure_and_names_grpc() -> None:
    """Behind a proxy the base URL says how people come."""
    settings = load({"MICELIO_BASE_URL": "https://forge.example.org/"})
    assert settings.base_url == "https://forge.example.org"
    assert settings.secure
    assert settings.grpc_address == "forge.example.org:4001"


BUCKET = {
    "STORAGE_BACKEND": "s3",
    "S3_BUCKET": "projects",
    "S3_REGION": "eu-central-1",
    "S3_ACCESS_KEY_ID": "AKIAEXAMPLE",
    "S3_SECRET_ACCESS_KEY": "s3cr3t",
}


def test_a_bucket_is_described_by_its_settings() -> None:
    """Amazon's by region; another server by its address, path by path unless it is asked for by host name."""
    place = load(BUCKET).s3
    assert place is not None
    assert place.address == "https://s3.eu-central-1.amazonaws.com/projects"
    assert (place.access_key_id, place.secret_access_key, place.session_token) == ("AKIAEXAMPLE", "s3cr3t", "")
    assert (place.virtual_host, place.unsigned) == (False, False)
    other = {"S3_ENDPOINT_URL": "http://127.0.0.1:9000/", "S3_PREFIX": "a/b", "S3_ADDRESSING": "virtual"}
    moved = load(BUCKET | other | {"S3_SESSION_TOKEN": "t", "STORAGE_BACKEND": "tiered"})
    assert moved.s3 is not None
    assert moved.storage == "tiered"
    assert moved.s3.address == "http://127.0.0.1:9000/projects/a/b"
    assert (moved.s3.virtual_host, moved.s3.session_token) == (True, "t")
    assert load({}).s3 is None


def test_credentials_may_come_from_elsewhere_or_be_none() -> None:
    keyless = {name: BUCKET[name] for name in ("STORAGE_BACKEND", "S3_BUCKET", "S3_REGION")}
    found = load(keyless | {"S3_CREDENTIALS": "environment"}).s3
    assert found is not None
    assert (found.access_key_id, found.unsigned) == ("", False)
    nobody = load(keyless | {"S3_CREDENTIALS": "none"}).s3
    assert nobody is not None
    assert nobody.unsigned


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("S3_BUCKET", ""),
        ("S3_BUCKET", "Upper"),
        ("S3_BUCKET", "s3://projects"),
        ("S3_REGION", ""),
        ("S3_REGION", "EU Central"),
        ("S3_ENDPOINT_URL", "127.0.0.1:9000"),
        ("S3_ENDPOINT_URL", "ftp://host"),
        ("S3_ENDPOINT_URL", "https://host/path"),
        ("S3_ENDPOINT_URL", "https://host:99999999"),
        ("S3_ENDPOINT_URL", "https://key:s3cr3t@host"),
        ("S3_PREFIX", "../up"),
        ("S3_PREFIX", "/a"),
        ("S3_ADDRESSING", "maybe"),
        ("S3_CREDENTIALS", "maybe"),
        ("S3_CREDENTIALS", "environment"),
        ("S3_CREDENTIALS", "none"),
        ("S3_ACCESS_KEY_ID", ""),
        ("S3_SECRET_ACCESS_KEY", ""),
        ("S3_SECRET_ACCESS_KEY", "s3cr3t with blanks"),
        ("STORAGE_LOCAL_PATH", "/srv/store"),
    ],
)
def test_a_bucket_that_is_half_described_is_refused(name: str, value: str) -> None:
    """By the name of the setting, and never with a secret in the sentence."""
    with pytest.raises(BadSetting) as caught:
        load(BUCKET | {name: value})
    said = caught.value.message
    assert name in said
    assert said.endswith(".")
    assert "s3cr3t" not in said


def test_settings_do_not_show_the_keys_of_the_bucket() -> None:
    said = repr(load(BUCKET | {"S3_SESSION_TOKEN": "t0k3n"}))
    assert "projects" in said
    for secret in ("AKIAEXAMPLE", "s3cr3t", "t0k3n"):
        assert secret not in said


def test_a_misspelt_setting_of_the_store_is_refused() -> None:
    """Else the data would quietly lie in another place. S3 names of other programs are none of ours on a directory."""
    with pytest.raises(BadSetting, match="STORAGE_BAKEND is not a setting"):
        load({"STORAGE_BAKEND": "s3"})
    with pytest.raises(BadSetting, match="S3_PREFX is not a setting"):
        load({"STORAGE_BACKEND": "s3", "S3_BUCKET": "bucket", "S3_PREFX": "forge"})
    assert load({"S3_PREFX": "of another program"}).storage == "local"


@pytest.mark.parametrize("command", ["rebuild", "networks-off", "verify", "gc"])
def test_help_says_what_a_command_does(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Before its options, as a sentence."""
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    words = capsys.readouterr().out.split("\n\n")[1]
    assert re.match(r"[A-Z][a-z]+ .*\.$", words, re.DOTALL), words
