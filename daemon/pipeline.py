"""The way of one video: probe, scenes, frames, a note for every scene, a caption of the whole.

Each scene's note is stored as soon as it is written, which is the checkpoint: a job that is taken up
again goes on with the first scene that has none.
"""

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from catalog import browse, captions, library, queue, stretches
from catalog.captions import Draft
from catalog.database import Catalog
from catalog.errors import CodedError, ErrorCode
from catalog.queue import ClaimedJob
from catalog.schema import Caption, Scene
from catalog.settings import Settings
from daemon import media
from daemon.captioner.base import Engine, Pending
from daemon.captioner.ladder import Checked, Request
from daemon.texts import Texts

_AHEAD = 1
"""So many batches of scenes are handed to the model while it is at another one."""

_PHOTO_SIDE = 1344
"""Pixels of a photo's longer side: what LLaVA-NeXT's AnyRes cuts into tiles."""


@dataclass(slots=True)
class Progress:
    """How far a job is. The worker's heartbeat reads it."""

    scenes_done: int = 0
    scenes_total: int | None = None
    looked_through: float = 0.0
    """The share of the video that the search for scenes has seen, 0 to 1."""

    ended: bool = False

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
    open_captioner: Callable[[], Engine]
    """Gives the model, and loads it first if need be: a file that is no video shall not cost that."""
    settings: Settings
    progress: Progress
    should_stop: Callable[[], bool]

    def run(self) -> None:
        """Captions the video and ends the job. Raises `CodedError`, `LeaseLostError`, or
        `InterruptedByUserError` when a stop was asked for.
        """
        before = self._stat()
        texts, draft = self._photo() if media.is_still(self.path) else self._video()
        self._finish(texts, draft, before)

    def _photo(self) -> tuple[Texts, Draft]:
        """The caption of a still picture, which has no scenes."""
        probe = media.probe_still(self.path)
        self._record_facts(probe)
        self.progress.scenes_total = 0
        texts = self._texts(probe.created_at)
        request = texts.photo(media.still(self.path, long_side=_PHOTO_SIDE))
        (checked,) = texts.ask([request])
        return texts, texts.draft(request.template, checked, ())

    def _video(self) -> tuple[Texts, Draft]:
        """The notes on the scenes, which are stored as they are made, and the caption of the whole."""
        probe = media.probe(self.path)
        self._record_facts(probe)
        scenes = self._scenes(probe)
        with self.catalog.write() as session:
            noted = captions.noted_scenes(session, self.job.id)
        self.progress.scenes_done, self.progress.scenes_total = len(noted), len(scenes)
        texts = self._texts(probe.created_at)
        if len(scenes) == 1:
            return texts, self._one_scene(texts, probe, scenes[0], noted=bool(noted))
        self._note_scenes(texts, probe, [scene for scene in scenes if scene.id not in noted])
        return texts, self._out_of_notes(texts)

    def _finish(self, texts: Texts, draft: Draft, before: tuple[int, int]) -> None:
        """Stores the caption and ends the job, unless the file was written to meanwhile."""
        wanted = self.settings.titles_and_tags and not draft.review
        title, tags = texts.title_and_tags(draft.text) if wanted else (None, [])
        if self._stat() != before:
            raise CodedError(
                ErrorCode.CHANGED_WHILE_READING,
                f"{self.path} changed while it was captioned; it is taken again once it rests",
            )
        with self.catalog.write() as session:
            captions.add_revision(session, self.job.video_id, draft, job_id=self.job.id)
            library.offer_title(session, self.job.video_id, os.fsencode(self.path), title)
            library.offer_tags(session, self.job.video_id, tags)
            queue.finish(session, self.job)

    def _texts(self, recorded_at: str | None) -> Texts:
        return Texts(
            path=self.path,
            recorded_at=recorded_at or "",
            prompt=self.prompt,
            glossary=self.glossary,
            captioner=self.open_captioner(),
            settings=self.settings,
            should_stop=self.should_stop,
        )

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
        mode = self.settings.scene_search
        with self.catalog.read() as connection:
            known = stretches.kept(connection, self.job.video_id, media.recipe(mode))
        spans = media.find_scenes(
            self.path,
            probe,
            mode=mode,
            known=known,
            keep=self._keep_stretch,
            progress=self._looked_through,
            should_stop=self.should_stop,
            min_seconds=self.settings.min_scene_seconds,
            max_seconds=self.settings.max_scene_seconds,
        )
        with self.catalog.write() as session:
            library.record_scenes(
                session,
                self.job.video_id,
                [
                    library.SceneSpan(span.start, span.end, span.keyframe, moments=span.moments)
                    for span in spans
                ],
            )
            return library.scenes_of(session, self.job.video_id)

    def _keep_stretch(self, index: int, found: bytes) -> None:
        """Stores what was found in a part of the video, which is a checkpoint."""
        recipe = media.recipe(self.settings.scene_search)
        with self.catalog.write() as session:
            self.progress.report(session, self.job)  # not if the job was taken away
            stretches.keep(session, self.job.video_id, index, recipe, found)

    def _looked_through(self, share: float) -> None:
        self.progress.looked_through = share

    def _one_scene(self, texts: Texts, probe: media.Probe, scene: Scene, *, noted: bool) -> Draft:
        """The caption of a video of one scene, asked together with its note: the frames are the same."""
        frames = self._frames(texts.captioner, probe, scene)
        caption = texts.caption(frames, probe.duration)
        requests = [caption] if noted else [caption, texts.note(frames, scene.end - scene.start)]
        checked = texts.ask(requests)
        if not noted:
            self._store_notes(texts, [scene], [frames], requests[1:], checked[1:])
        return texts.draft(caption.template, checked[0], frames.times)

    def _note_scenes(self, texts: Texts, probe: media.Probe, waiting: Sequence[Scene]) -> None:
        """Notes scenes, with one batch always ahead: while the model writes the notes of one, the
        frames of the next are decoded and handed over, so that it never waits for a decoder.
        """
        in_turn = texts.one_after_the_other
        size, ahead = (1, 0) if in_turn else (texts.captioner.batch_size, _AHEAD)
        sent: deque[_Sent] = deque()
        try:
            for batch in (waiting[i : i + size] for i in range(0, len(waiting), size)):
                previous = self._note_before(batch[0]) if in_turn else ""
                sent.append(self._sent(texts, probe, batch, previous))
                if len(sent) > ahead:
                    self._receive(texts, sent.popleft())
            while sent:
                self._receive(texts, sent.popleft())
        finally:
            for one in sent:
                one.pending.drop()

    def _note_before(self, scene: Scene) -> str:
        with self.catalog.read() as connection:
            return browse.note_before(connection, scene.video_id, scene.idx)

    def _sent(
        self, texts: Texts, probe: media.Probe, batch: Sequence[Scene], previous: str
    ) -> "_Sent":
        shown = [self._frames(texts.captioner, probe, scene) for scene in batch]
        requests = [
            texts.note(frames, scene.end - scene.start, previous)
            for scene, frames in zip(batch, shown, strict=True)
        ]
        pending = texts.captioner.submit([request.question for request in requests])
        return _Sent(batch, shown, requests, pending)

    def _receive(self, texts: Texts, sent: "_Sent") -> None:
        checked = texts.check(sent.requests, sent.pending.answers(self.should_stop))
        self._store_notes(texts, sent.scenes, sent.shown, sent.requests, checked)

    def _store_notes(
        self,
        texts: Texts,
        scenes: Sequence[Scene],
        shown: Sequence[media.Frames],
        requests: Sequence[Request],
        checked: Sequence[Checked],
    ) -> None:
        """Stores notes, which is the checkpoint."""
        with self.catalog.write() as session:
            for scene, frames, request, one in zip(scenes, shown, requests, checked, strict=True):
                draft = texts.draft(request.template, one, frames.times)
                captions.add_revision(
                    session, self.job.video_id, draft, scene_id=scene.id, job_id=self.job.id
                )
                library.record_thumbnail(session, scene.id, _thumbnail(scene, frames))
            self.progress.scenes_done += len(scenes)
            self.progress.report(session, self.job)

    def _out_of_notes(self, texts: Texts) -> Draft:
        """The caption of the whole, merged from the notes on its scenes."""
        with self.catalog.write() as session:
            rows = library.scenes_of(session, self.job.video_id)
            notes = [session.get_one(Caption, row.caption_id) for row in rows if row.caption_id]
        times = sorted({time for note in notes for time in note.frames})
        return texts.merged([note.text for note in notes], times)

    def _frames(self, captioner: Engine, probe: media.Probe, scene: Scene) -> media.Frames:
        count = self.job.frames or captioner.frames
        moments = scene.moments if self.settings.sampling == "adaptive" else ()
        times = media.adaptive_times(moments, scene.start, scene.end, count)
        return media.sample_frames(self.path, probe, times, long_side=captioner.long_side)


@dataclass(frozen=True, slots=True)
class _Sent:
    """Scenes whose notes the model is at."""

    scenes: Sequence[Scene]
    shown: Sequence[media.Frames]
    requests: Sequence[Request]
    pending: Pending


def _thumbnail(scene: Scene, frames: media.Frames) -> bytes:
    nearest = int(np.argmin([abs(time - scene.keyframe) for time in frames.times]))
    small = media.thumbnail_from(frames.images[nearest])
    return bytes((small.width, small.height)) + small.rgb
