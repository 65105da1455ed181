"""The end of a wide story: both people come to rest, and then everything is on the forge and a clone has it."""

from __future__ import annotations

import json

from sequences.places import Place, Wrong, difference, split
from sequences.wide import Wide, named, said_in

# As many commands as the way to rest may take.
_ROUNDS = 20
_MARKERS = (b"<<<<<<<", b"|||||||", b"=======", b">>>>>>>")
_STATES = ("active", "queued", "conflicted", "abandoned", "landed")


def come_to_rest(machine: Wide, place: Place) -> None:
    """As somebody would who does what `mic status` says: what is here lands, or is put aside. Raises Wrong."""
    place.on_line = True
    for _ in range(_ROUNDS):
        found = place.status()
        if found["undo_stopped"]:
            # One of them goes on; the other is refused.
            if machine.run(place, "undo"):
                machine.run(place, "redo")
            continue
        gone = found["branch"] not in ("main", *machine.branches())
        if gone and found["queued"]:
            machine.run(place, "land", "--wait")
        elif gone and found["pending"]:
            machine.run(place, "pending", "drop", place.first_waiting())
        elif gone and found["session"]:
            machine.run(place, "session", "abandon")
        elif gone:
            if machine.run(place, "branch", "switch", "main"):
                return  # what was changed here stands in the way, and nothing may be taken from it
        elif found["incomplete"] or found["sync_stopped"] or found["pending"] or found["queued"]:
            # 2: what waits can never be sent, and the forge's reason names this way out.
            if machine.run(place, "sync") == 2 and place.status()["pending"]:
                machine.run(place, "pending", "drop", place.first_waiting())
        elif open_here := [each["path"] for each in found["conflicts"] if each["marked"] or each["held"]]:
            machine.run(place, "resolve", "--strategy", "union")
            for path in {*open_here} & {each["path"] for each in place.status()["conflicts"]}:
                if machine.run(place, "resolve", named(path), "--strategy", "ours") == 2:
                    _mend(machine, place, path)
        elif found["session"] and (place.session()["based_on"] or not found["changes"]):
            # What it stands on may have been given up, or wait in the other working copy.
            machine.run(place, "session", "push", "--force")
            if machine.run(place, "session", "switch", "--none"):
                machine.run(place, "session", "abandon")
        elif found["changes"]:
            landed = machine.run(place, "land", *([] if found["session"] else ["Rest"]), loses=False)
            if landed == 2 and found["sparse"] is not None:
                _bring_all(machine, place)
            elif landed and machine.run(place, "sync") == 0 and found["sparse"] is not None:
                # It clashed with what is not here, of which a sync brings nothing.
                _bring_all(machine, place)
        elif found["branch"] != "main":
            machine.run(place, "branch", "switch", "main")
        elif found["sparse"] is not None:
            machine.run(place, "sparse", "all")
        elif found["position"] != machine.head():
            machine.run(place, "sync")
        else:
            break
    else:
        raise Wrong(f"{place.name} does not come to rest: {place.status()}")
    if place.disk() != machine.trees.get(machine.head(), {}):
        raise Wrong(f"at rest: {difference(machine.trees.get(machine.head(), {}), place.disk())}")


def _bring_all(machine: Wide, place: Place) -> None:
    """Something was changed outside of what is here. Files that stand in the way are put aside meanwhile, by hand."""
    if machine.run(place, "sparse", "all") != 3:
        return
    aside = {each["path"]: place.disk()[each["path"]] for each in place.status()["changes"] if each["op"] != "deleted"}
    machine.story.append(f"{place.name}: put aside {sorted(aside)}")
    for path in aside:
        (place.folder / path).unlink()
    machine.run(place, "sparse", "all")
    for path, data in aside.items():
        place.write(path, data)


def _mend(machine: Wide, place: Place, path: str) -> None:
    """Take what is left of markers out by hand, as the refusal says."""
    shape, data = split(place.disk().get(path, b""))
    machine.story.append(f"{place.name}: take the markers out of {path}")
    place.write(path, shape + b"\n".join(line for line in data.split(b"\n") if not line.startswith(_MARKERS)))
    machine.run(place, "resolve", named(path))


def check_clone(machine: Wide, outside: Place, project: str) -> None:
    """A new clone is the newest position, and what was said is in the sessions of the project. Raises Wrong."""
    code, out, err = outside.mic("clone", project, "new")
    clone = Place("new", outside.folder / "new", outside.environment)
    if code or clone.disk() != machine.trees.get(machine.head(), {}):
        raise Wrong(f"clone: {code} {err} {difference(machine.trees.get(machine.head(), {}), clone.disk())}")
    places = [clone]
    for name in machine.branches():
        code, out, err = outside.mic("clone", f"{project}@{name}", name)
        if code:
            raise Wrong(f"clone of {name}: {code} {out} {err}")
        places.append(Place(name, outside.folder / name, outside.environment))
    missing = set(machine.owed)
    for place in places:
        for state in _STATES:
            if missing:
                missing -= _said(place, state)
                if state == "landed":
                    # Landed in one working copy, and still open in another: what was said there came too late.
                    missing -= {word for word in missing if len(machine.open_in[machine.owed[word]]) > 1}
    if missing:
        raise Wrong(f"{sorted(missing)} was said, and is in no session")


def _said(place: Place, state: str) -> set[str]:
    """What was said in all sessions of this state."""
    code, out, err = place.mic("session", "list", "--state", state, "-n", "1000", "--json")
    if code:
        raise Wrong(f"sessions that are {state}: {code} {err}")
    found = set[str]()
    for item in json.loads(out)["sessions"]:
        code, out, err = place.mic("session", "show", item["id"], "--json")
        if code:
            raise Wrong(f"session show {item['id']}: {code} {out} {err}")
        session = json.loads(out)["session"]
        found |= said_in(session) | {session["goal"]}
    return found
