"""What is asked about one video, and what becomes of the answers: checked texts, ready to be stored."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from catalog.captions import Draft
from catalog.prompts import (
    CAPTION,
    MERGE,
    NOTE,
    PHOTO,
    Facts,
    Template,
    custom,
    for_photo,
    note_after,
    render_tags,
    render_title,
    wants_previous_note,
)
from catalog.schema import Origin
from catalog.settings import Settings
from daemon import media
from daemon.captioner import ladder
from daemon.captioner.base import Answer, Engine, Pictures, Question
from daemon.captioner.ladder import Checked, Request
from daemon.captioner.titles import parse_tags, parse_title

MERGED_AT_ONCE = 6
"""So many notes go into one prompt; more are merged in rounds."""


@dataclass(frozen=True, slots=True)
class Texts:
    """Asks for the texts of one video."""

    path: Path
    recorded_at: str
    prompt: str
    """A person's prompt for this job or folder; empty for the built-in ones."""
    glossary: str
    captioner: Engine
    settings: Settings
    should_stop: Callable[[], bool]

    @property
    def one_after_the_other(self) -> bool:
        """Whether each note shows the one before to the model."""
        return wants_previous_note(self._note_template("…"))

    def note(self, frames: media.Frames, seconds: float, previous: str = "") -> Request:
        """Asks for the note on a scene so many seconds long."""
        return self._about(self._note_template(previous), frames, seconds, previous)

    def caption(self, frames: media.Frames, seconds: float) -> Request:
        """Asks for the caption of a video out of its frames."""
        return self._about(custom(self.prompt) if self.prompt else CAPTION, frames, seconds)

    def photo(self, picture: Pictures) -> Request:
        """Asks for the caption of a still picture, of shape (height, width, 3)."""
        template = for_photo(custom(self.prompt)) if self.prompt else PHOTO
        return ladder.about_pictures(template, self._facts(0.0, ()), None, stills=(picture,))

    def _note_template(self, previous: str) -> Template:
        if self.prompt:
            return custom(self.prompt)
        return note_after(previous) if self.settings.previous_note else NOTE

    def _about(
        self, template: Template, frames: media.Frames, seconds: float, previous: str = ""
    ) -> Request:
        facts = self._facts(seconds, frames.times, previous)
        return ladder.about_pictures(template, facts, frames.images)

    def _facts(self, seconds: float, times: Sequence[float], previous: str = "") -> Facts:
        return Facts(
            duration=seconds,
            times=times,
            folder=self.path.parent.name,
            filename=self.path.stem,
            recorded_at=self.recorded_at,
            previous_note=previous,
            glossary=self.glossary,
        )

    def ask(self, requests: Sequence[Request]) -> list[Checked]:
        """Asks and checks. Raises as `Captioner.answer` does."""
        return ladder.ask(
            self.captioner,
            requests,
            should_stop=self.should_stop,
            retries=self.settings.korean_retries,
        )

    def check(self, requests: Sequence[Request], answers: Sequence[Answer]) -> list[Checked]:
        """Checks answers, and asks again where they are no good. Raises as `Captioner.answer` does."""
        return ladder.check(
            self.captioner,
            requests,
            answers,
            should_stop=self.should_stop,
            retries=self.settings.korean_retries,
        )

    def draft(self, template: str, checked: Checked, times: Sequence[float]) -> Draft:
        """A checked text on its way into the catalog; `times` are those of all frames asked about."""
        shown = range(len(times)) if checked.shown is None else checked.shown
        identity = self.captioner.identity
        return Draft(
            text=checked.text,
            origin=Origin.MODEL,
            model=identity.model,
            quantization=identity.quantization,
            prompt=template,
            frames=[round(times[place], 3) for place in shown],
            provenance={**identity.versions, **checked.provenance},
            review=checked.review,
        )

    def merged(self, notes: Sequence[str], times: Sequence[float]) -> Draft:
        """The caption of a whole video, out of the notes on its scenes."""
        return self.draft(MERGE.key, self._merged(notes), times)

    def _merged(self, notes: Sequence[str]) -> Checked:
        """Merges in rounds until one text is left, so that a video may have any number of scenes."""
        groups = _even_groups(notes, MERGED_AT_ONCE)
        requests = [ladder.about_notes(it, glossary=self.glossary) for it in groups if len(it) > 1]
        told = iter(self.ask(requests))
        merged = [next(told) if len(group) > 1 else None for group in groups]
        if len(merged) == 1 and merged[0] is not None:
            return merged[0]
        texts = [
            one.text if one is not None else group[0]
            for one, group in zip(merged, groups, strict=True)
        ]
        return self._merged(texts)

    def title_and_tags(self, caption: str) -> tuple[str | None, list[str]]:
        """A title and keywords for a caption; None and nothing where the model has none to offer."""
        questions = [Question(render_title(caption), max_new_tokens=64)]
        questions.append(Question(render_tags(caption), max_new_tokens=64))
        title, tags = self.captioner.answer(questions, should_stop=self.should_stop)
        return parse_title(title.text), parse_tags(tags.text)


def _even_groups(notes: Sequence[str], at_most: int) -> list[Sequence[str]]:
    """Splits notes into as few groups as needed, of nearly equal size, so that none is left alone."""
    count = -(-len(notes) // at_most)
    edges = [round(index * len(notes) / count) for index in range(count + 1)]
    return [notes[start:end] for start, end in pairwise(edges)]
