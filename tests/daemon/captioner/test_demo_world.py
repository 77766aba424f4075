"""The demo world: what its sentences say, what is held out, and that its pictures show it.

And what is to be said of a clip when only some of its frames are seen.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch

from daemon.captioner.demo.events import (
    random_brief,
    random_brief_clip,
    random_turns,
    random_turns_clip,
)
from daemon.captioner.demo.prompts import merged
from daemon.captioner.demo.render import frame_at, scene_frame, write_clip
from daemon.captioner.demo.views import Views
from daemon.captioner.demo.world import (
    ALL_TRIPLES,
    BACKGROUNDS,
    BRIEF_HELD_OUT,
    BRIEF_TRAINED,
    COLOURS,
    HELD_OUT,
    MOTIONS,
    NOTHING,
    SHAPES,
    TRAINED,
    Background,
    Colour,
    Motion,
    Scene,
    Shape,
    Thing,
    parse,
    random_clip,
    random_nothing,
    random_scene,
    read,
    sentence,
)

if TYPE_CHECKING:
    from pathlib import Path

SIZE = (160, 90)
RASTER = (90, 160)


def one(colour: Colour, shape: Shape, motion: Motion, seed: int = 0) -> Scene:
    """A scene of one object before black."""
    rng = np.random.default_rng(seed)
    pool = ((colour, shape, motion),)
    return random_scene(rng, size=SIZE, pool=pool, background=Background.BLACK)


def masks(scene: Scene) -> list[np.ndarray]:
    """Where the object is, at 8 moments in the middles of equal parts."""
    times = [(index + 0.5) / 8 * scene.duration for index in range(8)]
    frames = [scene_frame(scene, time, SIZE, RASTER).astype(int) for time in times]
    return [np.abs(frame - np.array(scene.rgb)).sum(2) > 60 for frame in frames]


def centre(mask: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(mask)
    return float(columns.mean()), float(rows.mean())


class TestSentence:
    def test_one_object(self) -> None:
        said = sentence(Background.BLACK, [(Colour.RED, Shape.CIRCLE, Motion.RIGHTWARD)])
        assert said == "검은 배경에서 빨간 원이 왼쪽에서 오른쪽으로 움직인다."

    def test_two_objects_are_named_by_colour_then_shape(self) -> None:
        star, circle = (
            (Colour.BLUE, Shape.STAR, Motion.STILL),
            (Colour.RED, Shape.CIRCLE, Motion.UP),
        )
        said = sentence(Background.BLACK, [star, circle])
        assert said == "검은 배경에서 빨간 원이 위로 올라가고 파란 별이 가만히 있다."

    def test_nothing_to_name(self) -> None:
        assert sentence(Background.SKY, []) == NOTHING
        assert parse(NOTHING) == set()

    def test_what_follows_is_told_in_order(self) -> None:
        star, circle = (
            (Colour.BLUE, Shape.STAR, Motion.BLINK),
            (Colour.RED, Shape.CIRCLE, Motion.UP),
        )
        said = sentence(Background.BLACK, [star, circle], in_turn=True)
        assert said == "검은 배경에서 먼저 파란 별이 깜빡이고 이어서 빨간 원이 위로 올라간다."
        assert read(said).order == (star, circle)
        assert read(sentence(Background.BLACK, [star, circle])).order == ()

    def test_what_is_brief_is_told_last(self) -> None:
        guest, circle = (
            (Colour.RED, Shape.STAR, Motion.BRIEF),
            (Colour.PURPLE, Shape.CIRCLE, Motion.RIGHTWARD),
        )
        said = sentence(Background.BLACK, [guest, circle])
        assert (
            said == "검은 배경에서 보라 원이 왼쪽에서 오른쪽으로 움직이고 빨간 별이 잠깐 나타난다."
        )
        assert read(said).triples == {guest, circle}

    def test_a_caption_merged_of_notes_is_no_order_within_a_scene(self) -> None:
        notes = [sentence(Background.BLACK, [triple]) for triple in ALL_TRIPLES[:2]]
        assert read(merged(notes)).order == ()

    @pytest.mark.parametrize("background", BACKGROUNDS)
    def test_everything_said_is_read_back(self, background: Background) -> None:
        for first, second in zip(ALL_TRIPLES, ALL_TRIPLES[7:], strict=False):
            for triples in ([first], [first, second]):
                reading = read(sentence(background, triples))
                assert reading.triples == set(triples)
                assert reading.background is background
            assert read(sentence(background, [first, second], in_turn=True)).order == (
                first,
                second,
            )


class TestHeldOut:
    def test_is_disjoint_from_training_and_covers_every_word_evenly(self) -> None:
        assert len(HELD_OUT) == 36
        assert HELD_OUT.isdisjoint(TRAINED)
        assert HELD_OUT | set(TRAINED) == set(ALL_TRIPLES)
        for place, words, least in ((0, COLOURS, 6), (1, SHAPES, 9), (2, MOTIONS, 4)):
            for word in words:
                assert sum(triple[place] is word for triple in HELD_OUT) >= least

    @pytest.mark.parametrize("held_out", [False, True])
    def test_clips_take_their_triples_from_one_side(self, held_out: bool) -> None:
        rng = np.random.default_rng(3)
        for _ in range(30):
            for scene in random_clip(rng, counts=(1, 2), held_out=held_out).scenes:
                assert all((triple in HELD_OUT) is held_out for triple in scene.triples)

    def test_brief_appearances_are_held_out_in_every_colour(self) -> None:
        assert BRIEF_HELD_OUT.isdisjoint(BRIEF_TRAINED)
        assert len(BRIEF_HELD_OUT) + len(BRIEF_TRAINED) == len(COLOURS) * len(SHAPES)
        assert {triple[0] for triple in BRIEF_HELD_OUT} == set(COLOURS)
        assert {triple[1] for triple in BRIEF_HELD_OUT} == set(SHAPES)

    @pytest.mark.parametrize("held_out", [False, True])
    def test_events_take_their_triples_from_one_side(self, held_out: bool) -> None:
        rng = np.random.default_rng(4)
        held = HELD_OUT | BRIEF_HELD_OUT
        for draw in (random_turns_clip, random_brief_clip):
            for _ in range(20):
                for scene in draw(rng, held_out=held_out).scenes:
                    assert all((triple in held) is held_out for triple in scene.triples)


class TestRandom:
    def test_the_same_seed_makes_the_same_clip(self) -> None:
        first, second = (random_clip(np.random.default_rng(5), counts=(2, 1)) for _ in range(2))
        assert first == second
        assert random_clip(np.random.default_rng(6), counts=(2, 1)) != first

    def test_neighbouring_scenes_differ_in_background(self) -> None:
        for seed in range(20):
            before, after = random_clip(np.random.default_rng(seed), counts=(1, 1)).scenes
            assert before.background is not after.background

    def test_lengths_are_whole_frames_within_bounds(self) -> None:
        for seed in range(20):
            clip = random_clip(np.random.default_rng(seed))
            assert 0.9 < clip.duration <= 8.1
            assert clip.duration * clip.fps == pytest.approx(round(clip.duration * clip.fps))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(3))
class TestPictures:
    @pytest.mark.parametrize(
        ("motion", "axis", "sign"),
        [
            (Motion.RIGHTWARD, 0, 1),
            (Motion.LEFTWARD, 0, -1),
            (Motion.DOWN, 1, 1),
            (Motion.UP, 1, -1),
        ],
    )
    def test_the_centre_moves_as_said(
        self, shape: Shape, seed: int, motion: Motion, axis: int, sign: int
    ) -> None:
        places = [centre(mask)[axis] for mask in masks(one(Colour.WHITE, shape, motion, seed))]
        assert all(sign * (after - before) > -0.3 for before, after in pairwise(places))
        assert sign * (places[-1] - places[0]) > 0.1 * SIZE[axis]

    @pytest.mark.parametrize(("motion", "sign"), [(Motion.GROW, 1), (Motion.SHRINK, -1)])
    def test_the_area_changes_as_said(
        self, shape: Shape, seed: int, motion: Motion, sign: int
    ) -> None:
        areas = [int(mask.sum()) for mask in masks(one(Colour.YELLOW, shape, motion, seed))]
        assert sign * (areas[-1] - areas[0]) > 0.3 * min(areas)

    def test_blinking_shows_in_eight_frames(self, shape: Shape, seed: int) -> None:
        shown = [bool(mask.any()) for mask in masks(one(Colour.WHITE, shape, Motion.BLINK, seed))]
        assert sum(a != b for a, b in pairwise(shown)) >= 2

    def test_a_still_object_stays(self, shape: Shape, seed: int) -> None:
        first, *others = masks(one(Colour.RED, shape, Motion.STILL, seed))
        assert first.any()
        assert all((first == other).all() for other in others)


def seen(scene: Scene, thing: Thing, times: list[float]) -> list[bool]:
    """At which times an object's colour is in the picture."""
    frames = [scene_frame(scene, time, SIZE, RASTER).astype(int) for time in times]
    return [bool((np.abs(frame - np.array(thing.rgb)).sum(2) < 6).any()) for frame in frames]


@pytest.mark.parametrize("seed", range(12))
class TestEvents:
    def test_only_one_object_acts_at_a_time(self, seed: int) -> None:
        scene = random_turns(np.random.default_rng(seed), size=SIZE, duration=8.0)
        first, second = scene.things
        assert scene.triples == [first.triple, second.triple]
        assert first.span[1] < second.span[0]
        for thing, resting in ((first, (second.span[0], 1.0)), (second, (0.0, first.span[1]))):
            poses = [thing.pose(8.0 * share, 8.0) for share in np.linspace(*resting, 9)]
            assert all(pose == poses[0] for pose in poses)

    def test_blinking_in_turn_shows_in_eight_frames(self, seed: int) -> None:
        pool = [(Colour.WHITE, shape, Motion.BLINK) for shape in SHAPES]
        scene = random_turns(
            np.random.default_rng(seed),
            size=SIZE,
            duration=8.0,
            pool=[*pool, *((Colour.RED, *triple[1:]) for triple in pool)],
            background=Background.BLACK,
        )
        for thing in scene.things:
            shown = seen(scene, thing, [index + 0.5 for index in range(8)])
            assert sum(b and not a for a, b in pairwise([False, *shown])) >= 2

    def test_a_guest_is_there_for_its_moment_only(self, seed: int) -> None:
        scene = random_brief(np.random.default_rng(seed), size=SIZE, duration=20.0, seconds=0.3)
        guest = scene.things[1]
        begin, end = (share * 20.0 for share in guest.span)
        assert end - begin == pytest.approx(0.3)
        assert seen(scene, guest, [begin + 0.01, end - 0.01]) == [True, True]
        outside = [scene_frame(scene, time, SIZE, RASTER) for time in (begin - 0.01, begin - 0.02)]
        inside = scene_frame(scene, begin + 0.01, SIZE, RASTER)
        assert (
            np.abs(outside[0].astype(int) - inside).sum()
            > 4 * np.abs(outside[0].astype(int) - outside[1]).sum()
        )


class TestWhatFramesTell:
    """The labels of clips of which only some frames are seen."""

    def views(self, things: list[list[int]], shown: list[list[int]], turns: int = 0) -> Views:
        """One clip of eight frames a second apart; `shown` tells when each object is seen and acts."""
        both = torch.tensor([shown], dtype=torch.bool).transpose(1, 2)
        return Views(
            features=torch.zeros(1, 8, 9, 1),
            things=torch.tensor([things]),
            grounds=torch.tensor([0]),
            seen=both,
            nearest=torch.zeros(1, 8, 9, dtype=torch.int8),
            acting=both,
            times=torch.arange(8.0)[None] + 0.5,
            durations=torch.tensor([8.0]),
            turns=torch.tensor([turns]),
        )

    def test_a_guest_that_no_frame_shows_is_not_told(self) -> None:
        up, brief = MOTIONS.index(Motion.UP), len(MOTIONS)
        views = self.views([[0, 0, up], [1, 3, brief]], [[1] * 8, [0, 0, 0, 1, 0, 0, 0, 0]])
        (told,) = views.frames(torch.tensor([6, 1, 3])).sentences()
        assert told == "검은 배경에서 빨간 원이 위로 올라가고 파란 별이 잠깐 나타난다."
        (told,) = views.frames(torch.tensor([0, 2, 4])).sentences()
        assert told == "검은 배경에서 빨간 원이 위로 올라간다."

    def test_frames_are_put_in_the_order_of_time(self) -> None:
        views = self.views([[0, 0, 0], [-1, -1, -1]], [[1] * 8, [0] * 8])
        assert views.frames(torch.tensor([5, 0, 3])).times.tolist() == [[0.5, 3.5, 5.5]]

    def test_backwards_what_was_first_comes_last(self) -> None:
        up, grow = MOTIONS.index(Motion.UP), MOTIONS.index(Motion.GROW)
        halves = [[1, 1, 1, 1, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]]
        views = self.views([[0, 0, up], [1, 3, grow]], halves, turns=1)
        assert views.legible().all()
        (told,) = views.backwards().sentences()
        assert (
            told == "검은 배경에서 먼저 파란 별이 점점 작아지고 이어서 빨간 원이 아래로 내려간다."
        )
        assert views.backwards().backwards().sentences() == views.sentences()

    def test_what_is_held_out_stays_so_backwards_and_in_any_role(self) -> None:
        colour, shape, motion = next(it for it in HELD_OUT if it[2] is Motion.GROW)
        held = [COLOURS.index(colour), SHAPES.index(shape), MOTIONS.index(motion)]
        known = [COLOURS.index(TRAINED[0][0]), SHAPES.index(TRAINED[0][1])]
        known.append(MOTIONS.index(TRAINED[0][2]))
        assert not self.views([known, known], [[1] * 8] * 2).held_out().any()
        for things in ([known, held], [held, known]):
            assert self.views(things, [[1] * 8] * 2, turns=1).held_out().all()
        colour, shape, _ = next(iter(BRIEF_HELD_OUT))
        guest = [COLOURS.index(colour), SHAPES.index(shape), len(MOTIONS)]
        assert self.views([known, guest], [[1] * 8] * 2).held_out().all()

    def test_one_frame_of_a_turn_does_not_tell_a_way(self) -> None:
        views = self.views(
            [[0, 0, 2], [1, 3, 3]], [[1, 0, 0, 0, 0, 0, 0, 0], [0, 0, 0, 0, 1, 1, 1, 1]], turns=1
        )
        assert not views.legible().any()


def test_a_squeezed_raster_shows_the_whole_picture() -> None:
    scene = one(Colour.WHITE, Shape.CIRCLE, Motion.STILL)
    wide, square = scene_frame(scene, 0, SIZE, RASTER), scene_frame(scene, 0, SIZE, (90, 90))
    x, y = centre(wide.sum(2) > 400)
    squeezed_x, squeezed_y = centre(square.sum(2) > 400)
    assert squeezed_x == pytest.approx(x * 90 / 160, abs=0.7)
    assert squeezed_y == pytest.approx(y, abs=0.7)


def test_textures_follow_from_their_seed() -> None:
    scenes = [random_nothing(np.random.default_rng(seed)) for seed in range(12)]
    for scene in scenes:
        first, again = (scene_frame(scene, 0.5, SIZE, RASTER) for _ in range(2))
        assert (first == again).all()
        assert scene.sentence == NOTHING


def test_a_written_clip_has_its_length_and_shows_both_scenes(tmp_path: Path) -> None:
    import av

    clip = random_clip(np.random.default_rng(2), counts=(1, 1), size=SIZE)
    write_clip(tmp_path / "clip.mp4", clip)
    with av.open(str(tmp_path / "clip.mp4")) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    assert len(frames) == round(clip.duration * clip.fps)
    for index in (0, len(frames) - 1):
        drawn = frame_at(clip, (index + 0.5) / clip.fps)
        assert np.abs(frames[index].astype(int) - drawn).mean() < 8


class TestMerged:
    def test_two_notes(self) -> None:
        assert merged(["가.", "나."]) == "먼저 가. 이어서 나."

    def test_the_last_of_several_is_introduced_as_the_end(self) -> None:
        assert merged(["가.", "나.", "다.", "라."]) == "먼저 가. 이어서 나. 이어서 다. 끝으로 라."
