"""The examples of docs/agents/rest.md run as they stand, and the pages that the forge makes of its description."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from forge_process import Forge
from html_check import Document
from micelio.api.description import description

REST = Path(__file__).parents[2] / "docs/agents/rest.md"


def test_the_examples_run(own_forge: Forge) -> None:
    """One after the other, as one shell of an administrator would."""
    blocks = re.findall(r"(?ms)^```sh\n(.*?)^```", REST.read_text())
    script = "".join(blocks).replace("http://localhost:4000", own_forge.base_url)
    script = script.replace("MICELIO_TOKEN=...", f"MICELIO_TOKEN={own_forge.token('ada')}")
    own_forge.run("admin", "users", "make-admin", "ada")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", f"unset http_proxy https_proxy\n{script}"],
        capture_output=True, text=True, check=False, env=own_forge.environment | {"no_proxy": "*"}, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert '"handle":"ada"' in done.stdout
    assert '"position":1' in done.stdout
    assert "hello\nhe" in done.stdout
    assert '"stored_objects":' in done.stdout
    made = re.findall(r'\{"value":"[^"]+"', done.stdout)
    assert len(made) == 2
    assert made[0] == made[1]
    assert '"description":"Says hello"' in done.stdout


def _pages(forge: Forge) -> list[str]:
    parts = sorted({operation["tags"][0] for item in description()["paths"].values() for operation in item.values()})
    return ["/api/docs", "/api/docs/errors", *(f"/api/docs/{part}" for part in parts)]


def test_the_description_is_served(forge: Forge) -> None:
    """The same that is committed, in OpenAPI 3.1."""
    answer = httpx.get(f"{forge.base_url}/api/openapi.json", trust_env=False)
    assert answer.json()["openapi"].startswith("3.1")
    assert answer.content == REST.with_name("openapi.json").read_bytes()
    tag = answer.headers["etag"]
    again = httpx.get(f"{forge.base_url}/api/openapi.json", headers={"If-None-Match": tag}, trust_env=False)
    assert again.status_code == 304


def test_every_act_has_its_place_on_a_page(forge: Forge) -> None:
    """Without a script, of at most 30 KiB as sent, one heading, and an anchor for each act."""
    anchors: set[str] = set()
    for path in _pages(forge):
        with httpx.stream(
            "GET", f"{forge.base_url}{path}", headers={"Accept-Encoding": "gzip"}, trust_env=False
        ) as answer:
            raw = b"".join(answer.iter_raw())
        page = httpx.get(f"{forge.base_url}{path}", trust_env=False)
        assert (page.status_code, len(raw) <= 30 * 1024) == (200, True), (path, len(raw))
        document = Document(page.text)
        assert len(document.all("h1")) == 1
        assert document.all("script") == []
        anchors |= {element.attributes["id"] for element in document.all("section") if "id" in element.attributes}
    operations = {item["operationId"] for methods in description()["paths"].values() for item in methods.values()}
    assert operations <= anchors
    assert httpx.get(f"{forge.base_url}/api/docs/nothing", trust_env=False).status_code == 404


@pytest.mark.parametrize("name", ["a_part", "../x", "x%00"])
def test_parts_that_are_none(forge: Forge, name: str) -> None:
    """Not found, never a failure."""
    assert httpx.get(f"{forge.base_url}/api/docs/{name}", trust_env=False).status_code in (400, 404)


def test_the_description_names_nothing_twice() -> None:
    """Each act and each shape has a name of its own."""
    names = [item["operationId"] for methods in description()["paths"].values() for item in methods.values()]
    assert len(names) == len(set(names))
    assert json.dumps(description()).count('"operationId"') == len(names)
