"""What is known of the row under the cursor: picture, caption, scenes, errors."""

from collections.abc import Iterator

from rich.style import Style
from rich.text import Text
from textual.app import ComposeResult
from textual.containers import Vertical

from catalog.language import tr
from catalog.review import in_words
from catalog.terminal import status_word
from catalog.views import CaptionView, JobView, VideoView
from tui.safe_text import shown
from tui.thumbnails import Picture
from tui.widgets.scene_list import Subject
from tui.widgets.text_pane import Paragraph, TextPane
from tui.widgets.thumbnail import Thumbnail
from tui.words import advice, clock, error_word, local_time

HEAD = Style(bold=True)
DIM = Style(dim=True)


class Preview(Vertical):
    """A picture above text."""

    def __init__(self, widget_id: str) -> None:
        super().__init__(id=widget_id)
        self._picture = Thumbnail("picture")
        self._text = TextPane("about")

    def compose(self) -> ComposeResult:
        """The two parts."""
        yield self._picture
        yield self._text

    def show_nothing(self) -> None:
        """Shows an empty pane."""
        self._picture.show(None)
        self._text.show([])

    def show_video(
        self, view: VideoView, picture: Picture | None, scene_id: int | None, *, top: bool
    ) -> None:
        """Shows all of a video. A scene that is named stands out."""
        self._picture.show(picture)
        self._text.show(list(about_video(view, scene_id)), top=top)

    def show_subject(self, view: VideoView, subject: Subject, picture: Picture | None) -> None:
        """Shows one text of a video, and where it came from."""
        self._picture.show(picture)
        self._text.show(list(about_subject(view, subject)))

    def scroll_lines(self, lines: int) -> None:
        """Scrolls the text."""
        self._text.action_scroll_lines(lines)


def about_video(view: VideoView, scene_id: int | None = None) -> Iterator[Paragraph]:
    """Name, caption, error and scenes of a video."""
    yield Text(shown(view.title), HEAD)
    yield Text(_facts(view), DIM)
    yield Text()
    yield from _error(view.job)
    yield from _caption(view.caption, tr("Caption"), view.job)
    if not view.scenes:
        return
    yield Text()
    yield Text(tr("Scenes: {count}", count=len(view.scenes)), HEAD)
    for scene in view.scenes:
        note = "-" if scene.note is None else shown(scene.note.text, lines=True)
        here = scene.id == scene_id
        head = f"{'>' if here else ' '}{clock(scene.start):>6}  "
        yield head, Text(" ".join(note.split()), HEAD if here else "")


def about_subject(view: VideoView, subject: Subject) -> Iterator[Text]:
    """One text of a video with its origin, and what else is known."""
    scene = subject.scene
    if scene is None:
        yield Text(_facts(view), DIM)
        yield Text(shown(view.path), DIM)
        yield Text()
        yield from _error(view.job)
        yield from _caption(subject.text, tr("Caption"), view.job)
        return
    yield Text(f"{clock(scene.start)} - {clock(scene.end)}", DIM)
    yield Text()
    yield from _caption(subject.text, tr("Scene note"), view.job)


def _facts(view: VideoView) -> str:
    facts = [status_word(view.status), clock(view.duration)]
    if view.width and view.height:
        facts.append(f"{view.width}x{view.height}")
    if view.codec:
        facts.append(shown(view.codec))
    if view.tags:
        facts.append(shown(", ".join(view.tags)))
    return " | ".join(facts)


def _error(job: JobView | None) -> Iterator[Text]:
    if job is None or job.state not in ("failed", "dead") or job.error_code is None:
        return
    yield Text(f"! {error_word(job.error_code)}", HEAD)
    yield Text(advice(job.error_code))
    yield Text(shown(job.error_message or "", lines=True), DIM)
    yield Text()


def _caption(text: CaptionView | None, title: str, job: JobView | None) -> Iterator[Text]:
    if text is None:
        waits = job is not None and job.state in ("queued", "running")
        yield Text(title, HEAD)
        yield Text(tr("No text yet: it is in the queue.") if waits else tr("No text yet."), DIM)
        return
    yield Text(title, HEAD)
    yield Text(_origin(text), DIM)
    for line in shown(text.text, lines=True).split("\n"):
        yield Text(line)
    if text.review:
        reasons = ", ".join(in_words(reason) for reason in text.review)
        yield Text(tr("Please look at it: {reasons}", reasons=shown(reasons)), DIM)


def _origin(text: CaptionView) -> str:
    when = local_time(text.created_at)
    if text.origin == "human":
        return f"{tr('edited by a person')}, {when}"
    parts = [shown(text.model) or tr("model")]
    if text.frames:
        parts.append(tr("{count} frames", count=len(text.frames)))
    return ", ".join([*parts, when])
