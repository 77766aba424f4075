"""A file that untrusted content is read from: opened beforehand, so that reading needs no path."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO

from catalog.errors import CodedError, ErrorCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    import av.error

OPENINGS = 8
"""Readers that may be at one file at the same time, each at its own place."""


class MediaError(CodedError):
    """A video or photo cannot be opened, understood or decoded."""


@dataclass(slots=True)
class Source:
    """A file and descriptors for it, each with a place of its own; a context that closes them."""

    path: Path
    """Where the file was found; for messages, as a sandbox cannot open it."""
    size: int
    """Bytes."""
    _free: SimpleQueue[int] = field(default_factory=SimpleQueue)

    @classmethod
    def of(cls, path: Path) -> Source:
        """Opens a file. Raises `MediaError` (unreadable, vanished) if nothing can be read from it."""
        source = cls(path, 0)
        try:
            descriptor = source._open()
            status = os.fstat(descriptor)
            _check(path, status)
            for _ in range(OPENINGS - 1):
                source._open()
        except OSError as error:
            source.close()
            raise unreadable(path, error) from error
        except MediaError:
            source.close()
            raise
        source.size = status.st_size
        return source

    def _open(self) -> int:
        # A pipe or a device must not make this wait.
        flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY
        descriptor = os.open(self.path, flags)
        self._free.put(descriptor)
        return descriptor

    @contextmanager
    def lent(self) -> Iterator[int]:
        """Lends a descriptor, at the start of the file."""
        descriptor = self._free.get_nowait()
        try:
            os.lseek(descriptor, 0, os.SEEK_SET)
            yield descriptor
        finally:
            self._free.put(descriptor)

    def will_read(self, offset: int, size: int) -> None:
        """Tells the kernel which bytes are read next, so that a slow disk or share sends them ahead."""
        with self.lent() as descriptor, suppress(OSError):
            os.posix_fadvise(descriptor, offset, size, os.POSIX_FADV_WILLNEED)

    @contextmanager
    def reader(self) -> Iterator[BinaryIO]:
        """Lends the file to be read with Python's own functions."""
        with self.lent() as descriptor, open(descriptor, "rb", closefd=False) as file:
            yield file

    def close(self) -> None:
        """Closes the descriptors that are not lent."""
        while True:
            try:
                os.close(self._free.get_nowait())
            except Empty:
                return

    def __enter__(self) -> Source:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def failure(code: ErrorCode, path: Path, what: str, advice: str) -> MediaError:
    """Returns the error that names the file, what is wrong with it and what to do next."""
    name = os.fsencode(path).decode("utf-8", "replace")
    return MediaError(code, f"{name} {what}; {advice}.")


def truncated(path: Path) -> MediaError:
    """Returns the error for a file whose end is missing."""
    return failure(
        ErrorCode.TRUNCATED, path, "is cut short: a part of it is missing", "copy it again in full"
    )


def undecodable(path: Path) -> MediaError:
    """Returns the error for a file that opens but shows nothing."""
    return failure(
        ErrorCode.UNREADABLE,
        path,
        "holds no picture that can be decoded",
        "check that it plays, or delete it",
    )


def out_of_memory(path: Path) -> MediaError:
    """Returns the error for a file that is too much for this machine now."""
    return failure(
        ErrorCode.OUT_OF_MEMORY, path, "needs more memory than there is", "close other programs"
    )


def unreadable(path: Path, error: OSError | av.error.FFmpegError) -> MediaError:
    """Returns the error for a file that does not open."""
    if isinstance(error, FileNotFoundError):
        return failure(
            ErrorCode.VANISHED, path, "is gone", "put it back, or remove it from the catalog"
        )
    if isinstance(error, PermissionError):
        return failure(
            ErrorCode.UNREADABLE, path, "may not be read", "give your user permission to read it"
        )
    return failure(
        ErrorCode.UNREADABLE,
        path,
        f"does not open as a video ({error.strerror})",
        "check that it plays, convert it to H.264 in MP4, or delete it",
    )


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise failure(
            ErrorCode.UNREADABLE,
            path,
            "is not a regular file",
            "give the path of a video or a photo",
        )
    if status.st_size == 0:
        raise failure(ErrorCode.UNREADABLE, path, "is empty", "copy it again, or delete it")
