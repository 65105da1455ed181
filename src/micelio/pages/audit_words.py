"""What each act of the audit log is called on a page."""

from __future__ import annotations

import re
from typing import Any

from micelio.pages.text import cut, one_line

# How a ref of Git moved: an id, or nothing where there was or is no such ref.
_OID = re.compile(r"([0-9a-f]{40})?")
ACTS = {
    "account.create": "made the account",
    "account.update": "changed the account",
    "account.profile": "changed the profile of",
    "account.picture": "changed the picture of",
    "account.language": "chose a language for",
    "account.memberships": "changed which memberships everybody sees of",
    "account.address": "changed the address of",
    "account.address_asked": "asked for another address of",
    "account.address_confirmed": "confirmed the address of",
    "account.password": "changed the password of",
    "account.password_reset": "set, by a link, a new password for",
    "account.approve": "approved the account",
    "account.decline": "declined the account",
    "account.unconfirmed": "removed, as nobody had confirmed its address, the account",
    "account.suspend": "suspended",
    "account.unsuspend": "opened again",
    "account.connect": "let another site sign in to",
    "account.disconnect": "let another site no longer sign in to",
    "invitation.create": "made an invitation:",
    "invitation.withdraw": "withdrew the invitation",
    "invitation.use": "used the invitation",
    "mail.read": "read the undelivered letter",
    "mail.hand_over": "handed over the letter",
    "mail.again": "had sent again the letter",
    "account.rename": "gave another handle to the account",
    "account.link": "made a sign-in link for",
    "account.link_mailed": "asked for a sign-in link for",
    "account.link_used": "used a sign-in link for",
    "account.sign_in": "signed in as",
    "account.sign_in_failed": "failed to sign in as",
    "account.sign_out": "signed out as",
    "second_factor.add": "added a second factor to",
    "second_factor.remove": "removed a second factor from",
    "second_factor.remove_all": "removed all second factors from",
    "second_factor.reset": "made new recovery codes for",
    "second_factor.use": "used a second factor of",
    "second_factor.fail": "failed at the second factor of",
    "account.end_browser": "signed a browser out of",
    "account.token": "made a token for",
    "token.create": "made the token",
    "token.renew": "renewed the token",
    "token.revoke": "revoked the token",
    "token.revoke_all": "revoked tokens of",
    "token.family_end": "ended, for a used refresh token came back, a sign-in of",
    "organization.create": "made the organization",
    "organization.update": "changed the organization",
    "organization.profile": "changed the profile of",
    "organization.picture": "changed the picture of",
    "organization.rename": "gave another handle to",
    "organization.transfer": "handed over",
    "organization.delete": "deleted the organization",
    "organization.invite": "invited somebody to",
    "organization.revoke_invitation": "took back an invitation to",
    "organization.join": "joined",
    "organization.decline": "declined an invitation to",
    "organization.role": "gave a role in",
    "organization.second_factor": "changed whether a second factor is asked for in",
    "organization.networks": "said from where members come to",
    "organization.remove": "removed a member of",
    "token.new_address": "used from a new address a token of",
    "audit.export": "exported the log of",
    "project.read": "read the private project",
    "organization.leave": "left",
    "project.create": "made the project",
    "project.update": "changed the project",
    "project.member": "gave a role in",
    "project.member_remove": "took a role away in",
    "project.delete": "deleted the project",
    "project.undelete": "took back the deletion of",
    "project.rename": "gave another handle to",
    "project.transfer": "gave away the project",
    "project.receive": "received the project",
    "project.archive": "archived the project",
    "project.unarchive": "took out of the archive",
    "project.protect": "said who may land in",
    "organization.limit": "limited",
    "project.import_start": "began to import into",
    "project.import": "imported a history into",
    "project.import_archive": "made of an archive",
    "project.export": "exported",
    "account.export": "exported what is held about",
    "project.archive_start": "began to fetch issues and pull requests into",
    "project.archive_cancel": "stopped fetching issues and pull requests into",
    "project.push": "pushed commits to",
    "project.refs": "moved Git refs of",
    "project.restore": "restored the project",
    "session.start": "started a session in",
    "session.land": "landed",
    "session.push": "saved the work of a session in",
    "session.queue": "asked to land later in",
    "session.conflict": "met conflicts in",
    "session.abandon": "gave up a session in",
    "account.admin": "changed who runs the forge:",
    "account.remove": "removed for good the account",
    "purge.ask": "asked for an erasure in",
    "purge.confirm": "confirmed an erasure in",
    "purge.withdraw": "withdrew an erasure in",
    "purge.done": "erased something in",
    "block.create": "blocked",
    "block.lift": "lifted the block of",
    "job.retry": "tried again the job",
    "legal.change": "changed",
    "secret.allow": "let a finding land in",
    "secret.accept_history": "let a history with findings into",
    "secret.found": "found, by newer rules, secrets in",
    "secret.report": "reported a secret in",
    "secret.decide": "decided about findings in",
}


def act_words(action: str) -> str:
    """The act as a verb that its object follows; the bare code for an act of a later version."""
    return ACTS.get(action, action)


def detail(value: Any) -> str:
    """A detail of an event in words: what JSON holds is not what people read."""
    match value:
        case dict():
            return ", ".join(f"{key} {detail(part)}" for key, part in value.items()) or "none"
        case [str(old), str(new)] if _OID.fullmatch(old) and _OID.fullmatch(new):
            return f"{old[:7] or 'nothing'} \u2192 {new[:7] or 'nothing'}"
        case list():
            return ", ".join(map(detail, value)) or "none"
        case bool():
            return "yes" if value else "no"
        case None | "":
            return "none"
    return one_line(cut(str(value), 120))
