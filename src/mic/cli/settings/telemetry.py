"""Counts of commands, for whoever wants to tell them: off until somebody turns it on, and shown word for word.

Two things have to be there: `telemetry.enabled` in the settings, and the file of counts that `mic config set` makes
with it. Without the file, which is one look at a name, nothing is loaded, counted or sent. What is sent goes to
`telemetry.address`; there is none by default, and then the counts stay here.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from mic.workspace.place import write_file

if TYPE_CHECKING:
    from mic.cli.settings.user_config import TelemetryConfig

# Days that are kept when nobody takes them.
_DAYS = 30
_SECONDS = 5.0


def path() -> str:
    """The file of counts; it is there only where somebody turned telemetry on."""
    base = os.environ.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return os.path.join(base, "mic", "telemetry.json")


def note(argv: list[str], code: int) -> None:
    """Counts a command that ended with this exit code, and sends what earlier days counted. Never an error."""
    if not os.path.lexists(path()):
        return
    from mic.cli.settings.user_config import telemetry_config
    from mic.core.errors import MicError

    with contextlib.suppress(MicError, OSError, ValueError):
        config = telemetry_config()
        if not config.enabled:
            return
        days = _read()
        today = _today()
        _count(days.setdefault(today, {}), argv, code)
        _write({day: days[day] for day in sorted(days)[-_DAYS:]})
        if config.address and any(day < today for day in days):
            _send_beside(config)


def body() -> bytes:
    """What the next sending would send, to the byte: the days before today. Today's is sent tomorrow."""
    import json

    from mic.cli.settings.release import platform_here
    from mic.version import VERSION

    today = _today()
    days = {day: counts for day, counts in _read().items() if day < today}
    return json.dumps({"format": 1, "mic": VERSION, "platform": platform_here(), "days": days}, indent=1).encode()


def turn(on: bool) -> None:
    """Makes the file of counts, or removes it with all that it holds."""
    if on and not os.path.lexists(path()):
        _write({})
    elif not on:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path())


def send(config: TelemetryConfig) -> bool:
    """Sends the days before today, and forgets them once they were taken; whether they were."""
    import urllib.request

    if not config.enabled or not config.address.startswith(("https://", "http://localhost:", "http://127.0.0.1:")):
        return False
    data, sent = body(), [day for day in _read() if day < _today()]
    if not sent:
        return False
    request = urllib.request.Request(config.address, data, {"Content-Type": "application/json"})  # noqa: S310  # see above
    with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
        if answer.status >= 300:
            return False
    _write({day: counts for day, counts in _read().items() if day not in sent})
    return True


def _send_beside(config: TelemetryConfig) -> None:
    """Sends from a process of its own: nobody waits for it."""
    if not hasattr(os, "fork") or os.fork():
        return
    try:
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(nothing, number)
        send(config)
    finally:
        os._exit(0)


def _count(counts: dict[str, Any], argv: list[str], code: int) -> None:
    from mic.cli.table import COMMANDS

    # A word of the table, never one that a person typed.
    name = argv[0] if argv and argv[0] in COMMANDS else "other"
    found = counts.setdefault(name, {"runs": 0, "exit_codes": {}})
    found["runs"] += 1
    found["exit_codes"][str(code)] = found["exit_codes"].get(str(code), 0) + 1


def _today() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).date().isoformat()


def _read() -> dict[str, Any]:
    import json

    try:
        with open(path(), "rb") as file:
            found = json.loads(file.read(1 << 20))
    except (FileNotFoundError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _write(days: dict[str, Any]) -> None:
    import json

    os.makedirs(os.path.dirname(path()), mode=0o700, exist_ok=True)
    folder, name = os.path.split(os.fsencode(path()))
    write_file(folder, name, json.dumps(days).encode())
