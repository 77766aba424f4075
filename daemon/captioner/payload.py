"""What is sent to an engine: questions as OpenAI chat messages, pictures as JPEG or MP4 data URLs."""

import base64
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np

from daemon.captioner.base import Pictures, Question

Media = Literal["images", "video"]
Part = dict[str, Any]

SEED = 0
OPTIONAL_FIELDS = ("repetition_penalty", "seed")
"""Fields that some engines do not take; an answer without them is better than none."""

# Templates of all families: as a token, a quoted "<image>" would count as a picture that is not there.
_CONTROL_TOKEN = re.compile(r"<\|([^<>|\s]{1,40})\|>|<(/?(?:s|image|video|audio))>")


@dataclass(frozen=True, slots=True)
class Request:
    """A question, ready to be sent."""

    messages: tuple[Mapping[str, Any], ...]
    max_tokens: int
    repetition_penalty: float = 1.0

    def body(
        self, model: str, left_out: frozenset[str] = frozenset(), *, mark_images: bool = False
    ) -> dict[str, Any]:
        """The JSON for one engine, without the fields that it does not take.

        `mark_images` says of several images that they belong together, in SGLang's way.
        """
        fields: dict[str, Any] = {"seed": SEED}
        if self.repetition_penalty != 1.0:
            fields["repetition_penalty"] = self.repetition_penalty
        return {
            "model": model,
            "messages": [_marked(one) if mark_images else one for one in self.messages],
            "max_tokens": self.max_tokens,
            "temperature": 0,
            **{name: value for name, value in fields.items() if name not in left_out},
        }

    def missed(self, left_out: frozenset[str]) -> tuple[str, ...]:
        """What this question asked for and does not get."""
        wanted = {"seed"} | ({"repetition_penalty"} if self.repetition_penalty != 1.0 else set())
        return tuple(sorted(wanted & left_out))


def make_request(question: Question, *, media: Media, long_side: int, jpeg_quality: int) -> Request:
    """Writes a question down; pictures larger than `long_side` (pixels) are made smaller."""
    pictures = [_jpeg_part(still, long_side, jpeg_quality) for still in question.stills]
    frames = question.pictures
    if frames is not None and len(frames):
        if media == "video":
            pictures.append(_part("video_url", "video/mp4", mp4(_bounded(frames, long_side))))
        else:
            pictures += [_jpeg_part(frame, long_side, jpeg_quality) for frame in frames]
    prompts = [*(turn.prompt for turn in question.earlier), question.prompt]
    messages: list[dict[str, Any]] = []
    for index, prompt in enumerate(prompts):
        if index:
            messages.append({"role": "assistant", "content": question.earlier[index - 1].answer})
        text = {"type": "text", "text": without_control_tokens(prompt)}
        messages.append({"role": "user", "content": [*([] if index else pictures), text]})
    return Request(tuple(messages), question.max_new_tokens, question.repetition_penalty)


def without_control_tokens(prompt: str) -> str:
    """A prompt may quote a file name that spells `<image>`; it must stay text."""
    return _CONTROL_TOKEN.sub(lambda match: match[1] or match[2], prompt)


def mp4(frames: Pictures) -> bytes:
    """A video of exactly these frames, one a second, each a key frame; sides made even."""
    import av

    height, width = frames.shape[1:3]
    even = np.pad(frames, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        # Threads of its own would hold frames back and cost more than they save on so few.
        options = {"crf": "16", "preset": "veryfast", "g": "1", "threads": "1"}
        stream = container.add_stream("libx264", rate=1, options=options)
        stream.width, stream.height, stream.pix_fmt = even.shape[2], even.shape[1], "yuv420p"
        for index, picture in enumerate(even):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            frame.pts, frame.time_base = index, Fraction(1)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


def _bounded(frames: Pictures, long_side: int) -> Pictures:
    if max(frames.shape[1:3]) <= long_side:
        return frames
    return np.stack([np.asarray(_image(frame, long_side)) for frame in frames])


def _image(picture: Pictures, long_side: int) -> Any:
    from PIL import Image

    image = Image.fromarray(picture)
    image.thumbnail((long_side, long_side), Image.Resampling.BICUBIC)
    return image


def _jpeg_part(picture: Pictures, long_side: int, quality: int) -> Part:
    buffer = io.BytesIO()
    _image(picture, long_side).save(buffer, "JPEG", quality=quality)
    return _part("image_url", "image/jpeg", buffer.getvalue())


def _part(kind: str, mime: str, data: bytes) -> Part:
    return {"type": kind, kind: {"url": f"data:{mime};base64,{base64.b64encode(data).decode()}"}}


def _marked(message: Mapping[str, Any]) -> Mapping[str, Any]:
    content = message["content"]
    if isinstance(content, str):
        return message
    images = sum(part["type"] == "image_url" for part in content)
    if images < 2:
        return message
    # SGLang reserves the pooled length, which frames of a video have, from the 17th image on.
    mark = {"modalities": "video" if images > 16 else "multi-images"}
    parts = [{**part, **mark} if part["type"] == "image_url" else part for part in content]
    return {**message, "content": parts}
