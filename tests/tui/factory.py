"""Real catalogs for the screens: filled through the catalog's own functions."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from catalog import captions, library, queue
from catalog.captions import Draft
from catalog.database import Catalog, open_catalog
from catalog.errors import CodedError, ErrorCode
from catalog.home import find_home
from catalog.schema import Origin

WIDTH, HEIGHT = 40, 22


@dataclass(frozen=True, slots=True)
class Sample:
    """One video of a made-up catalog."""

    name: str
    caption: str = ""
    notes: Sequence[str] = ()
    state: str = "done"
    """`done`, `queued`, `running`, `failed` or `dead`."""
    human: str = ""
    hue: int = 0


SAMPLES = (
    Sample("무대.mp4", "무대에서 새가 힘차게 뛰어오른다.", ("무대가 밝아진다.",), hue=5),
    Sample(
        "썰매_타는_아이들_그리고_아주_긴_파일_이름을_가진_겨울_영상_최종본_v2.mov",
        "눈 위에서 썰매가 빠르게 내려간다.",
        hue=4,
    ),
    Sample("운동장.mp4", state="dead"),
    Sample("사무실 회의.mp4", state="queued"),
    Sample("도서관.mkv", "", ("책장 사이로 사람이 걷는다.",), state="running", hue=3),
    Sample(
        unicodedata.normalize("NFD", "강아지 산책.mp4"),
        "공원에서 강아지가 종이 상자를 끌고 간다. 뒤로 나무가 흔들리고 카메라가 오른쪽으로 움직인다.",
        ("공원 입구, 사람들이 지나간다.", "강아지가 상자를 문다.", "강아지가 상자 위에 앉는다."),
        human="공원에서 흰 강아지가 종이 상자를 조심스럽게 끌고 간다.",
        hue=2,
    ),
    Sample(
        "Trip to Busan [2026].mp4",
        "바닷가에서 갈매기가 난다. Waves roll in.",
        ("파도가 친다.",),
        hue=1,
    ),
    Sample(
        "시장_강아지.mp4",
        "시장에서 강아지가 조심스럽게 짐을 옮긴다. 상인이 웃으며 바라본다.",
        ("시장 입구, 사람들이 지나간다.", "강아지가 상자를 문다.", "빨간 간판이 보인다."),
    ),
)


def make_catalog(directory: Path, samples: Sequence[Sample] = SAMPLES) -> Catalog:
    """A catalog in a home of its own. Later samples are newer, so they stand higher in the list."""
    catalog = open_catalog(find_home(directory / "home"))
    with catalog.write() as session:
        for number, sample in enumerate(samples):
            add_video(session, directory, number, sample)
    return catalog


def add_video(session: Session, directory: Path, number: int, sample: Sample) -> int:
    """Adds one video in its state. Returns its id."""
    path = str(directory / "videos" / sample.name).encode()
    seen = library.FileSeen(path, 1000 + number, number, "1")
    video_id, _ = library.place_file(session, seen, f"content-{number}")
    if sample.state == "queued":
        return video_id
    duration = 4.0 * max(1, len(sample.notes)) + number * 20
    facts = library.VideoFacts(duration, 1280, 720, 25.0, "h264", 0, None)
    library.record_facts(session, video_id, facts)
    queue.put(session, video_id, priority=100)  # so that this one is claimed next
    job = queue.claim(session)
    assert job is not None
    if sample.state in ("failed", "dead"):
        _fail(session, job, sample)
        return video_id
    spans = [
        library.SceneSpan(4.0 * i, 4.0 * i + 4, 4.0 * i + 2, thumbnail(sample.hue + i))
        for i in range(len(sample.notes))
    ]
    library.record_scenes(session, video_id, spans)
    session.flush()
    for scene, note in zip(library.scenes_of(session, video_id), sample.notes, strict=True):
        captions.add_revision(session, video_id, _draft(note), scene_id=scene.id, job_id=job.id)
    if sample.state == "running":
        queue.heartbeat(session, job, progress=0.42, scenes_done=1, scenes_total=3)
        return video_id
    if sample.caption:
        captions.add_revision(session, video_id, _draft(sample.caption), job_id=job.id)
    queue.finish(session, job)
    if sample.human:
        captions.edit(session, video_id, sample.human)
    return video_id


def _draft(text: str) -> Draft:
    return Draft(text, Origin.MODEL, model="demo", frames=(0.6, 1.8, 3.1), prompt="note-ko-1")


def _fail(session: Session, job: queue.ClaimedJob, sample: Sample) -> None:
    message = f"{sample.name}: moov atom not found"
    tries = len(queue.BACKOFF_SECONDS) + 1 if sample.state == "dead" else job.attempts
    job = queue.ClaimedJob(
        job.id, job.video_id, job.kind, job.model, job.prompt, job.frames, tries, job.lease
    )
    queue.fail(session, job, CodedError(ErrorCode.TRUNCATED, message))


def thumbnail(hue: int) -> bytes:
    """A picture in the catalog's layout: a bright disc over a sky that darkens."""
    colours = ((230, 90, 70), (90, 170, 230), (240, 200, 80), (120, 200, 120), (200, 120, 220))
    red, green, blue = colours[hue % len(colours)]
    rows = bytearray((WIDTH, HEIGHT))
    for y in range(HEIGHT):
        for x in range(WIDTH):
            disc = (x - 20) ** 2 + (y - 11) ** 2 < 50
            light = 1.0 if disc else 0.25 + 0.4 * (1 - y / HEIGHT)
            rows += bytes((int(red * light), int(green * light), int(blue * light)))
    return bytes(rows)
