"""`mic cache`: what this machine keeps of contents that were fetched, and throwing it away."""

from __future__ import annotations

import click

from mic.cli.settings.user_config import cache_config
from mic.cli.terminal.app import SETTINGS, Suggesting, json_option
from mic.cli.terminal.output import Output, in_units, plural
from mic.cli.transfer.content_cache import cache_folder, open_disk


@click.group(cls=Suggesting, context_settings=SETTINGS)
def cache() -> None:
    """What is kept on this machine of contents that were fetched. It can always be thrown away."""


@cache.command(short_help="Where it is")
@json_option
def path(out: Output) -> None:
    """The folder of the cache."""
    out.line(cache_folder())
    out.document({"path": cache_folder()})


@cache.command(short_help="How much it holds")
@json_option
def size(out: Output) -> None:
    """Files and bytes in the cache, and the most that it may hold."""
    config = cache_config()
    used = open_disk(config).used()
    off = "" if config.enabled else " It is not in use: [cache] says enabled = false."
    out.line(f"{plural(used.files, 'file')}, {in_units(used.bytes)} of at most {in_units(config.max_bytes)}.{off}")
    out.document({"files": used.files, "bytes": used.bytes, "max_bytes": config.max_bytes, "enabled": config.enabled})


@cache.command(short_help="Throw it away")
@json_option
def clear(out: Output) -> None:
    """Throw everything in the cache away; what is needed is fetched again."""
    dropped = open_disk(cache_config()).clear()
    out.line(f"Dropped {plural(dropped.files, 'file')}, {dropped.bytes:,} bytes.")
    out.document({"files": dropped.files, "bytes": dropped.bytes})
