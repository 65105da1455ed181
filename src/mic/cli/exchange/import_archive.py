"""`mic import archive` and `mic export issues`: issues, pull requests and reviews of another forge."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING, Any

import click

from mic.cli.forge.connection import Address, connect, parse_address
from mic.cli.terminal.app import json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, plural, when
from mic.cli.transfer.new_file import new_file
from mic.core.errors import InvalidInput
from mic.rpc.v1 import mic_pb2 as pb

if TYPE_CHECKING:
    from mic.rpc.client import Client

_PROVIDERS = ("github", "gitlab", "gitea", "forgejo")
# Seconds between two looks at how far it is.
_LOOK = 1.0
_NAMES = (
    ("issue", "issue"), ("change", "pull request"), ("comment", "comment"), ("review", "review"),
    ("review_comment", "line remark"), ("label", "label"), ("milestone", "milestone"),
)  # fmt: skip


@click.command(short_help="Fetch issues, pull requests and reviews.")
@click.argument("arguments", metavar="[URL] ORG/PROJECT", nargs=-1)
@click.option(
    "--from", "provider", type=click.Choice(_PROVIDERS), default=None,
    help="What kind of forge that is; needed where the address does not tell it.",
)  # fmt: skip
@click.option("--token-stdin", is_flag=True, help="Read a token of that forge from standard input. It is kept nowhere.")
@click.option("--no-wait", is_flag=True, help="Begin, and do not wait for the end.")
@click.option("--cancel", is_flag=True, help="Stop what is under way, and remove what it has fetched.")
@json_option
def archive(
    out: Output, arguments: tuple[str, ...], provider: str | None, token_stdin: bool, no_wait: bool, cancel: bool
) -> None:
    """Fetch issues, pull requests and reviews of URL into the archive of a project; without URL, say how far that is.

    Again: what changed since, or where it stopped. It goes on at the forge when this command ends.
    """
    if not 1 <= len(arguments) <= 2 or (cancel and len(arguments) == 2):
        raise click.UsageError("Say `URL ORG/PROJECT` to fetch, or ORG/PROJECT alone to see how far it is.")
    if len(arguments) == 2 and os.path.isfile(arguments[0]):
        raise WrongCommandLine(
            f"{arguments[0]} is a file here, and this fetches from the address of another forge.",
            hint=f"`mic import micelio {arguments[0]} {arguments[1]}` takes an archive of a Micelio project.",
        )
    address = parse_address(arguments[-1])
    with connect(address.instance, signed_in=True) as client:
        if cancel:
            answer = client.call(client.projects.CancelForgeArchive, pb.ForgeArchiveRequest(project=address.ref))
        elif len(arguments) == 2:
            token = _token() if token_stdin else ""
            request = pb.StartForgeArchiveRequest(
                project=address.ref, url=arguments[0], provider=provider or "", token=token
            )
            answer = client.call(client.projects.StartForgeArchive, request)
            if not no_wait:
                answer = _wait(client, address, out)
        else:
            answer = client.call(client.projects.GetForgeArchive, pb.ForgeArchiveRequest(project=address.ref))
    _tell(out, address, answer)
    if len(arguments) == 2 and not no_wait and answer.run.state == "failed":
        raise InvalidInput(
            answer.run.error, hint=answer.run.hint or "Run the same command again: it goes on where it stopped."
        )


@click.command("issues", short_help="What another forge knew of it, as JSON Lines.")
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("file", metavar="[FILE]", required=False)
@json_option
def export_issues(out: Output, project: str, file: str | None) -> None:
    """Write what `mic import archive` brought, issues and the like, as JSON Lines, to FILE or to standard output."""
    address = parse_address(project)
    if out.as_json and not file:
        raise click.UsageError("With --json, say which FILE to write.")
    with connect(address.instance) as client:
        chunks = client.stream(client.projects.ExportForgeArchive, pb.ForgeArchiveRequest(project=address.ref))
        if file is None:
            for chunk in chunks:
                out.raw(chunk.data)
            return
        lines, size = _written(file, chunks)
    out.line(f"Wrote {plural(lines, 'line')}, {size:,} bytes, to {file}.")
    out.document({"project": str(address), "file": file, "lines": lines, "bytes": size})


def _written(file: str, chunks: Any) -> tuple[int, int]:
    """Lines and bytes in a new file, which is there when it is whole."""
    lines, size = 0, 0
    with new_file(file) as opened:
        for chunk in chunks:
            opened.write(chunk.data)
            lines += chunk.data.count(b"\n")
            size += len(chunk.data)
    return lines, size


def _token() -> str:
    token = sys.stdin.readline().strip()
    if not token:
        raise InvalidInput("There is no token on standard input.", hint="Put it on the first line.")
    return token


def _wait(client: Client, address: Address, out: Output) -> pb.ForgeArchiveResponse:
    """Until the run has ended. Interrupted, it goes on at the forge."""
    said = ""
    try:
        while True:
            answer: pb.ForgeArchiveResponse = client.call(
                client.projects.GetForgeArchive, pb.ForgeArchiveRequest(project=address.ref)
            )
            if answer.run.state in ("done", "failed", "canceled"):
                return answer
            now = _progress(answer.run)
            if now != said and not out.as_json:
                out.note(now)
                said = now
            time.sleep(_LOOK)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"It goes on at the forge: `mic import archive {address}` says how far it is."
        ) from None


def _progress(run: pb.ForgeArchiveRun) -> str:
    counts = _counts(run.done)
    if run.state == "resting":
        return f"Waiting for the other forge until {when(run.rests_until_ms)}; so far {counts}."
    return f"Fetching {run.stage or 'it'}: {plural(run.pages, 'page')}, {counts}."


def _counts(counts: Any) -> str:
    found = [plural(counts[kind], words) for kind, words in _NAMES if counts.get(kind)]
    return ", ".join(found) or "nothing"


def _tell(out: Output, address: Address, answer: pb.ForgeArchiveResponse) -> None:
    run, found = answer.run, answer.archive
    has_run, has_archive = answer.HasField("run"), answer.HasField("archive")
    if has_run and run.state not in ("done", "failed"):
        ended = "Canceled" if run.state == "canceled" else _progress(run).rstrip(".")
        out.line(f"{ended}: {run.source}" if run.state == "canceled" else f"{ended}, from {run.source}.")
    if has_run and run.state == "failed":
        out.line(f"The last run failed: {run.error}")
    if has_archive:
        out.line(f"{address} has {_counts(found.counts)} of {found.source}.")
        for text in found.warnings:
            out.line(f"  {text}")
    elif not has_run:
        out.line(f"Nothing of another forge was fetched into {address}.")
    if has_run and run.state == "done":
        out.line(f"Next: mic export issues {address} FILE")
    out.document(
        {
            "project": str(address),
            "archive": {
                "provider": found.provider, "source": found.source, "fetched_at_ms": found.fetched_at_ms,
                "counts": dict(found.counts), "warnings": list(found.warnings), "size": found.size,
            } if has_archive else None,
            "run": {
                "id": run.id, "provider": run.provider, "source": run.source, "state": run.state, "stage": run.stage,
                "pages": run.pages, "done": dict(run.done), "warnings": run.warnings,
                "rests_until_ms": run.rests_until_ms, "error_code": run.error_code, "error": run.error,
                "hint": run.hint,
            } if has_run else None,
        }
    )  # fmt: skip
