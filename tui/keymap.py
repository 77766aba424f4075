"""Every action with its keys: the bindings, the hint bar and the help are all made from this table.

An action has a letter and, since an input method holds letters back, a key that is none.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that a person can do in one place."""

    id: str
    """The Textual action, with its namespace where that is not the widget that binds it.

    Empty for what the help tells of and no key does.
    """
    keys: str
    """Textual key names, the one that is shown first; without an action, what one types."""
    label: str
    """An English message id."""
    hint: bool = False
    """Whether the hint bar has it."""
    priority: bool = False
    """Whether it goes before the focused widget."""


KEY_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "down": "Down",
    "up": "Up",
    "pagedown": "PgDn",
    "pageup": "PgUp",
    "home": "Home",
    "end": "End",
    "left": "Left",
    "right": "Right",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "backspace": "Backspace",
    "tab": "Tab",
    "delete": "Del",
}
"""How keys are written for people."""

EVERYWHERE = (
    Action("app.help", "question_mark,f1", "help", hint=True),
    Action("app.leave", "q,f10", "quit", hint=True),
)
MOVES = (
    Action("move(1)", "j,down", "down"),
    Action("move(-1)", "k,up", "up"),
    Action("half_page(1)", "ctrl+d", "half a page down"),
    Action("half_page(-1)", "ctrl+u", "half a page up"),
    Action("page(1)", "pagedown", "a page down"),
    Action("page(-1)", "pageup", "a page up"),
    Action("first", "g,home", "first row"),
    Action("last", "G,end", "last row"),
)
MARKS = (
    Action("mark", "space", "mark", hint=True),
    Action("mark_all", "a", "mark all"),
    Action("unmark_all", "A", "clear the marks"),
)
TEXTS = (
    Action("screen.edit", "e,f8", "edit", hint=True),
    Action("screen.undo", "u", "undo", hint=True),
    Action("screen.recaption", "r,f5", "caption again", hint=True),
)
CATALOG = (
    Action("screen.open", "enter,l,right", "scenes", hint=True),
    Action("screen.search", "slash,f6,ctrl+f", "search", hint=True),
    *TEXTS,
    *MARKS,
    Action("screen.queue", "2,f3", "queue", hint=True),
    Action("screen.scroll_preview(1)", "J", "preview down"),
    Action("screen.scroll_preview(-1)", "K", "preview up"),
    Action("screen.back", "escape,backspace", "one step back"),
)
VIDEO = (
    *TEXTS,
    Action("screen.neighbour(-1)", "left_square_bracket,left", "previous video", hint=True),
    Action("screen.neighbour(1)", "right_square_bracket,right", "next video", hint=True),
    Action("screen.scroll_preview(1)", "J", "preview down"),
    Action("screen.scroll_preview(-1)", "K", "preview up"),
    Action("screen.queue", "2,f3", "queue"),
    Action("screen.back", "escape,backspace,1,f2", "back", hint=True),
)
QUEUE = (
    Action("screen.pause", "p", "pause or go on", hint=True),
    Action("screen.cancel", "x,delete", "cancel", hint=True),
    Action("screen.retry", "R,f5", "retry", hint=True),
    *MARKS,
    Action("screen.open", "enter", "scenes", hint=True),
    Action("screen.back", "escape,backspace,1,f2", "back", hint=True),
)
SEARCH_BOX = (
    Action("screen.to_results", "down,enter", "to the results", hint=True),
    Action("clear", "ctrl+u", "clear", hint=True),
    Action("screen.leave_search", "escape", "to the list", hint=True),
)
SEARCH_SYNTAX = (
    Action("", "강아지 공원", "both words in any form; below, texts with one of them"),
    Action("", '"빨간 우산"', "side by side, however they are spaced"),
    Action("", '-고양이  -"흰 눈"', "without"),
    Action("", "강아지 OR 고양이", "either"),
    Action("", "path:제주  경로:제주", "in the path"),
    Action("", "folder:여행  폴더:여행", "in a folder of that name"),
    Action(
        "",
        "status:failed  상태:실패",
        "queued, running, captioned, needs_review, failed, dead, offline",
    ),
    Action("", "model:demo  모델:demo", "captioned by that model"),
    Action("", "tag:겨울  태그:겨울", "with that tag"),
    Action("", "after:2026-11  이후:어제", "recorded, else added, on that day or later"),
    Action("", "before:2026  이전:지난달", "before that day"),
    Action("", "len:>60  길이:1분..5분", "longer than 60 seconds; from 1 to 5 minutes"),
    Action("", "has:edit  있음:수정", "also caption, note, proposal, tag"),
    Action("", "is:needs_review", "also edited, photo, and every status"),
    Action("", "-tag:겨울", "each of these turned round"),
    Action("", "ㄱㅇㅈ", "a word by its initials"),
    Action("", "rkddkwl", "강아지 typed in the other keyboard mode"),
    Action("", "synonyms.txt", "your own synonyms, a group a line, beside config.toml"),
)
"""What the search box understands. Anything else is text, so no query is wrong."""
EDITOR = (
    Action("save", "ctrl+s,f9", "save", hint=True, priority=True),
    Action("cancel", "escape,ctrl+q,f10", "cancel", hint=True, priority=True),
)
RECAPTION = (
    Action("start", "f9", "start", hint=True, priority=True),
    Action("app.focus_next", "tab", "next field", hint=True),
    Action("cancel", "escape", "cancel", hint=True, priority=True),
)
UNSAVED = (
    Action("answer('save')", "s,f9,ctrl+s", "save", hint=True),
    Action("answer('discard')", "d", "discard", hint=True),
    Action("answer('stay')", "escape", "go on editing", hint=True),
)
CONFLICT = (
    Action("answer('overwrite')", "s,f9", "save mine", hint=True),
    Action("answer('discard')", "d", "keep the other one", hint=True),
    Action("answer('stay')", "escape", "go on editing", hint=True),
)
READING = (Action("close", "escape,q,question_mark,f1,enter", "close", hint=True),)


def bindings(actions: Iterable[Action]) -> list[Binding]:
    """What Textual binds."""
    return [
        Binding(action.keys, action.id, action.label, show=False, priority=action.priority)
        for action in actions
    ]


def key_name(key: str) -> str:
    """A key as people write it, such as `Ctrl+S`."""
    *modifiers, last = key.split("+")
    name = KEY_NAMES.get(last, last.upper() if len(last) > 1 or modifiers else last)
    return "+".join([*(modifier.capitalize() for modifier in modifiers), name])


def key_names(action: Action) -> list[str]:
    """Every key of an action as people write it; what one types where there is no action."""
    if not action.id:
        return [action.keys]
    return [key_name(key) for key in action.keys.split(",")]
