"""Odd files that differ in what they hold beside the picture, and files that must be refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from catalog.errors import ErrorCode
from tests.clips import cut_off, write_numbered, write_sound
from tests.daemon.media.odd_files import TIMES, Odd, ffmpeg, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

X264 = "-c:v libx264 -preset veryfast -g 12 -bf 2"
SILENCE = "-f lavfi -i anullsrc=r=16000:cl=mono"


def numbered(
    name: str, what: str, make: str | Callable[[Path, Path], None], **facts: object
) -> Odd:
    """A row whose pictures are numbered: the very ones must come out."""
    return Odd(name, what, make, {"duration": 3.0, "fps": 25.0, **facts}, TIMES, shown())


def with_text(options: str, files: dict[str, str]) -> Callable[[Path, Path], None]:
    """Runs ffmpeg beside small text files."""

    def make(sources: Path, path: Path) -> None:
        for name, content in files.items():
            (path.parent / name).write_text(content, encoding="utf-8")
        ffmpeg(sources, options, path)

    return make


def hostile(sources: Path, path: Path) -> None:
    title, comment = "title=\x1b[31m\u202eevil\x07", "comment=" + "가" * 20_000
    ffmpeg(sources, f"NUMBERS {X264}", path, "-metadata", title, "-metadata", comment)


def cover(sources: Path, path: Path) -> None:
    whole, picture = path.with_name("whole.mp4"), path.with_name("cover.jpg")
    ffmpeg(sources, f"NUMBERS {X264}", whole)
    ffmpeg(sources, "QUARTERS -frames:v 1", picture)
    ffmpeg(
        sources,
        f"-i {picture} -i {whole} -map 0 -map 1 -c copy -disposition:v:0 attached_pic",
        path,
    )


SUBTITLES = "1\n00:00:00,000 --> 00:00:02,000\n안녕하세요\n\n"
CHAPTERS = """;FFMETADATA1
title=여름 여행
artist=하늘
[CHAPTER]
TIMEBASE=1/1000
START=0
END=1000
title=바다
[CHAPTER]
TIMEBASE=1/1000
START=1000
END=99000
title=산
[CHAPTER]
TIMEBASE=1/1000
START=50000
END=99000
title=outside
"""

CONTENTS = [
    numbered(
        "two.mkv",
        "two moving pictures, the second of them the default",
        "-f lavfi -i color=red:s=320x240:d=3 NUMBERS -map 0:v -map 1:v "
        f"-disposition:v:0 0 -disposition:v:1 default {X264}",
        width=64,
        streams__0__default=False,
        streams__1__default=True,
    ),
    numbered(
        "cover.mp4",
        "a cover picture, larger than the video",
        cover,
        width=64,
        streams__1__kind="picture",
        streams__1__codec="mjpeg",
    ),
    numbered(
        "tracks.mov",
        "sound in Korean, subtitles and a time code",
        with_text(
            f"NUMBERS {SILENCE} -i HERE/text.srt -map 0:v -map 1:a -map 2:s {X264} -c:a aac "
            "-c:s mov_text -t 3 -timecode 01:02:03:04 -metadata:s:a:0 language=kor",
            {"text.srt": SUBTITLES},
        ),
        has_audio=True,
        has_subtitles=True,
        streams__1__kind="audio",
        streams__1__codec="aac",
        streams__0__language="",
        streams__1__language="kor",
        streams__2__kind="subtitle",
        streams__2__codec="mov_text",
        streams__3__kind="data",
    ),
    numbered(
        "subtitles.mkv",
        "named subtitles and an attached font",
        with_text(
            f"NUMBERS -i HERE/text.srt -map 0:v -map 1:s {X264} -c:s srt "
            "-metadata:s:s:0 title=Korean -attach HERE/text.ttf "
            "-metadata:s:t mimetype=application/x-truetype-font",
            {"text.srt": SUBTITLES, "text.ttf": "no font"},
        ),
        has_audio=False,
        has_subtitles=True,
        streams__1__title="Korean",
        streams__1__codec="subrip",
        streams__2__kind="attachment",
    ),
    numbered(
        "chapters.mkv",
        "chapters, of which one ends and one begins behind the video",
        with_text(
            f"NUMBERS -i HERE/chapters.txt -map 0:v -map_metadata 1 {X264}",
            {"chapters.txt": CHAPTERS},
        ),
        tags__title="여름 여행",
        tags__artist="하늘",
        chapters__0__title="바다",
        chapters__0__end=1.0,
        chapters__1__title="산",
        chapters__1__end=3.0,
        chapters__1__start=1.0,
    ),
    numbered(
        "seoul.mov",
        "phone: place, maker, local time",
        f"NUMBERS {X264} -movflags use_metadata_tags "
        "-metadata com.apple.quicktime.location.ISO6709=+37.5665+126.9780+038.5/ "
        "-metadata com.apple.quicktime.make=Apple -metadata com.apple.quicktime.model=iPhone "
        "-metadata com.apple.quicktime.creationdate=2024-05-01T21:34:56+0900",
        location__latitude=37.5665,
        location__longitude=126.978,
        location__altitude=38.5,
        tags__make="Apple",
        tags__model="iPhone",
        created_at="2024-05-01T21:34:56+09:00",
    ),
    numbered(
        "android.mp4",
        "phone: place without height, time in UTC",
        f"NUMBERS {X264} -metadata location=-33.8688+151.2093/ "
        "-metadata creation_time=2024-05-01T12:34:56Z",
        location__latitude=-33.8688,
        location__longitude=151.2093,
        location__altitude=None,
        created_at="2024-05-01T12:34:56+00:00",
    ),
    numbered(
        "nowhere.mkv",
        "a place that is not on the Earth, a time that is none",
        f"NUMBERS {X264} -metadata location=+97.5+200.1/ -metadata creation_time=yesterday",
        location=None,
        created_at=None,
    ),
    numbered(
        "hostile.mkv",
        "a title that would paint the terminal, a very long description",
        hostile,
        tags__title="[31mevil",
        tags__description="가" * 2000,
    ),
]

# Refused.


def written(content: str | bytes) -> Callable[[Path, Path], None]:
    def make(_: Path, path: Path) -> None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return make


def beside_another(content: str) -> Callable[[Path, Path], None]:
    """Writes a script that names a sound video beside it."""

    def make(_: Path, path: Path) -> None:
        write_numbered(path.with_name("other.mp4"), 5)
        path.write_text(content)

    return make


def shortened(options: str, share: float) -> Callable[[Path, Path], None]:
    def make(sources: Path, path: Path) -> None:
        whole = path.with_name("whole" + path.suffix)
        ffmpeg(sources, options, whole)
        cut_off(whole, path, share)

    return make


def huge(_: Path, path: Path) -> None:
    """Writes a GIF whose header says 65535×65535 pixels."""
    head = b"GIF89a" + struct.pack("<HHBBB", 65535, 65535, 0x80, 0, 0)
    frame = b"\x2c" + struct.pack("<HHHHB", 0, 0, 65535, 65535, 0)
    path.write_bytes(head + b"\0\0\0\xff\xff\xff" + frame + b"\x02\x02\x44\x01\x00\x3b")


def covered(_: Path, path: Path) -> None:
    write_sound(path.with_suffix(".mp3"), cover=True).rename(path)


def sound(_: Path, path: Path) -> None:
    write_sound(path)


def rare(_: Path, path: Path) -> None:
    write_numbered(path, 3, codec="magicyuv", options={"pred": "left"})


def refused(
    name: str, what: str, make: str | Callable[[Path, Path], None], error: ErrorCode
) -> Odd:
    return Odd(name, what, make, error=error)


UNREADABLE, TRUNCATED = ErrorCode.UNREADABLE, ErrorCode.TRUNCATED
NO_VIDEO = ErrorCode.NO_VIDEO_STREAM
SDP = "v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5004 RTP/AVP 96\n"
PLAYLIST = "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.mp4\n#EXT-X-ENDLIST\n"

SHORTENED = [
    Odd(
        "half.ts",
        "half a broadcast: what there is, is read",
        shortened(f"NUMBERS {X264}", 0.5),
        {"format": "mpegts"},
        (0.0, 0.5),
        (0, 12),
    ),
    Odd(
        "half.avi",
        "half of it, without its index",
        shortened("NUMBERS -c:v mjpeg -q:v 3", 0.5),
        {"format": "avi"},
        (0.0, 0.5, 1.0),
        (0, 12, 25),
    ),
    Odd(
        "half.flv",
        "half of it, though it says more",
        shortened(f"NUMBERS {X264}", 0.5),
        {"format": "flv"},
        (0.0, 0.5),
        (0, 12),
    ),
]

REFUSED = [
    refused("empty.mp4", "empty", written(b""), UNREADABLE),
    refused("notes.mp4", "text", written("오늘은 비가 온다.\n" * 200), UNREADABLE),
    refused(
        "script.mp4",
        "ffconcat script that names a video",
        beside_another("ffconcat version 1.0\nfile other.mp4\n"),
        UNREADABLE,
    ),
    refused("list.mp4", "HLS playlist that names a video", beside_another(PLAYLIST), UNREADABLE),
    refused("stream.mp4", "SDP: would listen to the network", written(SDP), UNREADABLE),
    refused("huge.gif", "says 65535×65535 pixels", huge, UNREADABLE),
    refused("zeros.mp4", "a megabyte of zeros", written(bytes(1 << 20)), UNREADABLE),
    refused("rare.avi", "MagicYUV, a codec that is not opened", rare, UNREADABLE),
    refused("voice.m4a", "only sound", sound, NO_VIDEO),
    refused("song.mp3", "sound with a cover picture", covered, NO_VIDEO),
    refused(
        "half.mp4", "half of it, without its index", shortened(f"NUMBERS {X264}", 0.5), TRUNCATED
    ),
    refused(
        "most.mp4",
        "its index, and most of its data",
        shortened(f"NUMBERS {X264} -movflags faststart", 0.8),
        TRUNCATED,
    ),
    refused("half.mkv", "half a Matroska file", shortened(f"NUMBERS {X264}", 0.5), TRUNCATED),
]
