"""A probe tells what a file is, and refuses broken ones with a code and a sentence."""

from __future__ import annotations

import os
from fractions import Fraction
from typing import TYPE_CHECKING

import pytest

from catalog.errors import ErrorCode
from daemon.media import MediaError, probe
from tests.clips import cut_off, plain, write_numbered, write_sound, write_video

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FASTSTART = {"movflags": "faststart"}


def text(folder: Path) -> Path:
    path = folder / "notes.mp4"
    path.write_text("오늘은 비가 온다.\n" * 200)
    return path


def concat_script(folder: Path) -> Path:
    write_numbered(folder / "other.mp4", 5)
    path = folder / "script.mp4"
    path.write_text("ffconcat version 1.0\nfile other.mp4\n")
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.mp4"
    path.touch()
    return path


def folder(folder: Path) -> Path:
    path = folder / "folder.mp4"
    path.mkdir()
    return path


def odd_codec(folder: Path) -> Path:
    return write_numbered(folder / "rare.avi", 3, codec="magicyuv", options={"pred": "left"})


def gone(folder: Path) -> Path:
    return folder / "gone.mp4"


def playlist(folder: Path) -> Path:
    path = folder / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\nother.ts\n")
    return path


def sound(folder: Path) -> Path:
    return write_sound(folder / "voice.m4a")


def covered_sound(folder: Path) -> Path:
    return write_sound(folder / "song.mp3", cover=True).rename(folder / "song.mp4")


def index_missing(folder: Path) -> Path:
    return cut_off(write_numbered(folder / "whole.mp4", 60), folder / "half.mp4", 0.5)


def data_missing(folder: Path) -> Path:
    whole = write_numbered(folder / "whole.mp4", 60, container_options=FASTSTART)
    return cut_off(whole, folder / "half.mp4", 0.7)


def last_byte_missing(folder: Path) -> Path:
    whole = write_numbered(folder / "whole.mp4", 60, container_options=FASTSTART, sound=True)
    return cut_off(whole, folder / "nearly.mp4", 0.9999)


def only_the_first_bytes(folder: Path) -> Path:
    return cut_off(write_numbered(folder / "whole.mp4", 60), folder / "start.mp4", 0.02)


def half_a_matroska(folder: Path) -> Path:
    return cut_off(write_numbered(folder / "whole.mkv", 60), folder / "half.mkv", 0.5)


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (empty, ErrorCode.UNREADABLE),
        (text, ErrorCode.UNREADABLE),
        (concat_script, ErrorCode.UNREADABLE),
        (playlist, ErrorCode.UNREADABLE),
        (folder, ErrorCode.UNREADABLE),
        (odd_codec, ErrorCode.UNREADABLE),
        (gone, ErrorCode.VANISHED),
        (sound, ErrorCode.NO_VIDEO_STREAM),
        (covered_sound, ErrorCode.NO_VIDEO_STREAM),
        (index_missing, ErrorCode.TRUNCATED),
        (data_missing, ErrorCode.TRUNCATED),
        (last_byte_missing, ErrorCode.TRUNCATED),
        (only_the_first_bytes, ErrorCode.TRUNCATED),
        (half_a_matroska, ErrorCode.TRUNCATED),
    ],
)
def test_a_broken_file_has_a_code_and_advice(
    tmp_path: Path, make: Callable[[Path], Path], code: ErrorCode
) -> None:
    path = make(tmp_path)
    with pytest.raises(MediaError) as caught:
        probe(path)
    sentence = str(caught.value)
    assert caught.value.code == code, sentence
    assert path.name in sentence
    assert "; " in sentence
    assert sentence.endswith(".")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_permission_denied_is_said_so(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "closed.mp4", 3)
    path.chmod(0)
    with pytest.raises(MediaError, match="permission") as caught:
        probe(path)
    assert caught.value.code == ErrorCode.UNREADABLE


def test_broken_files_write_nothing_to_stderr(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for make in (index_missing, data_missing, text):
        with pytest.raises(MediaError):
            probe(make(tmp_path))
    assert capfd.readouterr().err == ""


def test_an_ordinary_file(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "clip.mp4", [plain((9, 9, 200))] * 60, fps=Fraction(30000, 1001), sound=True
    )
    found = probe(path)
    assert found.duration == pytest.approx(60 * 1001 / 30000, abs=1e-4)
    assert (found.width, found.height, found.rotation) == (128, 96, 0)
    assert found.fps == pytest.approx(29.97, abs=0.01)
    assert not found.variable_fps
    assert (found.codec, found.frame_count, found.start_time) == ("h264", 60, 0.0)
    assert found.has_audio
    assert found.created_at is None


def test_the_codec_is_named_not_its_decoder(tmp_path: Path) -> None:
    path = write_numbered(tmp_path / "clip.webm", 4, codec="libvpx-vp9", options={"cpu-used": "8"})
    assert probe(path).codec == "vp9"


@pytest.mark.parametrize(
    ("metadata", "created_at"),
    [
        ({"creation_time": "2024-05-01T12:34:56.000000Z"}, "2024-05-01T12:34:56+00:00"),
        ({"creation_time": "1970-01-01T00:00:00.000000Z"}, None),
        ({"creation_time": "yesterday"}, None),
    ],
)
def test_when_it_was_filmed(
    tmp_path: Path, metadata: dict[str, str], created_at: str | None
) -> None:
    path = write_numbered(tmp_path / "clip.mkv", 4, metadata=metadata)
    assert probe(path).created_at == created_at


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_turned_files_say_so(tmp_path: Path, degrees: int) -> None:
    path = write_numbered(tmp_path / "phone.mp4", 4, rotation=degrees)
    found = probe(path)
    assert found.rotation == degrees
    assert (found.width, found.height) == ((64, 48) if degrees == 180 else (48, 64))


def test_names_that_are_not_utf8_or_look_like_protocols(tmp_path: Path) -> None:
    for name in (b"\xff\xfe.mp4", b"concat:a|b.mp4", b"clip%03d.mp4", "한글 이름.mp4".encode()):
        path = tmp_path / os.fsdecode(name)
        write_numbered(tmp_path / "clip.mp4", 3).rename(path)
        assert probe(path).frame_count == 3
        path.write_bytes(b"")
        with pytest.raises(MediaError) as caught:
            probe(path)
        str(caught.value).encode()
