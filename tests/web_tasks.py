"""What people do on the pages, step by step, for whoever does it: with a mouse, without a script, with keys.

A step is the name of a method of `hands.Mouse` and what it is told, or "says" with words that the page
then has, or "sees" with what is to be seen.
In words, {me}, {friend}, {spare}, {org}, {whole} and {code} stand for what the round has made.
"""

from __future__ import annotations

from dataclasses import dataclass

Step = tuple[str, ...]


@dataclass(frozen=True)
class Task:
    """`who`: me, friend, rita (who runs the forge and owns {whole}), or a visitor."""

    name: str
    who: str
    steps: tuple[Step, ...]


def _act(value: str) -> str:
    return f"main button[value={value}]"


def _named(name: str) -> str:
    return f"main [name={name}]"


SAVE = "main form button"
READING: tuple[Task, ...] = (
    Task("search, and only code", "visitor", (
        ("go", "/"), ("fill", "header [name=q]", "hello"), ("enter",), ("says", "readme.txt"),
        ("press", "main a >> text=Code"), ("says", "readme.txt"),
    )),
    Task("from a line to the why of it", "visitor", (
        ("go", "/{story}"), ("press", "main a >> text=src/"), ("press", "main a >> text=auth/"),
        ("press", "main a >> text=tokens.py"), ("press", "main a >> text=blame"),
        ("open", "main .hunk:has(a[href*='/landings/3']) summary"), ("says", "The session"),
        ("press", "main .hunk a[href*='/landings/3']"), ("says", "Sessions in Redis"),
    )),
    Task("differences in every look", "visitor", (
        ("go", "/{story}/-/landings/3"), ("open", "summary >> text=1 deleted line"), ("says", "def hs256"),
        ("press", "main a >> text=Side by side"), ("press", "main a >> text=Ignore spaces"),
        ("press", "main a >> text=One below the other"), ("go", "/{story}/-/landings/3/changes/3"),
        ("press", "main nav a >> text=tests/test_tokens.py"), ("says", "file 4 of 4"),
    )),
    Task("all of a long difference, on one page", "visitor", (
        ("go", "/{story}/-/landings/5"), ("press", "main a >> text=All on one page"),
        ("press", "main a >> text=In parts"),
    )),
    Task("what is no line, or only elsewhere", "visitor", (
        ("go", "/{story}/-/landings/6"), ("says", "renamed from pyproject.toml"),
        ("says", "Binary content: 3.0 KiB before"), ("sees", "figure img"), ("sees", ".diff del.v"),
        ("sees", ".diff ins.v"),
        ("press", "main a >> text=Side by side"), ("sees", ".split ins.v"),
    )),
    Task("landings narrowed down", "visitor", (
        ("go", "/{story}/-/landings"), ("open", "main summary"), ("fill", "main [name=author]", "grace"),
        ("press", "main details button"), ("says", "First light"),
    )),
    Task("two points compared", "visitor", (
        ("go", "/{story}/-/compare/@1...@3"), ("fill", "main [name=from]", "@2"), ("press", "main form button"),
        ("says", "From @2 to @3"), ("press", "main a >> text=the other way round"), ("says", "From @3 to @2"),
    )),
    Task("the files taken away", "visitor", (("go", "/{story}"), ("download", "main a >> text=zip"))),
    Task("branches, tags, contributors, forks, badges", "visitor", (
        ("go", "/{story}/-/landings"), ("press", "main a >> text=Branches"), ("press", "main a >> text=Tags"),
        ("go", "/{story}/-/landings"), ("press", "main a >> text=Contributors"), ("says", "Grace Hopper"),
        ("go", "/{story}"), ("press", "main a >> text=badges"), ("go", "/{story}/-/forks"),
    )),
    Task("explore, docs, changelog, blog", "visitor", (
        ("go", "/-/explore"), ("press", "main a >> text=Moved last"), ("press", "footer a >> text=Docs"),
        ("press", "main a >> text=Getting started"), ("press", "footer a >> text=Changelog"),
        ("press", "footer a >> text=Blog"), ("press", "main a >> nth=0"),
    )),
    Task("a person, an organization", "visitor", (("go", "/@rita"), ("says", "Runs it."), ("go", "/{whole}"))),
    Task("asking for a link, a password, an account", "visitor", (
        ("go", "/-/sign-in"), ("press", "main a >> text=Get a link"), ("fill", "#id_email", "{me}@example.org"),
        ("press", SAVE), ("go", "/-/reset-password"), ("fill", "#id_email", "{me}@example.org"), ("press", SAVE),
        ("go", "/-/sign-up"), ("fill", "#id_email", "{me}-too@example.org"), ("fill", "#id_username", "{me}-too"),
        ("fill", "#id_password1", "{password}"), ("press", SAVE), ("says", "approv"),
    )),
    Task("another language", "visitor", (
        ("go", "/"), ("choose", "footer select", "de"), ("press", "footer form button"), ("says", "Eine Forge"),
    )),
)  # fmt: skip

ACCOUNT: tuple[Task, ...] = (
    Task("in by the first link", "me", (("go", "{once}"), ("press", SAVE))),
    Task("a password", "me", (
        ("go", "/-/account/password"), ("fill", "#id_password", "{password}"), ("press", SAVE), ("says", "Saved."),
    )),
    Task("out, and in by the password", "me", (
        ("go", "/-/account"), ("press", "main button >> text=Sign out"), ("go", "/-/sign-in"),
        ("fill", "#id_login", "{me}"), ("fill", "#id_password", "{password}"), ("press", SAVE),
    )),
    Task("confirming who one is", "me", (
        ("go", "/-/sign-in/again"), ("fill", "#id_password", "{password}"), ("press", SAVE),
    )),
    Task("a name", "me", (("go", "/-/account"), ("fill", _named("name"), "Ada"), ("press", SAVE))),
    Task("a handle", "me", (("go", "/-/account/handle"), ("fill", _named("handle"), "{me}-a"), ("press", SAVE))),
    Task("an address", "me", (
        ("go", "/-/account/e-mail"), ("fill", _named("email"), "{me}@example.org"), ("press", SAVE),
    )),
    Task("what everybody sees", "me", (
        ("go", "/-/account/profile"), ("fill", _named("bio"), "Lands by {hand}."), ("press", _act("update")),
        ("upload", _named("picture"), "{png}"), ("press", _act("picture")), ("press", _act("drawn")),
    )),
    Task("a token made and revoked", "me", (
        ("go", "/-/account/tokens"), ("fill", "#id_name", "ci"), ("tick", "main [name=scopes][value='org:read']"),
        ("press", "main button.main"), ("says", "mic_pat_"), ("go", "/-/account/tokens"),
        ("press", "main form[action$='/revoke'] button"),
    )),
    Task("one's data", "me", (("go", "/-/account/exports"), ("press", _act("start")), ("says", "Your data"))),
    Task("a browser named", "me", (
        ("go", "/-/account/browsers"), ("open", "main summary"), ("fill", _named("name"), "At home"),
        ("press", _act("name")),
    )),
)  # fmt: skip

FACTOR: tuple[Task, ...] = (
    Task("a second factor", "me", (
        ("go", "/-/account/second-factor/app"), ("code", "#id_code"), ("press", SAVE), ("says", "ecovery"),
        ("go", "/-/account/second-factor/recovery/new"), ("press", SAVE),
    )),
    Task("a second factor asked of members", "me", (
        ("go", "/{org}-two/-/second-factor"), ("press", _act("ask")), ("go", "/{org}-two/-/second-factor"),
        ("press", _act("stop")),
    )),
    Task("a second factor, no more", "me", (("go", "/-/account/second-factor/app/stop"), ("press", SAVE))),
    Task("a browser signed out", "me", (
        ("go", "/-/account/browsers"), ("open", "main summary"), ("press", _act("end")),
    )),
)  # fmt: skip

PROJECTS: tuple[Task, ...] = (
    Task("an organization", "me", (
        ("go", "/"), ("press", "main a >> text=New organization"), ("fill", "#handle", "{org}"),
        ("press", _act("create")), ("says", "{org}"),
    )),
    Task("a project", "me", (
        ("go", "/{org}"), ("press", "main a >> text=New project"), ("fill", "#handle", "tool"), ("tick", "#public"),
        ("press", _act("create")),
    )),
    Task("what everybody sees of memberships", "me", (
        ("go", "/-/account/profile"), ("tick", _named("shown")), ("press", _act("memberships")),
    )),
    Task("a star", "me", (
        ("go", "/{whole}/open"), ("press", "main button >> text=Star"), ("go", "/-/account/stars"), ("says", "open"),
    )),
    Task("what a project is", "me", (
        ("go", "/{org}/tool/-/settings"), ("fill", _named("description"), "Told by {hand}"),
        ("fill", _named("topics"), "tools"),
        ("press", _act("details")), ("fill", _named("paths"), "/infra/"), ("press", _act("protect")),
        ("fill", _named("handle"), "kit"), ("press", _act("rename")), ("go", "/{org}/kit"), ("says", "Told by {hand}"),
    )),
    Task("a role in a project", "me", (
        ("go", "/{org}/kit/-/members"), ("fill", _named("whom"), "{friend}"), ("press", _act("add")),
        ("tick", "main [name=member][value={friend}]"), ("choose", "main form:has([name=member]) [name=role]", "admin"),
        ("press", _act("role")), ("tick", "main [name=member][value={friend}]"), ("press", _act("remove")),
    )),
    Task("somebody invited", "me", (
        ("go", "/{org}/-/members"), ("fill", "#whom", "{friend}"), ("press", _act("invite")), ("says", "{friend}"),
    )),
    Task("an invitation accepted", "friend", (
        ("go", "{friend_once}"), ("press", SAVE), ("go", "/-/invitations"), ("press", _act("accept")),
        ("says", "{org}"),
    )),
    Task("a member's role, somebody else invited", "me", (
        ("go", "/{org}/-/members"), ("tick", "main [name=member][value={friend}]"),
        ("choose", "main form:has([name=member]) [name=role]", "admin"), ("press", _act("role")),
        ("fill", "#whom", "{spare}"), ("press", _act("invite")),
    )),
    Task("an invitation declined", "spare", (
        ("go", "{spare_once}"), ("press", SAVE), ("go", "/-/invitations"), ("press", _act("decline")),
    )),
    Task("somebody invited again", "me", (
        ("go", "/{org}/-/members"), ("fill", "#whom", "{spare}"), ("press", _act("invite")),
    )),
    Task("an invitation accepted at last", "spare", (("go", "/-/invitations"), ("press", _act("accept")))),
    Task("a member removed, an invitation taken back", "me", (
        ("go", "/{org}/-/members"), ("tick", "main [name=member][value={spare}]"), ("press", _act("remove")),
        ("fill", "#whom", "{spare}"), ("press", _act("invite")), ("tick", "main [name=invitation]"),
        ("press", _act("take_back")),
    )),
    Task("what an organization is", "me", (
        ("go", "/{org}/-/settings"), ("fill", _named("description"), "By {hand}"), ("press", _act("update")),
        ("upload", _named("picture"), "{png}"), ("press", _act("picture")),
    )),
    Task("where members come from", "me", (
        ("go", "/{org}/-/networks"), ("fill", _named("networks"), "127.0.0.0/8 here"), ("press", SAVE),
        ("says", "here"),
    )),
    Task("an import", "me", (
        ("go", "/-/import"), ("fill", _named("url"), "https://localhost/a/b"), ("choose", _named("provider"), "github"),
        ("fill", _named("handle"), "came"), ("press", _act("begin")), ("go", "/{org}/kit/-/import"),
        ("fill", _named("url"), "https://localhost/a/b"), ("choose", _named("provider"), "github"),
        ("press", _act("again")),
    )),
    Task("a project put away, deleted, restored", "me", (
        ("go", "/{org}/kit/-/settings"), ("press", _act("archive")), ("go", "/{org}/kit/-/settings"),
        ("fill", "main form:has([value=delete]) [name=confirm]", "{org}/kit"), ("press", _act("delete")),
        ("go", "/{org}/-/deleted"), ("press", "main button >> text=Restore"), ("go", "/{org}/kit"),
    )),
    Task("a project and an organization handed over", "me", (
        ("go", "/-/new/organization"), ("fill", "#handle", "{org}-two"), ("press", _act("create")),
        ("go", "/{org}/kit/-/settings"), ("fill", _named("organization"), "{org}-two"),
        ("fill", "main form:has([value=transfer]) [name=confirm]", "{org}/kit"), ("press", _act("transfer")),
        ("go", "/{org}-two/kit"),
        ("go", "/{org}/-/settings"), ("fill", _named("handle"), "{org}-b"), ("press", _act("rename")),
        ("go", "/{org}-b/-/settings"), ("fill", _named("member"), "{friend}"), ("press", _act("transfer")),
        ("go", "/{org}-b/-/members"), ("press", _act("leave")),
    )),
    Task("an organization deleted", "friend", (
        ("go", "/-/new/organization"), ("fill", "#handle", "{org}-c"), ("press", _act("create")),
        ("go", "/{org}-c/-/settings"), ("fill", _named("confirm"), "{org}-c"), ("press", _act("delete")),
    )),
    Task("a secret reported", "me", (
        ("go", "/{whole}/open/-/secrets/report?path={file}&at=2"), ("fill", _named("line"), "1"),
        ("fill", _named("note"), "By {hand}"), ("press", SAVE),
    )),
)  # fmt: skip

RUNNING: tuple[Task, ...] = (
    Task("in as who runs it", "rita", (("go", "{rita_once}"), ("press", SAVE))),
    Task("a device let in", "rita", (("go", "{device}"), ("press", _act("confirm")), ("says", "Connected"))),
    Task("a secret decided", "rita", (
        ("go", "/{whole}/open/-/secrets"), ("tick", "main [name=finding]"), ("tick", "#s-revoked"),
        ("fill", "#reason", "Revoked today"), ("press", "main button >> text=Decide"),
    )),
    Task("addresses blocked and let in", "rita", (
        ("go", "/-/admin/abuse"), ("fill", _named("target"), "198.51.100.{number}"),
        ("fill", _named("reason"), "Crawls"),
        ("press", _act("block")), ("press", _act("lift")),
    )),
    Task("an account suspended and let in", "rita", (
        ("go", "/-/admin/suspended"), ("fill", _named("handle") + ":visible", "{spare}"),
        ("fill", _named("reason"), "Spam"),
        ("press", _act("suspend")), ("press", _act("unsuspend")),
        ("go", "/-/admin/accounts/{spare}"), ("fill", "main form:has([value=suspend]) [name=reason]", "Spam"),
        ("press", _act("suspend")), ("go", "/-/admin/accounts/{friend}"),
        ("fill", "main form:has([value=block]) [name=reason]", "Crawls"), ("press", _act("block")),
        ("go", "/-/admin/accounts/{friend}"), ("press", _act("lift")),
        ("go", "/-/admin/accounts/{friend}"), ("press", _act("promote")),
        ("go", "/-/admin/accounts/{friend}"), ("press", _act("demote")),
    )),
    Task("an invitation to the forge", "rita", (
        ("go", "/-/admin/sign-ups"), ("fill", _named("note"), "for {hand}"), ("press", _act("invite")),
        ("press", _act("withdraw")),
    )),
    Task("limits, storage, legal", "rita", (
        ("go", "/-/admin/organizations/{whole}"), ("press", _act("measure")), ("fill", _named("stored_mb"), "900"),
        ("press", _act("limit")), ("go", "/-/admin/storage"), ("press", _act("examine")), ("go", "/-/admin/legal"),
        ("fill", _named("text"), "# Terms\n\nBy {hand}."), ("press", _act("change")), ("go", "/-/legal"),
        ("says", "By {hand}."),
    )),
    Task("out of the forge as a provider", "rita", (
        ("go", "/-/oauth/logout"), ("press", _act("stay")), ("go", "/-/oauth/logout"), ("press", _act("logout")),
    )),
)  # fmt: skip

TASKS = (*READING, *ACCOUNT, *PROJECTS, *RUNNING, *FACTOR)
