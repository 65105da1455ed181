"""What each code means, for the page that problems link to and for their titles.

The texts are those of docs/users/errors.md, as plain text; a test compares the two.
"""

from __future__ import annotations

from typing import NamedTuple


class Meaning(NamedTuple):
    """A title of a few words, what happened, and what to do."""

    short: str
    meaning: str
    fix: str


MEANINGS = {
    "invalid_input": Meaning(
        "This cannot be meant that way",
        "something that was sent cannot be meant that way",
        "correct the argument that the message names",
    ),
    "invalid_path": Meaning(
        "No tree can hold this path",
        "a path that no tree can hold: empty, absolute, with `..` or a NUL byte, or longer than 16,384 bytes",
        "rename the file",
    ),
    "not_found": Meaning(
        "Nothing here",
        "it does not exist, or you may not know that it does",
        "check the spelling; check that you are signed in and a member",
    ),
    "already_exists": Meaning(
        "Taken, or made before",
        "the name is taken, or the thing was made before",
        "choose another name, or use what is there",
    ),
    "precondition_failed": Meaning(
        "It changed in between",
        "it changed between reading and writing",
        "repeat the command; nothing was written",
    ),
    "not_empty": Meaning(
        "It still holds something",
        "what you want to delete still holds something: an organization its projects; nothing was deleted",
        "delete or move what it holds first",
    ),
    "unavailable": Meaning(
        "Not reachable at the moment",
        "the store, the forge or the network did not answer",
        "repeat later; every command is safe to repeat",
    ),
    "storage_full": Meaning(
        "No space left",
        "no space where the object should be written; nothing was changed",
        "free space on the forge (or on your disk, the message says which), then repeat",
    ),
    "unsafe_store": Meaning(
        "The store is not safe to write",
        "the forge's store was examined and is not safe to land on, or too slow for it; it is read and not written",
        "tell whoever runs the forge; they run `micelio store doctor`",
    ),
    "corrupt_object": Meaning(
        "Something is damaged",
        "stored bytes are missing or not what their name promises; the message names the project, "
        "the log of the forge the object",
        "tell whoever runs the forge; they restore that object from a backup",
    ),
    "unauthenticated": Meaning(
        "Sign in first",
        "no token, or one that is wrong, expired or revoked",
        "`mic auth login`; if MICELIO_TOKEN is set, unset or replace it",
    ),
    "confirmation_needed": Meaning(
        "Confirmation needed",
        "a browser signed in a while ago asks for something that cannot be taken back, or a token for what takes "
        "protection from others",
        "confirm at `/-/sign-in/again`, or use a token; for the latter, do it on the page that the message names",
    ),
    "permission_denied": Meaning(
        "Not allowed",
        "you may see it but not do this to it",
        "ask an admin of the organization",
    ),
    "rate_limited": Meaning(
        "Too many requests",
        "more requests than your address, account or token may make; the answer says when the next "
        "is taken (`Retry-After`, `grpc-retry-pushback-ms`)",
        "wait that long; `mic` does so by itself",
    ),
    "blocked": Meaning(
        "Blocked",
        "the forge takes nothing from this address or account, for a time or until it is lifted; the message says why",
        "ask whoever runs the forge",
    ),
    "archived": Meaning(
        "Archived",
        "the project is archived: everything in it can be read, and nothing lands",
        "ask an admin of its owner to take it out of the archive",
    ),
    "protected": Meaning(
        "Others land here",
        "others land on this line, or on these paths; the message says who, and what says so",
        "ask one of them, see Who lands where",
    ),
    "invalid_owners": Meaning(
        "The owners cannot be read",
        "the list of owners that the session brings along cannot be read; the message has the line",
        "mend it, see Who lands where",
    ),
    "limit_reached": Meaning(
        "As much as it may have",
        "the organization has as many projects, or stores as much, as it may; the message says which",
        "delete what nobody needs, or ask whoever runs the forge for more",
    ),
    "too_large": Meaning(
        "Too large",
        "a stated limit was passed; the message names the limit",
        "send less at once, or split the file",
    ),
    "conflict": Meaning(
        "It clashes with what landed",
        "the session clashes with what landed since its base",
        "see Conflicts",
    ),
    "secret_found": Meaning(
        "It holds what looks like a secret",
        "a content of the session or of an imported history looks like it holds a secret; nothing of it landed",
        "take it out and revoke it, or allow the finding",
    ),
    "not_text": Meaning(
        "It has no lines",
        "lines were asked about of what has none: a directory, a link, a binary file",
        "ask about a text file",
    ),
    "upload_expired": Meaning(
        "It is no longer kept",
        "what was uploaded was not landed within a week; or an export's file was there for a day, or was taken away",
        "upload its contents again, then land (`mic land` does both), or export again",
    ),
    "erased": Meaning(
        "The content was erased",
        "the content was erased from the project: a leaked secret, a takedown, or a person's request; it cannot be"
        " read, and may not be stored there again",
        "leave it out, or put another content in its place",
    ),
    "nothing_to_land": Meaning(
        "Nothing to land",
        "the session has no change",
        "change something, or abandon it",
    ),
    "base_mismatch": Meaning(
        "The base is another",
        "the base that the session claims is not what the project held there",
        "`mic sync`, then land again; if it comes back, report it",
    ),
    "busy": Meaning(
        "Somebody else holds it",
        "somebody else holds the thing, for instance another `mic` command in this workspace",
        "wait for the other command, then repeat",
    ),
    "queue_full": Meaning(
        "The queue is full",
        "as many landings wait for this project as may (1,000, or 256 MiB); nothing was accepted",
        "land without `--async`, or repeat later",
    ),
    "key_reused": Meaning(
        "The key was used for something else",
        "only in REST: an `Idempotency-Key` came again within a day, with another request",
        "use a new key for another request",
    ),
    "method_not_allowed": Meaning(
        "Not this way",
        "only in REST: there is such an address, and it does not take this method",
        "use one of those that `Allow` names",
    ),
    "internal": Meaning(
        "Something broke",
        "a fault in mic or the forge, not in what you did",
        "report it with the message; nothing half done is left behind",
    ),
}
