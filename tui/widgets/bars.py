"""The line at the top, which says where one is, and the line at the bottom, which says what to press."""

from collections.abc import Callable, Iterable, Sequence

from rich.cells import cell_len
from rich.style import Style
from rich.text import Text
from textual import events
from textual.dom import DOMNode
from textual.strip import Strip
from textual.widget import Widget

from catalog.language import tr
from tui.keymap import EVERYWHERE, Action, key_names
from tui.words import column


class TitleBar(Widget):
    """Where one is, and at the right how things stand."""

    def __init__(self) -> None:
        super().__init__()
        self._place: tuple[str, ...] = ()
        self._facts: tuple[str, ...] = ()

    def show(self, place: Iterable[str], facts: Iterable[str]) -> None:
        """Takes another state; the strings must be safe to show."""
        state = (tuple(place), tuple(fact for fact in facts if fact))
        if state != (self._place, self._facts):
            self._place, self._facts = state
            self.refresh()

    @property
    def plain(self) -> str:
        """What it says."""
        return " > ".join(self._place) + "  " + " | ".join(self._facts)

    def render(self) -> Text:
        """Keeps the facts whole for as long as there is room for them."""
        width = self.size.width - 2
        facts = list(self._facts)
        while len(facts) > 1 and cell_len(" | ".join(facts)) > width * 2 // 3:
            facts.pop()
        right = " | ".join(facts)
        left = column(" > ".join(self._place), max(0, width - cell_len(right) - 1))
        return Text(f" {left} {right} ", no_wrap=True, end="")


class Heading(Widget):
    """The names of a list's columns."""

    def __init__(self, draw: Callable[[int], str]) -> None:
        super().__init__()
        self._draw = draw

    def render(self) -> Text:
        """Draws them for the width there is."""
        return Text(column(self._draw(self.size.width), self.size.width), no_wrap=True, end="")


class HintBar(Widget):
    """The keys that matter here. A click on one does what the key does."""

    COMPONENT_CLASSES = {"hint--key"}  # noqa: RUF012

    def __init__(self, actions: Sequence[Action], *, everywhere: bool = True) -> None:
        super().__init__()
        self._actions = actions
        self._tail = EVERYWHERE if everywhere else ()

    def show(self, actions: Sequence[Action]) -> None:
        """Takes the actions of another place."""
        if actions != self._actions:
            self._actions = actions
            self.refresh()

    def hints(self, width: int) -> list[tuple[str, str, Action]]:
        """Keys, labels and actions that fit; the ones that work everywhere come last and always."""
        tail = [_hint(action) for action in self._tail]
        room = width - sum(map(_cells, tail))
        chosen = []
        for action in self._actions:
            hint = _hint(action)
            if action.hint and room >= _cells(hint):
                chosen.append(hint)
                room -= _cells(hint)
        return [*chosen, *tail]

    def render_line(self, y: int) -> Strip:
        """Draws the hints that fit."""
        width = self.size.width
        key_style = self.get_component_rich_style("hint--key", partial=True)
        text = Text(" ", self.rich_style, end="")
        for key, label, _ in self.hints(width - 2):
            text.append(key, self.rich_style + key_style)
            text.append(f" {label}  ", self.rich_style)
        segments = list(text.render(self.app.console))
        return Strip(segments).adjust_cell_length(width, Style(bgcolor=self.rich_style.bgcolor))

    async def on_click(self, event: events.Click) -> None:
        """Does what the hint under the mouse says."""
        x = 1
        for hint in self.hints(self.size.width - 2):
            if x <= event.x < x + _cells(hint) - 2:
                await self.app.run_action(hint[2].id, self._owner(hint[2]))
                return
            x += _cells(hint)

    def _owner(self, action: Action) -> DOMNode:
        """Who has the action: the focused widget, or else the screen."""
        name = action.id.partition("(")[0]
        focused = self.screen.focused
        return focused if focused and hasattr(focused, f"action_{name}") else self.screen


def _hint(action: Action) -> tuple[str, str, Action]:
    return key_names(action)[0], tr(action.label), action


def _cells(hint: tuple[str, str, Action]) -> int:
    return cell_len(hint[0]) + cell_len(hint[1]) + 3
