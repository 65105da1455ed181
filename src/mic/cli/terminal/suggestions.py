"""What was probably meant by a word that is no command, or by an option that there is not."""

from __future__ import annotations

from collections.abc import Iterable

LONGEST = 60  # characters of a word that is said back
# Below this ratio (difflib's) two words only happen to share letters; further than this behind the best, too.
_ALIKE, _BEHIND = 0.6, 0.1

# Other words for a command: the group answers to them.
OTHER_WORDS = {("mic project", "edit"): "update", ("mic org", "edit"): "update"}
# What people who come from Git type, and what they find here.
GIT_WORDS = {
    "add": "Nothing has to be added: `mic land` lands every change that `mic status` lists.",
    "commit": "`mic land` lands what changed here; `mic session push` saves it without landing it.",
    "merge": "`mic sync` takes in what landed since your base.",
    "mv": "Move the file itself: `mic status` sees it.",
    "pull": "`mic sync` takes in what landed since your base.",
    "rebase": "`mic sync` takes in what landed since your base.",
    "reset": "`mic undo` takes back what changed this workspace last; `mic goto` brings it to another position.",
    "restore": "`mic undo` takes back what changed this workspace last; `mic cat PATH` prints a file as it was.",
    "rm": "Remove the file itself: `mic status` sees it.",
    "stash": "`mic session switch --none` puts the open session aside.",
    "version": "It is `mic --version`.",
}


def alike(word: str, known: Iterable[str]) -> list[str]:
    """Up to three of `known` that look like `word`, the nearest first; none that is much further than the nearest."""
    import difflib  # what nobody needs who types well

    word = word[:LONGEST]
    near = difflib.get_close_matches(word, known, 3, _ALIKE)
    ratios = [difflib.SequenceMatcher(None, each, word).ratio() for each in near]
    return [each for each, ratio in zip(near, ratios, strict=True) if ratio >= ratios[0] - _BEHIND]


def shown(word: str) -> str:
    """A word as it is said back."""
    return word if len(word) <= LONGEST else f"{word[:LONGEST]}..."


def no_such_option(name: str, known: Iterable[str]) -> str:
    """The sentence about an option that there is not, with the ones that look like it."""
    options = {each.lstrip("-"): each for each in known if each.startswith("--")}
    near = [options[each] for each in alike(name.lstrip("-"), options)] if name.startswith("--") else []
    meant = f" Did you mean {' or '.join(repr(each) for each in near)}?" if near else ""
    return f"No such option {shown(name)!r}.{meant}"
