"""The room of whoever runs the forge: what its pages show, and what they do short of saying who else runs it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpResponse
from ninja import Query, Router
from pydantic import Field

from micelio.accounts import undelivered
from micelio.accounts.administering import get_account, list_accounts, set_administrator
from micelio.api.answers import begin, nothing, page, said
from micelio.api.confirmed import require_confirmed
from micelio.api.request import ApiRequest
from micelio.api.shapes import WORDS, Asked, AskedPage, Limit, Page, Sent, Told
from micelio.operators import blocks, overview
from micelio.operators.models import REASON_LENGTH
from micelio.operators.settings_view import settings_view
from micelio.organizations.administering import all_organizations
from micelio.projects import administering, limits

router = Router(tags=["operators"])

# What a column of 64 bits holds.
_MOST = (1 << 63) - 1


class Overview(Told):
    """Numbers of the whole forge."""

    accounts: int
    accounts_active: int = Field(description="Those that may sign in.")
    organizations: int
    projects: dict[str, int] = Field(description="By visibility.")
    jobs: dict[str, int] = Field(description="By state.")
    blocks: int = Field(description="In force.")


class Account(Told):
    """An account with what only administrators see."""

    handle: str
    name: str
    email: str
    is_admin: bool
    is_active: bool = Field(description="Whether it may sign in.")
    created_at: datetime
    signed_in_at: datetime | None
    suspended: str = Field(description="Why; empty when it is not.")


class OrganizationRow(Told):
    """An organization: its name and how many are in it."""

    handle: str
    name: str
    members: int
    created_at: datetime


class Limits(Told):
    """The most that there may be of each; 0 is no limit."""

    public_projects: int
    private_projects: int
    stored_bytes: int


class OrganizationUsage(Told):
    """What an organization has, and the most that it may."""

    public_projects: int
    private_projects: int
    stored_bytes: int = Field(description="As of the last look; deleted projects count while they can be restored.")
    limits: Limits


Most = Annotated[int | None, Field(ge=0, le=_MOST, description="0 is no limit, null leaves it to the settings.")]


class LimitsWanted(Sent):
    """All three limits."""

    public_projects: Most
    private_projects: Most
    stored_bytes: Most


class ProjectUsage(Told):
    """That a project exists, and how large it is. What the store does not say is null."""

    owner: str
    handle: str
    visibility: str
    created_at: datetime
    landings: int | None
    files: int | None = Field(description="At the head.")
    bytes: int | None = Field(description="Of the files at the head.")
    stored_bytes: int | None = Field(description="Of all its objects in the store; null before the first look.")
    stored_objects: int | None
    measured_at: datetime | None = Field(description="When the store was last looked at for these two.")


class Block(Told):
    """A block in force: of a network, or of an account."""

    id: str
    network: str
    account: str
    reason: str
    everybody: bool = Field(description="Of a network: also whoever is signed in there.")
    made_by: str
    created_at: datetime
    ends_at: datetime | None = Field(description="null: when it is lifted.")


class BlockList(Told):
    """The newest."""

    items: list[Block]


class BlockWanted(Sent):
    """Whom nothing is taken from any more."""

    target: str = Field(max_length=100, description="An address, a network or a handle.", examples=["192.0.2.0/24"])
    reason: Annotated[str, Field(max_length=REASON_LENGTH, json_schema_extra=WORDS)]
    hours: int = Field(0, ge=0, le=blocks.MOST_HOURS, description="0: until it is lifted.")


class Job(Told):
    """One attempt at work in the background."""

    id: str
    name: str
    attempt: int
    enqueued_at: datetime
    run_after: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    problem: str


class JobList(Told):
    """The newest."""

    items: list[Job]


class JobAgain(Told):
    """What waits to run again."""

    name: str


class Tier(Told):
    """What a tier before the store has answered since the start of this process."""

    name: str
    hits: int
    misses: int
    bytes: int


class Storage(Told):
    """The store, and the newest report of the doctor."""

    address: str
    kind: str
    verdict: str | None = Field(description="null while no report is kept.")
    words: str | None
    disk_total: int | None = Field(description="null for a bucket.")
    disk_free: int | None
    tiers: list[Tier]


class ForgeSettings(Told):
    """What the forge runs with, by the names of its settings; secrets are not told."""

    settings: dict[str, str]


class Letter(Told):
    """A letter that did not go out. What it says may open an account, and is not told here."""

    id: str
    to: str
    subject: str
    created_at: datetime
    expires_at: datetime
    attempts: int
    trouble: str = Field(description="What the mail server said.")
    refused: bool


class LetterList(Told):
    """The newest."""

    items: list[Letter]


class AskedRows(AskedPage):
    """Which rows of a list."""

    find: Annotated[str, Field(max_length=200, description="Only what this is found in.")] = ""


class AskedBlocks(Asked):
    """How many blocks."""

    limit: Limit = 50


class AskedJobs(Asked):
    """Which jobs."""

    limit: Limit = 50
    state: Annotated[Literal["waiting", "running", "failed"], Field(description="Only those in this state.")] = "failed"


@router.get("/admin/overview", response=Overview, summary="Numbers of the whole forge")
def get_overview(request: ApiRequest) -> HttpResponse:
    """Accounts, organizations, projects, jobs and blocks."""
    return said(Overview.model_validate(overview.overview(request.actor), from_attributes=True))


@router.get("/admin/accounts", response=Page[Account], summary="List all accounts")
def list_all_accounts(request: ApiRequest, asked: Query[AskedRows]) -> HttpResponse:
    """By handle; `find` looks in handle, name and address."""
    rows = list_accounts(request.actor, asked.find, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, rows, lambda row: _shape(Account, row), lambda row: row.handle)


@router.get("/admin/accounts/{handle}", response=Account, summary="Look at any account")
def get_any_account(request: ApiRequest, handle: str) -> HttpResponse:
    """A closed one too."""
    return said(_shape(Account, get_account(request.actor, handle)))


@router.put("/admin/accounts/{handle}/administrator", response=Account, summary="Let an account run the forge")
def make_administrator(request: ApiRequest, handle: str) -> HttpResponse:
    """For a browser that has confirmed who uses it; a token makes no administrators."""
    require_confirmed(request)
    return said(_shape(Account, set_administrator(request.actor, handle, True)))


@router.delete("/admin/accounts/{handle}/administrator", response=Account, summary="Let it run the forge no longer")
def end_administrator(request: ApiRequest, handle: str) -> HttpResponse:
    """As to make one. The last administrator stays one."""
    require_confirmed(request)
    return said(_shape(Account, set_administrator(request.actor, handle, False)))


@router.get("/admin/organizations", response=Page[OrganizationRow], summary="List all organizations")
def list_all_organizations(request: ApiRequest, asked: Query[AskedRows]) -> HttpResponse:
    """By handle; `find` looks in handle and name."""
    rows = all_organizations(request.actor, asked.find, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, rows, lambda row: _shape(OrganizationRow, row), lambda row: row.handle)


@router.get("/admin/organizations/{org}", response=OrganizationUsage, summary="What an organization has")
def get_usage(request: ApiRequest, org: str) -> HttpResponse:
    """And the most that it may have."""
    return said(_usage(administering.usage_of(request.actor, org)))


@router.put(
    "/admin/organizations/{org}/limits", response=OrganizationUsage, summary="Say what an organization may have"
)
def put_limits(request: ApiRequest, org: str, body: LimitsWanted) -> HttpResponse:
    """What is there already stays."""
    require_confirmed(request)
    limits.set_limits(request.actor, org, **body.model_dump())
    return said(_usage(administering.usage_of(request.actor, org)))


@router.post("/admin/organizations/{org}/measure", response={202: None}, summary="Look at how much is stored")
def measure_usage(request: ApiRequest, org: str) -> HttpResponse:
    """Soon, in the background, for each of its projects: a look lists all of their objects."""
    require_confirmed(request)
    administering.measure(request.actor, org)
    return HttpResponse(status=202)


@router.get("/admin/projects", response=Page[ProjectUsage], summary="List all projects")
def list_all_projects(request: ApiRequest, asked: Query[AskedRows]) -> HttpResponse:
    """By owner and handle, with what they take; `find` looks in both, or takes `owner/` and a beginning."""
    rows = administering.all_projects(request.actor, asked.find, begin(request, asked) or "", asked.limit + 1)
    return page(request, asked, rows, _project, lambda row: f"{row.owner}/{row.handle}")


@router.get("/admin/blocks", response=BlockList, summary="Who is blocked?")
def list_all_blocks(request: ApiRequest, asked: Query[AskedBlocks]) -> HttpResponse:
    """What is in force, the newest first."""
    return said(BlockList(items=[_block(row) for row in blocks.list_blocks(request.actor, asked.limit)]))


@router.post("/admin/blocks", response={201: Block}, summary="Block an address, a network or an account")
def create_block(request: ApiRequest, body: BlockWanted) -> HttpResponse:
    """Nothing is taken from it through any door. An administrator is not blocked, nor is where you are."""
    require_confirmed(request)
    return said(_block(blocks.block(request.actor, body.target, body.reason, body.hours)), status=201)


@router.delete("/admin/blocks/{uuid:block}", response={204: None}, summary="Lift a block")
def lift_block(request: ApiRequest, block: UUID) -> HttpResponse:
    """The doors are open again."""
    require_confirmed(request)
    blocks.lift(request.actor, block)
    return nothing()


@router.get("/admin/jobs", response=JobList, summary="Work in the background")
def list_jobs(request: ApiRequest, asked: Query[AskedJobs]) -> HttpResponse:
    """What waits, runs or failed, the newest first."""
    rows = overview.jobs(request.actor, asked.state, asked.limit)
    return said(JobList(items=[_shape(Job, row) for row in rows]))


@router.post("/admin/jobs/{uuid:job}/retry", response=JobAgain, summary="Run a failed job again")
def retry_job(request: ApiRequest, job: UUID) -> HttpResponse:
    """From its first attempt; its row goes."""
    require_confirmed(request)
    return said(JobAgain(name=overview.retry_job(request.actor, job)))


@router.get("/admin/storage", response=Storage, summary="The store")
def get_storage(request: ApiRequest) -> HttpResponse:
    """Room on its disk, what the doctor said of it, and what the tiers before it answered."""
    return said(_storage(overview.storage(request.actor)))


@router.post("/admin/storage/examine", response=Storage, summary="Have the doctor look at the store")
def examine_store(request: ApiRequest) -> HttpResponse:
    """Now, which takes some seconds for a bucket."""
    require_confirmed(request)
    overview.examine_store(request.actor)
    return said(_storage(overview.storage(request.actor)))


@router.get("/admin/settings", response=ForgeSettings, summary="What the forge runs with")
def get_settings(request: ApiRequest) -> HttpResponse:
    """As this process has them, without any secret. They are changed where it is started."""
    return said(ForgeSettings(settings={row.name: row.value for row in settings_view(request.actor)}))


@router.get("/admin/letters", response=LetterList, summary="Letters that did not go out")
def list_letters(request: ApiRequest) -> HttpResponse:
    """To whom and why; what they say is on the page alone."""
    return said(LetterList(items=[_shape(Letter, row) for row in undelivered.list_letters(request.actor)]))


@router.post("/admin/letters/{uuid:letter}/send", response={204: None}, summary="Send a letter again")
def send_letter(request: ApiRequest, letter: UUID) -> HttpResponse:
    """Ask the mail server once more."""
    require_confirmed(request)
    undelivered.send_again(request.actor, letter)
    return nothing()


@router.delete("/admin/letters/{uuid:letter}", response={204: None}, summary="A letter has reached its addressee")
def close_letter(request: ApiRequest, letter: UUID) -> HttpResponse:
    """Somebody has handed it over; it leaves the list."""
    require_confirmed(request)
    undelivered.hand_over(request.actor, letter)
    return nothing()


def _shape(kind: type[Any], row: Any) -> Any:
    """A row as it goes out: the fields that its shape names."""
    found = {name: getattr(row, name) for name in kind.model_fields}
    return kind(**{name: str(value) if isinstance(value, UUID) else value for name, value in found.items()})


def _usage(found: limits.Usage) -> OrganizationUsage:
    return OrganizationUsage(**{**found._asdict(), "limits": Limits(**found.limits._asdict())})


def _project(row: administering.ProjectRow) -> ProjectUsage:
    return ProjectUsage(
        owner=row.owner,
        handle=row.handle,
        visibility=row.visibility,
        created_at=row.created_at,
        landings=row.landings,
        files=row.files,
        bytes=row.size,
        stored_bytes=row.stored_bytes,
        stored_objects=row.stored_objects,
        measured_at=row.measured_at,
    )


def _block(row: blocks.BlockView) -> Block:
    made: Block = _shape(Block, row)
    return made


def _storage(found: overview.Storage) -> Storage:
    report = found.report
    return Storage(
        address=found.address,
        kind=found.kind,
        verdict=report.verdict if report else None,
        words=report.words if report else None,
        disk_total=found.disk_total,
        disk_free=found.disk_free,
        tiers=[_shape(Tier, tier) for tier in found.tiers],
    )
