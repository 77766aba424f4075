"""The way of one video: probe, scenes, frames, a note for every scene, a caption of the whole.

Each scene's note is stored as soon as it is written, which is the checkpoint: a job that is taken up
again goes on with the first scene that has none.
"""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from catalog import captions, library, queue
from catalog.captions import Draft
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.prompts import CAPTION, MERGE, NOTE, Template, custom, render, render_merge
from catalog.queue import ClaimedJob
from catalog.schema import Caption, Origin, Scene
from catalog.settings import Settings
from daemon import media
from daemon.captioner.base import Answer, Captioner, InterruptedByUserError, Question
from daemon.captioner.gate import cleaned, review_reasons

MERGED_AT_ONCE = 6
"""So many notes go into one prompt; more are merged in rounds."""


@dataclass(slots=True)
class Progress:
    """How far a job is. The worker's heartbeat reads it."""

    scenes_done: int = 0
    scenes_total: int | None = None
    looked_through: float = 0.0
    """The share of the video that the search for scenes has seen, 0 to 1."""

    @property
    def share(self) -> float:
        """0 to 1: a tenth for finding the scenes, then the notes and the whole caption."""
        if self.scenes_total is None:
            return 0.1 * self.looked_through
        return 0.1 + 0.9 * self.scenes_done / (self.scenes_total + 1)

    def report(self, session: Session, job: ClaimedJob) -> None:
        """Writes how far the job is, which keeps its lease. Raises `LeaseLostError`."""
        queue.heartbeat(
            session,
            job,
            progress=self.share,
            scenes_done=self.scenes_done,
            scenes_total=self.scenes_total,
        )


@dataclass(frozen=True, slots=True)
class VideoJob:
    """One job at work: what to caption, with what, and how to tell and be told."""

    catalog: Catalog
    job: ClaimedJob
    path: Path
    prompt: str
    """A person's prompt for this job or folder; empty for the built-in ones."""
    glossary: str
    """Words of the folder and how to spell them."""
    captioner: Captioner
    settings: Settings
    progress: Progress
    should_stop: Callable[[], bool]

    def run(self) -> None:
        """Captions the video and ends the job. Raises `CodedError`, `LeaseLostError`, or
        `InterruptedByUserError` when a stop was asked for.
        """
        before = self._stat()
        probe = media.probe(self.path)
        self._record_facts(probe)
        scenes = self._scenes(probe)
        self._note_scenes(probe, scenes)
        drafts = self._whole(probe, scenes)
        if self._stat() != before:
            raise CodedError(
                ErrorCode.CHANGED_WHILE_READING,
                f"{self.path} changed while it was captioned; it is taken again once it rests",
            )
        with self.catalog.write() as session:
            captions.add_revision(session, self.job.video_id, drafts, job_id=self.job.id)
            queue.finish(session, self.job)

    def _stat(self) -> tuple[int, int]:
        try:
            stat = os.stat(self.path)
        except FileNotFoundError as error:
            raise CodedError(
                ErrorCode.VANISHED, f"{self.path} is gone; put it back, then retry"
            ) from error
        return stat.st_size, stat.st_mtime_ns

    def _record_facts(self, probe: media.Probe) -> None:
        facts = library.VideoFacts(
            duration=probe.duration,
            width=probe.width,
            height=probe.height,
            fps=probe.fps,
            codec=probe.codec,
            rotation=probe.rotation,
            recorded_at=probe.created_at,
        )
        with self.catalog.write() as session:
            library.record_facts(session, self.job.video_id, facts)

    def _scenes(self, probe: media.Probe) -> list[Scene]:
        with self.catalog.write() as session:
            scenes = library.scenes_of(session, self.job.video_id)
        if scenes:
            return scenes
        spans = media.find_scenes(
            self.path,
            probe,
            progress=self._looked_through,
            should_stop=self.should_stop,
            min_seconds=self.settings.min_scene_seconds,
            max_seconds=self.settings.max_scene_seconds,
        )
        if self.should_stop():  # then these are not all of them
            raise InterruptedByUserError
        with self.catalog.write() as session:
            library.record_scenes(
                session,
                self.job.video_id,
                [library.SceneSpan(span.start, span.end, span.keyframe) for span in spans],
            )
            return library.scenes_of(session, self.job.video_id)

    def _looked_through(self, share: float) -> None:
        self.progress.looked_through = share

    def _note_scenes(self, probe: media.Probe, scenes: Sequence[Scene]) -> None:
        """Notes every scene that this job has not noted yet, a batch at a time."""
        with self.catalog.write() as session:
            done = captions.noted_scenes(session, self.job.id)
        self.progress.scenes_done, self.progress.scenes_total = len(done), len(scenes)
        waiting = [scene for scene in scenes if scene.id not in done]
        size = self.captioner.batch_size
        for batch in (waiting[i : i + size] for i in range(0, len(waiting), size)):
            self._note_batch(probe, batch)

    def _note_batch(self, probe: media.Probe, batch: Sequence[Scene]) -> None:
        shown = [self._frames(probe, scene.start, scene.end) for scene in batch]
        questions = [
            self._question(NOTE, frames, scene.end - scene.start)
            for scene, frames in zip(batch, shown, strict=True)
        ]
        answers = self.captioner.answer(questions, should_stop=self.should_stop)
        with self.catalog.write() as session:
            for scene, frames, answer in zip(batch, shown, answers, strict=True):
                draft = self._draft(answer, self._template(NOTE), frames.times)
                captions.add_revision(
                    session, self.job.video_id, draft, scene_id=scene.id, job_id=self.job.id
                )
                library.record_thumbnail(session, scene.id, _thumbnail(scene, frames))
            self.progress.scenes_done += len(batch)
            self.progress.report(session, self.job)

    def _whole(self, probe: media.Probe, scenes: Sequence[Scene]) -> Draft:
        """The caption of the whole: from frames if there is one scene, else out of the notes."""
        if len(scenes) == 1:
            frames = self._frames(probe, 0.0, probe.duration)
            question = self._question(CAPTION, frames, probe.duration)
            (answer,) = self.captioner.answer([question], should_stop=self.should_stop)
            return self._draft(answer, self._template(CAPTION), frames.times)
        with self.catalog.write() as session:
            rows = library.scenes_of(session, self.job.video_id)
            notes = [session.get_one(Caption, row.caption_id) for row in rows if row.caption_id]
        times = sorted({time for note in notes for time in note.frames})
        return self._draft(self._merged([note.text for note in notes]), MERGE, times)

    def _merged(self, notes: Sequence[str]) -> Answer:
        """Merges notes in rounds until one text is left, so a video may have any number of scenes."""
        groups = _even_groups(notes, MERGED_AT_ONCE)
        answers = [Answer(group[0], finished=True) for group in groups]
        for index, group in enumerate(groups):
            if len(group) > 1:
                question = Question(render_merge(group, glossary=self.glossary))
                answers[index] = self.captioner.answer([question], should_stop=self.should_stop)[0]
        if len(answers) == 1:
            return answers[0]
        return self._merged([cleaned(answer.text) for answer in answers])

    def _frames(self, probe: media.Probe, start: float, end: float) -> media.Frames:
        count = self.job.frames or self.captioner.frames
        times = media.uniform_times(start, end, count)
        return media.sample_frames(self.path, probe, times, long_side=self.captioner.long_side)

    def _template(self, built_in: Template) -> Template:
        return custom(self.prompt) if self.prompt else built_in

    def _question(self, built_in: Template, frames: media.Frames, duration: float) -> Question:
        prompt = render(
            self._template(built_in),
            duration=duration,
            times=frames.times,
            glossary=self.glossary,
            folder=self.path.parent.name,
            filename=self.path.stem,
        )
        return Question(prompt, frames.images)

    def _draft(self, answer: Answer, template: Template, times: Sequence[float]) -> Draft:
        text = cleaned(answer.text)
        identity = self.captioner.identity
        return Draft(
            text=text,
            origin=Origin.MODEL,
            model=identity.model,
            quantization=identity.quantization,
            prompt=template.key,
            frames=[round(time, 3) for time in times],
            provenance=identity.versions,
            review=review_reasons(text, finished=answer.finished),
        )


def _thumbnail(scene: Scene, frames: media.Frames) -> bytes:
    nearest = int(np.argmin([abs(time - scene.keyframe) for time in frames.times]))
    small = media.thumbnail_from(frames.images[nearest])
    return bytes((small.width, small.height)) + small.rgb


def _even_groups(notes: Sequence[str], at_most: int) -> list[Sequence[str]]:
    """Splits notes into as few groups as needed, of nearly equal size, so that none is left alone."""
    count = -(-len(notes) // at_most)
    edges = [round(index * len(notes) / count) for index in range(count + 1)]
    return [notes[start:end] for start, end in pairwise(edges)]
