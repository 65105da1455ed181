"""The places that clash, side by side on a terminal, settled by keys. Loaded only when it is drawn."""

from __future__ import annotations

import os
import tempfile
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Footer, Static

from mic.cli.editor import run_editor
from mic.cli.output import safe
from mic.core.errors import MicError
from mic.core.marked import Choice, Place, chosen

_SIDES = (("ours", "yours (left)"), ("base", "base"), ("theirs", "theirs (right)"))


class Shown(NamedTuple):
    """A file as it is shown: its name, its places, and lines about what the other side meant."""

    name: str
    places: list[Place]
    story: list[str]


class Resolver(App[list[dict[int, bytes]]]):
    """Ends with what was chosen, file by file: lines by the number of their place, from 1; with None when nothing is
    to be written."""

    CSS = """
    #where { padding: 0 1; text-style: bold; }
    #story { padding: 0 1; max-height: 8; color: $text-muted; }
    #sides { height: 1fr; }
    .side { width: 1fr; border: round $primary; padding: 0 1; }
    .chosen { border: heavy $success; }
    #result { height: auto; max-height: 12; border: round $secondary; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,o", "choose('ours')", "yours"),
        Binding("right,t", "choose('theirs')", "theirs"),
        Binding("b", "choose('both')", "both"),
        Binding("a", "choose('base')", "base"),
        Binding("e", "edit", "edit"),
        Binding("u", "unchoose", "take back"),
        Binding("down,n,tab", "step(1)", "next"),
        Binding("up,p,shift+tab", "step(-1)", "previous"),
        Binding("w,enter", "write", "write"),
        Binding("q,escape", "leave", "leave"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, files: list[Shown]) -> None:
        super().__init__()
        self._files = files
        self._stops = [(file, place) for file, shown in enumerate(files) for place in range(len(shown.places))]
        self._at = 0
        self._chosen: dict[tuple[int, int], tuple[str, bytes]] = {}

    def compose(self) -> ComposeResult:
        """Where, what they meant, the three sides, what will stand there."""
        yield Static(id="where")
        yield Static(id="story")
        with Horizontal(id="sides"):
            for side, title in _SIDES:
                with VerticalScroll(id=f"side-{side}", classes="side") as pane:
                    pane.border_title = title
                    yield Static(id=side)
        with VerticalScroll(id="result") as pane:
            pane.border_title = "will stand there"
            yield Static(id="lines")
        yield Footer()

    def on_mount(self) -> None:
        """Draw the first place."""
        self._draw()

    def action_choose(self, side: Choice) -> None:
        """One side for this place; then the next that is not settled."""
        self._chosen[self._stop] = side, chosen(self._place.clash, side)
        self._next_open()
        self._draw()

    def action_unchoose(self) -> None:
        """This place stays marked."""
        self._chosen.pop(self._stop, None)
        self._draw()

    def action_step(self, by: int) -> None:
        """Another place, around the end."""
        self._at = (self._at + by) % len(self._stops)
        self._draw()

    def action_edit(self) -> None:
        """Write this place in an editor, beginning with what is chosen or both sides."""
        begin = self._chosen.get(self._stop, ("both", chosen(self._place.clash, "both")))[1]
        handle, name = tempfile.mkstemp(suffix=os.path.splitext(self._files[self._stop[0]].name)[1][:10])
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(begin)
            with self.suspend():
                run_editor([name])
            with open(name, "rb") as stream:
                self._chosen[self._stop] = "edited", stream.read()
        except MicError as error:
            self.notify(error.message, severity="error", markup=False)
        finally:
            os.unlink(name)
        self._draw()

    def action_write(self) -> None:
        """End, with what was chosen."""
        found: list[dict[int, bytes]] = [{} for _ in self._files]
        for (file, place), (_, lines) in self._chosen.items():
            found[file][place + 1] = lines
        self.exit(found)

    def action_leave(self) -> None:
        """End, with nothing."""
        self.exit(None)

    @property
    def _stop(self) -> tuple[int, int]:
        return self._stops[self._at]

    @property
    def _place(self) -> Place:
        file, place = self._stop
        return self._files[file].places[place]

    def _next_open(self) -> None:
        for step in range(1, len(self._stops)):
            at = (self._at + step) % len(self._stops)
            if self._stops[at] not in self._chosen:
                self._at = at
                return

    def _draw(self) -> None:
        file, place = self._stop
        shown = self._files[file]
        left = len(self._stops) - len(self._chosen)
        self.query_one("#where", Static).update(
            Text(
                f"{safe(shown.name)}, place {place + 1} of {len(shown.places)}; {left} of {len(self._stops)} to settle"
            )
        )
        self.query_one("#story", Static).update(Text(safe("\n".join(shown.story))))
        choice = self._chosen.get(self._stop)
        for side, _ in _SIDES:
            self.query_one(f"#{side}", Static).update(_text(getattr(self._place.clash, side)))
            taken = choice is not None and (choice[0] == side or (choice[0] == "both" and side != "base"))
            self.query_one(f"#side-{side}").set_class(taken, "chosen")
        words = _text(choice[1]) if choice is not None else Text("It stays marked.", style="dim")
        self.query_one("#lines", Static).update(words)


def _text(lines: bytes) -> Text:
    return Text(safe(lines.decode("utf-8", "replace"))) if lines else Text("(nothing)", style="dim")
