"""Where an account is signed in: each browser is listed, can be named, and can be signed out from another one."""

from __future__ import annotations

import re

from browser import Browser
from forge_process import Forge


def test_list_name_and_end(forge: Forge) -> None:
    """Of one's own only; who was signed out is signed out at once."""
    forge.token("bella")
    forge.token("carl")
    with Browser(forge.base_url) as one, Browser(forge.base_url) as two, Browser(forge.base_url) as other:
        for browser, handle in ((one, "bella"), (two, "bella"), (other, "carl")):
            browser.headers["User-Agent"] = f"Test/{handle}-{browser is one}"
            browser.sign_in_once(forge.once(handle))
        page = one.get("/-/account/browsers").text
        assert page.count('name="browser"') == 2
        assert page.index("Test/bella-True") < page.index("this one") < page.index("Test/bella-False")
        assert "carl" not in page
        numbers = re.findall(r'name="browser" value="([0-9]+)"', page)
        named = one.submit("/-/account/browsers", browser=numbers[1], act="name", name="The <laptop>")
        assert named.status_code == 302
        assert "The &lt;laptop&gt;" in one.get("/-/account/browsers").text
        assert one.submit("/-/account/browsers", browser=numbers[1], act="name", name="x" * 61).status_code == 400
        for wrong in ("0", "x", "-1", "9" * 30, numbers[1]):
            answer = other.submit("/-/account/browsers", browser=wrong, act="end")
            assert answer.status_code == 404, wrong
        assert two.get("/-/account").status_code == 200
        assert one.submit("/-/account/browsers", browser=numbers[1], act="end").status_code == 302
        assert two.get("/-/account").status_code == 302
        assert one.get("/-/account/browsers").text.count('name="browser"') == 1
        assert "bella signed a browser out of bella" in one.get("/-/account/audit").text
        two.sign_in_once(forge.once("bella"))
        assert one.set_password("one more long phrase").status_code == 302
        assert two.get("/-/account").status_code == 302
        assert one.get("/-/account/browsers").text.count('name="browser"') == 1
    assert Browser(forge.base_url).get("/-/account/browsers").status_code == 302
