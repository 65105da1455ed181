"""`mic project`: make, fork, change, list, delete and restore projects."""

from __future__ import annotations

from typing import Any

import click

from mic.cli.forge.connection import Address, connect, instance_option, named_instance, parse_address
from mic.cli.forge.credentials import token_for
from mic.cli.forge.roles import ADMINISTERING
from mic.cli.history.explore import explore
from mic.cli.people.project_members import members
from mic.cli.people.protection import protect
from mic.cli.terminal.app import Suggesting, json_option
from mic.cli.terminal.exit_codes import WrongCommandLine
from mic.cli.terminal.output import Output, iso, plural, when
from mic.cli.terminal.typed import typed
from mic.core.errors import PermissionDenied
from mic.rpc.v1 import mic_pb2 as pb


@click.group(cls=Suggesting)
def projects() -> None:
    """Make, fork, change, list, delete and restore projects."""


@projects.command(short_help="Make an empty project, or a fork.")
@click.argument("project", metavar="ORG/PROJECT")
@click.option("--name", default="", help="What people call it; default: the handle.")
@click.option("--description", default="", help="One sentence about it.")
@click.option(
    "--visibility", type=click.Choice(["private", "public"]), default="private", show_default=True,
    help="Who may see it.",
)  # fmt: skip
@click.option("--fork", metavar="ORG/PROJECT", default="", help="Begin with the history of this project.")
@click.option("--init", is_flag=True, help="Make the folder here its working copy, and land what is in it.")
@json_option
def create(out: Output, project: str, name: str, description: str, visibility: str, fork: str, init: bool) -> int:
    """Make an empty project, or a fork, in an organization that you administer.

    With --init the folder here becomes its working copy, as `mic init` makes it, and its files are the first landing.
    """
    if init and fork:
        raise click.UsageError("--init and --fork exclude each other: a fork begins with the files of its origin.")
    address = parse_address(project)
    if init:
        from mic.cli.working_copy.link import init_project  # with all that lands

        made, here, code = init_project(out, address, name, description, visibility)
        out.document({"project": project_fields(made), **here})
        return code
    origin = _same_instance(parse_address(fork), address) if fork else None
    with connect(address.instance, signed_in=True) as client:
        request = pb.CreateProjectRequest(
            organization=address.organization,
            handle=address.project,
            name=name,
            description=description,
            visibility=visibility,
            fork_from=str(origin) if origin else "",
        )
        made = client.call(client.projects.CreateProject, request).project
    of = f", a fork of {origin} @{made.fork_position}" if origin else ""
    out.line(f"Made the {made.visibility} project {made.organization}/{made.handle}{of}.")
    out.document({"project": project_fields(made)})
    return 0


def _same_instance(origin: Address, address: Address) -> Address:
    if origin.instance != address.instance:
        raise WrongCommandLine(
            f"{origin} is on {origin.instance}, {address} on {address.instance}.",
            hint="A fork is on the instance of its origin.",
        )
    return origin


@projects.command(short_help="One project: what it is, and where it stands.")
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def show(out: Output, project: str) -> None:
    """One project: what it is, where it stands, what it was forked from."""
    address = parse_address(project)
    with connect(address.instance) as client:
        found = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
    archived = f"  archived {when(found.archived_at_ms)}" if found.archived_at_ms else ""
    out.line(f"{out.paint(f'{found.organization}/{found.handle}', 'bold')}  {found.visibility}{archived}")
    if found.name != found.handle:
        out.line(found.name)
    if found.description:
        out.line(found.description)
    if found.topics:
        out.line(f"topics: {' '.join(found.topics)}")
    out.line(f"{plural(found.head_position, 'landing')}, made {when(found.created_at_ms)}")
    if found.HasField("fork_position"):
        out.line(f"forked{f' from {found.forked_from}' if found.forked_from else ''} @{found.fork_position}")
    if found.forks:
        out.line(plural(found.forks, "fork"))
    if found.stars:
        out.line(f"{plural(found.stars, 'star')}{', one of them yours' if found.starred else ''}")
    out.document({"project": project_fields(found)})


@projects.command(short_help="Change what a project is called, or who may see it.")
@click.argument("project", metavar="ORG/PROJECT")
@click.option("--name", default=None, help="What people call it.")
@click.option("--description", default=None, help="One sentence about it.")
@click.option("--visibility", type=click.Choice(["private", "public"]), help="Who may see it.")
@click.option("--public", is_flag=True, help="Let everybody see it.")
@click.option("--private", is_flag=True, help="Let only members see it.")
@click.option("--topic", "topics", multiple=True, metavar="WORD", help="Find it by this; again for more. Replaces all.")
@click.option("--no-topics", is_flag=True, help="Take its topics away.")
@json_option
def update(
    out: Output, project: str, name: str | None, description: str | None, visibility: str | None, public: bool,
    private: bool, topics: tuple[str, ...], no_topics: bool,
) -> None:  # fmt: skip
    """Change what a project is called, by what it is found or who may see it."""
    address = parse_address(project)
    asked = {visibility} - {None} | ({"public"} if public else set()) | ({"private"} if private else set())
    if len(asked) > 1:
        raise click.UsageError("A project cannot be public and private.")
    if topics and no_topics:
        raise click.UsageError("--topic and --no-topics contradict each other.")
    if name is None and description is None and not (asked or topics or no_topics):
        raise click.UsageError("Say what to change: --name, --description, --topic or --visibility.")
    visibility = next(iter(asked), None)
    request = pb.UpdateProjectRequest(project=address.ref, name=name, description=description, visibility=visibility)
    if topics or no_topics:
        request.topics.names.extend(topics)
        request.topics.SetInParent()
    with connect(address.instance, signed_in=True) as client:
        made = client.call(client.projects.UpdateProject, request).project
    out.line(f"{made.organization}/{made.handle} is {made.visibility}: {made.name}.")
    if made.description:
        out.line(made.description)
    if made.topics:
        out.line(f"topics: {' '.join(made.topics)}")
    out.document({"project": project_fields(made)})


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def delete(out: Output, project: str, yes: bool) -> None:
    """Delete a project and its history. For 7 days `mic project restore` takes it back. Forks of it stay."""
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        found = client.call(client.projects.GetProject, pb.GetProjectRequest(project=address.ref)).project
        address = address._replace(organization=found.organization, project=found.handle)
        if found.role not in ADMINISTERING:
            raise PermissionDenied(
                f"Only admins of {address} may delete it.", hint=f"Ask an admin of {address.organization}."
            )
        if not yes:
            _confirm(address, found.head_position)
        answer = client.call(client.projects.DeleteProject, pb.DeleteProjectRequest(project=address.ref))
    stay = f" {plural(answer.forks, 'fork')} of it {'stay' if answer.forks > 1 else 'stays'}." if answer.forks else ""
    out.line(f"Deleted {address}.{stay}")
    document: dict[str, Any] = {"deleted": str(address), "forks": answer.forks}
    if answer.restorable_until_ms:
        out.line(f"Until {when(answer.restorable_until_ms)} `mic project restore {address}` takes that back.")
        document["restorable_until"] = iso(answer.restorable_until_ms)
    out.document(document)


def _confirm(address: Address, landings: int) -> None:
    """The name must be typed; raises WrongCommandLine when it was not."""
    click.echo(f"{address} with {plural(landings, 'landing')} will be gone for everybody.", err=True)
    typed(str(address), "name")


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def restore(out: Output, project: str) -> None:
    """Take a deletion back. `mic project deleted ORG` lists what can be restored."""
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        made = client.call(client.projects.RestoreProject, pb.RestoreProjectRequest(project=address.ref)).project
    out.line(f"{made.organization}/{made.handle} is there again, {made.visibility}, @{made.head_position}.")
    out.document({"project": project_fields(made)})


@projects.command()
@click.argument("organization", metavar="ORG")
@instance_option
@json_option
def deleted(out: Output, organization: str, instance: str | None) -> None:
    """What an organization that you administer can restore."""
    found: list[pb.DeletedProject] = []
    with connect(named_instance(instance), signed_in=True) as client:
        request = pb.ListDeletedProjectsRequest(organization=organization.lower(), page_size=1000)
        while True:
            page = client.call(client.projects.ListDeletedProjects, request)
            found.extend(page.projects)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not found:
        out.line(f"{organization.lower()} has no deleted project that can be restored.")
    for item in found:
        until = when(item.restorable_until_ms)
        out.line(f"{item.organization}/{item.handle}  deleted by {item.deleted_by}, can be restored until {until}")
    rows = [
        {
            "project": f"{item.organization}/{item.handle}",
            "name": item.name,
            "visibility": item.visibility,
            "deleted_at": iso(item.deleted_at_ms),
            "deleted_by": item.deleted_by,
            "restorable_until": iso(item.restorable_until_ms),
        }
        for item in found
    ]
    out.document({"deleted": rows})


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("handle", metavar="HANDLE")
@json_option
def rename(out: Output, project: str, handle: str) -> None:
    """Give a project another handle. The address before leads to it."""
    address = parse_address(project)
    request = pb.RenameProjectRequest(project=address.ref, handle=handle)
    with connect(address.instance, signed_in=True) as client:
        made = client.call(client.projects.RenameProject, request).project
    _is_now(out, address, made)


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@click.argument("new", metavar="ORG[/HANDLE]")
@json_option
def transfer(out: Output, project: str, new: str) -> None:
    """Give a project to another organization; you administer both. The address before leads to it."""
    address = parse_address(project)
    organization, _, handle = new.strip().lower().partition("/")
    request = pb.TransferProjectRequest(project=address.ref, organization=organization, handle=handle)
    with connect(address.instance, signed_in=True) as client:
        made = client.call(client.projects.TransferProject, request).project
    _is_now(out, address, made)


def _is_now(out: Output, address: Address, made: pb.Project) -> None:
    out.line(f"{address} is {made.organization}/{made.handle} now. The old address leads there.")
    out.document({"project": project_fields(made), "before": str(address)})


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def archive(out: Output, project: str) -> None:
    """Let nothing land in a project any more. Everything in it is read as before."""
    made = _archived(project, undo=False)
    out.line(f"{made.organization}/{made.handle} is archived: nothing lands in it, everything can be read.")
    out.document({"project": project_fields(made)})


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def unarchive(out: Output, project: str) -> None:
    """Let sessions land in an archived project again."""
    made = _archived(project, undo=True)
    out.line(f"{made.organization}/{made.handle} is not archived: sessions land in it.")
    out.document({"project": project_fields(made)})


def _archived(project: str, undo: bool) -> pb.Project:
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        request = pb.ArchiveProjectRequest(project=address.ref, undo=undo)
        made: pb.Project = client.call(client.projects.ArchiveProject, request).project
    return made


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def star(out: Output, project: str) -> None:
    """Mark a project to find it again with `mic project stars`."""
    _star(out, project, "StarProject")


@projects.command()
@click.argument("project", metavar="ORG/PROJECT")
@json_option
def unstar(out: Output, project: str) -> None:
    """Take your star from a project."""
    _star(out, project, "UnstarProject")


def _star(out: Output, project: str, method: str) -> None:
    address = parse_address(project)
    with connect(address.instance, signed_in=True) as client:
        found = client.call(getattr(client.projects, method), pb.StarProjectRequest(project=address.ref))
    out.line(f"{address} has {plural(found.stars, 'star')}{', one of them yours' if found.starred else ''}.")
    out.document({"project": str(address), "stars": found.stars, "starred": found.starred})


@projects.command()
@instance_option
@json_option
def stars(out: Output, instance: str | None) -> None:
    """The projects that you have starred, the newest star first."""
    found: list[pb.Project] = []
    with connect(named_instance(instance), signed_in=True) as client:
        request = pb.ListStarsRequest(page_size=1000)
        while True:
            page = client.call(client.projects.ListStars, request)
            found.extend(page.projects)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not found:
        out.line("You have starred no project. `mic project star ORG/PROJECT` does.")
    for item in found:
        out.line(f"{item.organization}/{item.handle}  {item.description}".rstrip())
    out.document({"projects": [project_fields(item) for item in found]})


projects.add_command(protect)


@projects.command("list", short_help="The projects that you may see.")
@click.argument("organization", required=False, default="")
@instance_option
@json_option
def list_(out: Output, organization: str, instance: str | None) -> None:
    """The projects that you may see; with ORGANIZATION, only its own. Who is not signed in sees the public ones."""
    chosen = named_instance(instance)
    found: list[pb.Project] = []
    with connect(chosen) as client:
        request = pb.ListProjectsRequest(organization=organization.lower(), page_size=1000)
        while True:
            page = client.call(client.projects.ListProjects, request)
            found.extend(page.projects)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
    if not found:
        signed_in = bool(token_for(chosen))
        step = "`mic import git PATH ORG/PROJECT` brings one in" if signed_in else "`mic auth login` shows yours too"
        out.line(f"There is no {'project that you may see' if signed_in else 'public project'}. {step}.")
    width = max((len(item.organization) + len(item.handle) + 1 for item in found), default=0)
    for item in found:
        name = f"{item.organization}/{item.handle}"
        out.line(f"{name:<{width}}  {item.visibility:<7}  {item.description}".rstrip())
    out.document({"projects": [project_fields(item) for item in found]})


projects.add_command(explore)
projects.add_command(members)


def project_fields(item: pb.Project) -> dict[str, Any]:
    """A project in JSON. The head is there only where a single project was asked for."""
    fields: dict[str, Any] = {
        "id": item.id,
        "organization": item.organization,
        "handle": item.handle,
        "name": item.name,
        "description": item.description,
        "visibility": item.visibility,
        "role": item.role,
        "created_at": iso(item.created_at_ms),
        "archived_at": iso(item.archived_at_ms) if item.archived_at_ms else None,
        "topics": list(item.topics),
    }
    if item.head_tree:
        fields["head"] = {"position": item.head_position, "tree": item.head_tree.hex()}
        fields["forks"] = item.forks
        fields["stars"], fields["starred"] = item.stars, item.starred
    if item.HasField("fork_position"):
        fields["fork"] = {"from": item.forked_from or None, "position": item.fork_position}
    return fields
