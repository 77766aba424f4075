"""The errors that haeseol raises on purpose, the codes a failed job carries, and the exit codes."""

from enum import IntEnum, StrEnum


class ErrorCode(StrEnum):
    """Why a job failed. The names are a contract: they appear in JSON and in the catalog."""

    UNREADABLE = "unreadable"  # not a video that we can open
    NO_VIDEO_STREAM = "no_video_stream"  # opens, but holds no moving picture
    TRUNCATED = "truncated"  # a part of the file is missing
    DECODE_TIMEOUT = "decode_timeout"  # decoding took longer than its limit
    DECODER_CRASHED = "decoder_crashed"  # decoding or captioning ended the process
    OUT_OF_MEMORY = "out_of_memory"  # main memory
    GPU_OUT_OF_MEMORY = "gpu_out_of_memory"  # the card's memory
    MODEL_UNAVAILABLE = "model_unavailable"  # weights missing, or they do not load
    ENGINE_UNREACHABLE = "engine_unreachable"  # a remote engine does not answer
    DISK_FULL = "disk_full"  # no space for the catalog
    VANISHED = "vanished"  # the file is gone
    CHANGED_WHILE_READING = "changed_while_reading"  # the file was written to during the job


ADVICE: dict[ErrorCode, str] = {
    ErrorCode.UNREADABLE: "The file does not open as a video. Check that it plays; remove or replace it.",
    ErrorCode.NO_VIDEO_STREAM: "The file holds no moving picture, only sound. Move it out of the folder.",
    ErrorCode.TRUNCATED: "A part of the file is missing. Copy it again in full.",
    ErrorCode.DECODE_TIMEOUT: "Decoding took too long. Convert the file to H.264, then retry.",
    ErrorCode.DECODER_CRASHED: "The program ended while reading this file. Convert it to H.264, then retry.",
    ErrorCode.OUT_OF_MEMORY: "Memory ran out. Close other programs, or lower `frames`, then retry.",
    ErrorCode.GPU_OUT_OF_MEMORY: "The GPU's memory ran out. Lower `frames` or choose a smaller model.",
    ErrorCode.MODEL_UNAVAILABLE: "The model is missing, or it refused: the message says which. See `models`.",
    ErrorCode.ENGINE_UNREACHABLE: "The captioning engine does not answer. Check its address.",
    ErrorCode.DISK_FULL: "The disk is full. Free some space; work goes on by itself.",
    ErrorCode.VANISHED: "The file is gone. Put it back, and it is taken up again.",
    ErrorCode.CHANGED_WHILE_READING: "The file changed while it was read. It is tried again.",
}
"""What a person can do about each code, as English message ids for `catalog.language.tr`."""


class ExitCode(IntEnum):
    """What a command returns to the shell."""

    DONE = 0
    FAILED = 1  # failed, or nothing found
    USAGE = 2  # wrong usage or configuration
    PARTIAL = 4  # some of several failed
    BAD_CONFIG = 78  # EX_CONFIG, for the daemon: systemd does not restart it
    INTERRUPTED = 130


class HaeseolError(Exception):
    """The root of every error that is shown to a person as one sentence."""


class UsageError(HaeseolError):
    """The command line or the configuration is wrong."""


class NotFoundError(HaeseolError):
    """Nothing in the catalog answers to that name."""


class LeaseLostError(HaeseolError):
    """Another worker has taken the job over; its result must not be written."""


class InterruptedByUserError(Exception):
    """A stop was asked for. What was under way leaves nothing behind but its checkpoints."""


class LockedError(HaeseolError):
    """Another daemon holds this home folder."""


class CodedError(HaeseolError):
    """A job failed for a reason that has a code.

    The message names the file, says what happened and what to do next.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
