"""The places that clash, side by side on a terminal, settled by keys. Loaded only when it is drawn."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import tempfile
from typing import ClassVar, Literal, NamedTuple

from rich.text import Text
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widgets import Static

from mic.cli.terminal.editor import run_editor
from mic.cli.terminal.output import safe
from mic.cli.working_copy.place_text import as_text, plain_endings
from mic.core.errors import MicError
from mic.core.marked import Choice, Place, chosen

_SIDES = (("ours", "yours (left)"), ("base", "base"), ("theirs", "theirs (right)"))
_KEYS = (
    ("o", "yours"), ("t", "theirs"), ("b", "both"), ("a", "base"), ("e", "edit"), ("u", "take back"), ("n", "next"),
    ("p", "previous"), ("PgUp PgDn", "scroll"), ("w", "write"), ("q", "leave"),
)  # fmt: skip


class Shown(NamedTuple):
    """A file as it is shown: its name, its places, and lines about what the other side meant."""

    name: str
    places: list[Place]
    story: list[str]


class Resolver(App[list[dict[int, bytes]]]):
    """Ends with what was chosen, file by file: lines by the number of their place, from 1; with None when nothing is
    to be written."""

    CSS = """
    #where { padding: 0 1; max-height: 3; text-style: bold; }
    #story { padding: 0 1; max-height: 8; color: $text-muted; }
    #sides { height: 1fr; }
    .side { width: 1fr; border: round $primary; padding: 0 1; }
    .chosen { border: heavy $success; }
    #result { height: auto; max-height: 12; border: round $secondary; padding: 0 1; }
    #keys { padding: 0 1; }
    .-low #where { max-height: 1; }
    .-low #story { display: none; }
    .-low #result { height: 3; }
    """
    # Below so many lines of a window the places come first, and what the other side meant is left to `mic resolve`.
    VERTICAL_BREAKPOINTS = [(0, "-low"), (18, "-high")]  # noqa: RUF012  # as App has it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,o", "choose('ours')"),
        Binding("right,t", "choose('theirs')"),
        Binding("b", "choose('both')"),
        Binding("a", "choose('base')"),
        Binding("e", "edit"),
        Binding("u", "unchoose"),
        # Before the screen, which would move a focus that nothing here has.
        Binding("down,n,tab", "step(1)", priority=True),
        Binding("up,p,shift+tab", "step(-1)", priority=True),
        Binding("pagedown,space", "page('down')"),
        Binding("pageup", "page('up')"),
        Binding("w,enter", "write"),
        Binding("q,escape,ctrl+q", "leave", priority=True),
        Binding("ctrl+c", "interrupt", priority=True),
        Binding("ctrl+z", "suspend_process"),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, files: list[Shown]) -> None:
        super().__init__()
        self._files = files
        self._stops = [(file, place) for file, shown in enumerate(files) for place in range(len(shown.places))]
        self._at = 0
        self._chosen: dict[tuple[int, int], tuple[str, bytes]] = {}
        self._asked = False
        self.ended_by = 0
        """The signal that ended it, 0 when none did."""

    def compose(self) -> ComposeResult:
        """Where, what they meant, the three sides, what will stand there."""
        yield Static(id="where")
        yield Static(id="story")
        with Horizontal(id="sides"):
            for side, title in _SIDES:
                with VerticalScroll(id=f"side-{side}", classes="side", can_focus=False) as pane:
                    pane.border_title = title
                    yield Static(id=side)
        with VerticalScroll(id="result", can_focus=False) as pane:
            pane.border_title = "will stand there"
            yield Static(id="lines")
        # Not a Footer, which cuts off what does not fit into one line: how to write and to leave is said last.
        yield Static(_keys(), id="keys")

    def on_mount(self) -> None:
        """Draw the first place."""
        # Ended from outside, it leaves the terminal as it was. Not everywhere are there such signals.
        with contextlib.suppress(NotImplementedError, RuntimeError, ValueError):
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._end_by, signal.SIGTERM)
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

    def action_page(self, way: Literal["up", "down"]) -> None:
        """A page further in all three sides."""
        for side, _ in _SIDES:
            pane = self.query_one(f"#side-{side}", VerticalScroll)
            (pane.scroll_page_down if way == "down" else pane.scroll_page_up)(animate=False)

    def action_edit(self) -> None:
        """Write this place in an editor, beginning with what is chosen or both sides."""
        failed: MicError | None = None
        begin = self._chosen.get(self._stop, ("both", chosen(self._place.clash, "both")))[1]
        handle, name = tempfile.mkstemp(suffix=os.path.splitext(self._files[self._stop[0]].name)[1][:10])
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(begin)
            with self.suspend():
                try:
                    run_editor([name])
                except MicError as error:
                    # Caught in here: the screen is taken back only when nothing is raised.
                    failed = error
            if failed is None:
                with open(name, "rb") as stream:
                    lines = stream.read()
                if lines and not lines.endswith(b"\n") and begin.endswith(b"\n"):
                    lines += b"\n"  # else the line behind the place would go on where this one ends
                self._chosen[self._stop] = "edited", lines
            else:
                self.notify(safe(f"{failed.message} {failed.hint}"), severity="error", markup=False)
        except OSError as error:
            self.notify(safe(f"{error.strerror}: the file that was edited"), severity="error", markup=False)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(name)
        self._draw()

    def action_write(self) -> None:
        """End, with what was chosen."""
        found: list[dict[int, bytes]] = [{} for _ in self._files]
        for (file, place), (_, lines) in self._chosen.items():
            found[file][place + 1] = lines
        self.exit(found)

    def action_leave(self) -> None:
        """End, with nothing; asks once more where something was chosen."""
        if self._chosen and not self._asked:
            self._asked = True
            many = f"{len(self._chosen)} places are" if len(self._chosen) > 1 else "1 place is"
            self.notify(f"{many} chosen and not written: w writes, q once more leaves.", severity="warning")
        else:
            self.exit(None)

    def action_interrupt(self) -> None:
        """End, with nothing, as Ctrl-C ends other commands."""
        self._end_by(signal.SIGINT)

    def _end_by(self, number: int) -> None:
        self.ended_by = number
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
        self._asked = False
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
        plain = plain_endings(self._place.clash)
        for side, _ in _SIDES:
            self.query_one(f"#{side}", Static).update(_text(getattr(self._place.clash, side), plain))
            pane = self.query_one(f"#side-{side}", VerticalScroll)
            pane.scroll_home(animate=False)
            taken = choice is not None and (choice[0] == side or (choice[0] == "both" and side != "base"))
            pane.set_class(taken, "chosen")
        words = _text(choice[1], plain) if choice is not None else Text("It stays marked.", style="dim")
        self.query_one("#lines", Static).update(words)


def _text(lines: bytes, plain: bool) -> Text:
    return Text(safe(as_text(lines, plain))) if lines else Text("(nothing)", style="dim")


def _keys() -> Text:
    """The keys and what they do, to be broken between them only."""
    return Text("  ").join(
        Text.assemble((key.replace(" ", "\u00a0"), "bold"), "\u00a0" + does.replace(" ", "\u00a0"))
        for key, does in _KEYS
    )
