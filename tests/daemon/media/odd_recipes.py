"""The table of odd files: how each is made and what must come out of it."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING

from tests.clips import write_numbered
from tests.daemon.media.odd_files import TIMES, UPRIGHT, Odd, ffmpeg, shown

if TYPE_CHECKING:
    from pathlib import Path

PASS = "-fps_mode passthrough -enc_time_base 1:1000"
BEFORE = "-output_ts_offset -1 -avoid_negative_ts disabled"
X264 = "-c:v libx264 -preset veryfast -g 12 -bf 2"
LONG = "-c:v libx264 -preset veryfast -g 250 -bf 3 -x264-params scenecut=0"
OPEN = "-c:v libx264 -preset veryfast -x264-params open-gop=1:keyint=24:bframes=3:scenecut=0"
HEVC = "-c:v libx265 -preset ultrafast -x265-params keyint=20:open-gop=1:bframes=4:log-level=none"


def numbered(name: str, what: str, make: str, **facts: object) -> Odd:
    """A row whose pictures are numbered: the very ones must come out."""
    whole = {"duration": 3.0, "fps": 25.0, **facts}
    return Odd(name, what, f"NUMBERS {make}", whole, TIMES, shown())


def coloured(name: str, what: str, make: str, **facts: object) -> Odd:
    """A row that shows four colours, upright."""
    return Odd(name, what, f"QUARTERS {make}", {"duration": 0.4, **facts}, corners=UPRIGHT)


def trimmed(sources: Path, path: Path) -> None:
    """Cuts off a second without coding anew: the edit list hides what is before."""
    whole = path.with_name("whole.mp4")
    ffmpeg(sources, f"NUMBERS {LONG}", whole)
    ffmpeg(sources, f"-ss 1.04 -i {whole} -c copy", path)


def endless(sources: Path, path: Path) -> None:
    """Makes the headers of movie and track claim the longest time that they can hold."""
    ffmpeg(sources, f"NUMBERS {X264}", path)
    data = bytearray(path.read_bytes())
    for name, place in ((b"mvhd", 20), (b"tkhd", 24), (b"mdhd", 20)):
        at = data.index(name) + place
        data[at : at + 4] = struct.pack(">I", 0xFFFFFFF0)
    path.write_bytes(data)


def timeless(sources: Path, path: Path) -> None:
    """Makes the only entry of the time table (stts) say that each picture lasts 0 ticks."""
    ffmpeg(sources, f"NUMBERS {X264} -bf 0", path)
    data = bytearray(path.read_bytes())
    at = data.index(b"stts") + 16
    data[at : at + 4] = bytes(4)
    path.write_bytes(data)


def thousand(_: Path, path: Path) -> None:
    write_numbered(path, 75, fps=1000)


def unordered(sources: Path, path: Path) -> None:
    """Writes the chunks of sound and picture backwards and their places (stco) accordingly."""
    sound = "-f lavfi -i sine=d=3 -map 0:v -map 1:a -c:a pcm_s16le"
    ffmpeg(sources, f"NUMBERS {sound} {X264}", path)
    data = bytearray(path.read_bytes())
    tables = [found.start() + 4 for found in re.finditer(b"stco", data)]
    counts = [int.from_bytes(data[table + 4 : table + 8], "big") for table in tables]
    entries = [
        table + 8 + 4 * index
        for table, count in zip(tables, counts, strict=True)
        for index in range(count)
    ]
    places = {entry: int.from_bytes(data[entry : entry + 4], "big") for entry in entries}
    order = sorted(entries, key=places.__getitem__)
    ends = [*(places[entry] for entry in order[1:]), data.index(b"moov") - 4]
    chunks = {e: bytes(data[places[e] : end]) for e, end in zip(order, ends, strict=True)}
    place = places[order[0]]
    for entry in reversed(order):
        data[place : place + len(chunks[entry])] = chunks[entry]
        data[entry : entry + 4] = place.to_bytes(4, "big")
        place += len(chunks[entry])
    path.write_bytes(data)


def no_number(sources: Path, path: Path) -> None:
    """Makes Matroska's length (element 0x4489) a NaN."""
    ffmpeg(sources, f"NUMBERS {LONG}", path)
    data = bytearray(path.read_bytes())
    at = data.index(b"\x44\x89\x88") + 3
    data[at : at + 8] = struct.pack(">d", float("nan"))
    path.write_bytes(data)


def damaged(sources: Path, path: Path) -> None:
    """Overwrites a tenth of the file with ones, from its middle on."""
    ffmpeg(sources, f"NUMBERS {X264}", path)
    data = bytearray(path.read_bytes())
    middle, length = len(data) // 2, len(data) // 10
    data[middle : middle + length] = b"\xff" * length
    path.write_bytes(data)


# Codecs and containers.

CODECS = [
    numbered("bframes.avi", "H.264 with B-frames in AVI", X264, format="avi", start_time=0.0),
    numbered("open.avi", "H.264 with open groups in AVI", OPEN, format="avi"),
    numbered("bframes1.avi", "MPEG-1 with B-frames in AVI", "-c:v mpeg1video -bf 2 -q:v 2"),
    numbered("bframes.asf", "H.264 with B-frames in ASF", X264, format="asf"),
    numbered("bframes.mxf", "H.264 with B-frames in MXF", X264, format="mxf"),
    numbered("bframes.vob", "H.264 with B-frames, most undated", X264, format="mpeg"),
    numbered("bframes4.avi", "MPEG-4 with B-frames in AVI", "-c:v mpeg4 -g 12 -bf 2 -q:v 2"),
    numbered("mjpeg.avi", "MJPEG in AVI", "-c:v mjpeg -q:v 3", codec="mjpeg"),
    numbered("raw.avi", "uncompressed BGR in AVI", "-c:v rawvideo -pix_fmt bgr24", bit_depth=8),
    numbered("msmpeg.avi", "MS MPEG-4 v2 in AVI", "-c:v msmpeg4v2 -q:v 2", codec="msmpeg4v2"),
    numbered("divx3.avi", "DivX 3 in AVI", "-c:v msmpeg4 -q:v 2", codec="msmpeg4v3"),
    numbered("raw.h264", "raw H.264 with B-frames", X264, format="h264", start_time=0.0),
    numbered(
        "days.h264",
        "raw H.264 that says a picture lasts for days",
        f"{X264} -bsf:v h264_metadata=tick_rate=1/200000",
    ),
    numbered("raw.hevc", "raw HEVC with open groups", HEVC, format="hevc", codec="hevc"),
    numbered("raw.m2v", "raw MPEG-2", "-c:v mpeg2video -g 12 -bf 2 -q:v 2", format="mpegvideo"),
    numbered("clip.wmv", "WMV 8 in ASF", "-c:v wmv2 -q:v 2", codec="wmv2", format="asf"),
    numbered("clip.asf", "WMV 7 in ASF", "-c:v wmv1 -q:v 2", codec="wmv1"),
    numbered("clip.vob", "MPEG-2 on a DVD (VOB)", "-c:v mpeg2video -g 12 -bf 2 -q:v 2 -f vob"),
    numbered("clip.mpg", "MPEG-1 program stream", "-c:v mpeg1video -g 12 -bf 2 -q:v 2 -f mpeg"),
    numbered("clip.mxf", "MPEG-2 in MXF", "-c:v mpeg2video -g 12 -bf 2 -q:v 2", format="mxf"),
    numbered("clip.ogv", "Theora in Ogg", "-c:v libtheora -q:v 8 -g 20", codec="theora"),
    numbered("flash.flv", "Sorenson H.263 in FLV", "-c:v flv -g 12 -q:v 2", codec="flv1"),
    numbered("clip.flv", "H.264 in FLV", X264, format="flv"),
    numbered("phone.3gp", "H.263 in 3GP", "-vf scale=176:144 -c:v h263 -q:v 2", codec="h263"),
    numbered("clip.webm", "VP8", "-c:v libvpx -g 20 -cpu-used 8 -b:v 1M", codec="vp8"),
    numbered("vp9.webm", "VP9", "-c:v libvpx-vp9 -g 20 -cpu-used 8 -b:v 1M", codec="vp9"),
    numbered("av1.mp4", "AV1", "-vf scale=128:96 -c:v libsvtav1 -preset 12 -g 25", codec="av1"),
    numbered("edit.mov", "ProRes", "-c:v prores_ks -profile:v 0", codec="prores", bit_depth=10),
    numbered("dnx.mov", "DNxHR", "-vf scale=256:192 -c:v dnxhd -profile:v dnxhr_lb", codec="dnxhd"),
    numbered("screen.mov", "PNG in QuickTime", "-c:v png", codec="png"),
    numbered("archive.mkv", "FFV1", "-c:v ffv1 -g 10", codec="ffv1"),
    numbered(
        "tape.dv",
        "DV from a tape, interlaced",
        "-vf scale=720:576,setfield=bff -c:v dvvideo -pix_fmt yuv420p -target pal-dv",
        codec="dvvideo",
        interlaced=True,
        height=576,
    ),
]

# Where the pictures and their times lie in the file.

TIMING = [
    numbered("faststart.mp4", "index before the data", f"{X264} -movflags faststart"),
    numbered("pieces.mp4", "fragmented MP4", f"{OPEN} -movflags frag_keyframe+empty_moov"),
    numbered("negative.mp4", "negative offsets", f"{X264} -movflags negative_cts_offsets"),
    numbered("endless.mp4", "one endless group of pictures", LONG),
    numbered("refresh.mp4", "intra refresh: one key frame", f"{LONG}:intra-refresh=1:keyint=30"),
    numbered("open.ts", "open groups in MPEG-TS", OPEN, format="mpegts"),
    numbered("iphone.mov", "HEVC with open groups, hvc1", f"{HEVC} -tag:v hvc1", codec="hevc"),
    numbered("live.mkv", "Matroska without cues and length", f"{LONG} -live 1", frame_count=None),
    numbered("wrap.ts", "its clock of 33 bits runs over", f"{X264} -output_ts_offset 95442"),
    numbered("before.ts", "starts before zero", f"{X264} {BEFORE} -muxdelay 0 -muxpreload 0"),
    Odd(
        "before.mp4",
        "starts before zero: what is before is not to be shown",
        f"NUMBERS {X264} {BEFORE}",
        {"duration": 2.0},
        (0.0, 0.5, 1.98),
        (25, 37, 74),
    ),
    Odd(
        "unordered.mov",
        "its chunks lie in the file from the last to the first",
        unordered,
        {"duration": 3.0, "has_audio": True},
        TIMES,
        shown(),
    ),
    numbered("late.ts", "starts at 37 s", f"{X264} -output_ts_offset 37"),
    Odd(
        "thousand.mkv",
        "1000 frames a second",
        thousand,
        {"fps": 1000.0, "duration": 0.075},
        (0.0, 0.0102, 0.074),
        (0, 10, 74),
    ),
    Odd(
        "slow.mp4",
        "a picture every ten seconds",
        f"-r 0.1 NUMBERS {X264}",
        {"fps": 0.1, "duration": 750.0},
        (0.0, 99.0, 101.0, 745.0),
        (0, 9, 10, 74),
    ),
    Odd(
        "thirty.h264",
        "raw H.264 that says 30 frames a second",
        f"-r 30 NUMBERS {X264}",
        {"fps": 30.0, "duration": 2.5},
        (0.0, 1.01, 2.49),
        (0, 30, 74),
    ),
    Odd(
        "cut.mp4",
        "edit list that begins within a group",
        trimmed,
        {"duration": 1.96},
        (0.0, 0.5, 1.95),
        (26, 38, 74),
    ),
    Odd(
        "delayed.mp4",
        "the picture begins two seconds after the sound",
        f"-itsoffset 2 NUMBERS -f lavfi -i sine=d=5 -map 0:v -map 1:a {PASS} {X264} -c:a aac",
        {"start_time": 2.0, "duration": 3.0, "has_audio": True},
        TIMES,
        shown(),
    ),
    Odd(
        "uneven.mp4",
        "variable frame rate",
        f"NUMBERS -vf settb=1/1000,setpts=N*N*4 {PASS} {X264}",
        {"variable_fps": True},
        (0.0, 0.101, 0.9, 10.01),
        (0, 5, 15, 50),
    ),
    Odd(
        "one.mp4",
        "a single picture",
        f"NUMBERS -frames:v 1 {X264}",
        {"duration": 0.04},
        numbers=(0,),
    ),
    Odd(
        "moving.gif",
        "animated GIF",
        "NUMBERS -vf fps=25 -c:v gif",
        {"codec": "gif", "duration": 3.0, "fps": 25.0},
        TIMES,
        shown(),
    ),
    Odd("long.mp4", "says that it lasts a century", endless, {"duration": 3.0}, TIMES, shown()),
    Odd(
        "nan.mkv", "says that its length is no number", no_number, {"duration": 3.0}, TIMES, shown()
    ),
    # No player shows these one after the other; it must only not fail.
    Odd("rateless.mp4", "says that all pictures are shown at once", timeless, {"duration": 3.0}),
    Odd(
        "hurt.ts",
        "damaged in its middle",
        damaged,
        {"duration": 3.0},
        (0.0, 0.5, 2.9),
        (0, 12, 72),
    ),
]
