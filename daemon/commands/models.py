"""The `models` command: the models by name, what this machine would pick, and the one download."""

import argparse
import unicodedata
from collections.abc import Callable

from catalog.errors import ExitCode, UsageError
from catalog.home import Home
from catalog.language import tr
from catalog.terminal import emit_json, narrate, padded, say
from catalog.views import Json
from daemon.captioner.checkpoints import download, is_downloaded
from daemon.captioner.profiles import PROFILES, Choice, Profile, free_gpu_gib, pick

_Cell = Callable[[Json], object]


def models(options: argparse.Namespace, home: Home) -> int:
    """The `models` command."""
    if options.action == "download":
        if not options.name:
            raise UsageError("`models download` needs a preset or a hub id")
        narrate(tr("Downloading {model} from the Hugging Face hub", model=options.name))
        say(str(download(options.name, home)))
        return ExitCode.DONE
    free_gib = free_gpu_gib()
    choice = pick(free_gib)
    rows = [_row(profile, home) for profile in PROFILES]
    if options.json:
        emit_json({"models": rows, "auto": _picked(choice)})
        return ExitCode.DONE
    for line in table(rows):
        say(line)
    say("")
    say(tr("GiB: the weights and a batch. Models for pictures see frames of a video as photos."))
    picked = {**_picked(choice), "reason": _reason(free_gib)}
    say(tr("auto: {name}, {quantization}, {frames} frames; {reason}", **picked))
    return ExitCode.DONE


def table(rows: list[Json]) -> list[str]:
    """The models as lines of aligned columns, the names of the columns first."""
    columns: tuple[tuple[str, _Cell], ...] = (
        ("", lambda row: row["name"]),
        (tr("weights"), lambda row: f"{row['weights_billion']:g}B"),
        ("nf4 GiB", lambda row: f"{row['memory_gib']['nf4']:g}"),
        ("int8 GiB", lambda row: f"{row['memory_gib']['int8']:g}"),
        ("fp16 GiB", lambda row: f"{row['memory_gib']['none']:g}"),
        (tr("tokens a frame"), lambda row: row["tokens_per_frame"]),
        (tr("frames"), lambda row: row["default_frames"]),
        (tr("for"), lambda row: tr("pictures") if row["pictures_only"] else tr("video")),
        (tr("on this machine"), lambda row: tr("yes") if row["downloaded"] else tr("no")),
        (tr("licence"), lambda row: row["licence"]),
        (tr("languages of the model card"), lambda row: row["languages"]),
    )
    cells = [[name for name, _ in columns]]
    cells += [[str(cell(row)) for _, cell in columns] for row in rows]
    widths = [max(_width(line[place]) for line in cells) for place in range(len(columns))]
    return [
        "  ".join(padded(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]


def _width(text: str) -> int:
    """The terminal cells that a text takes."""
    return len(text) + sum(unicodedata.east_asian_width(character) in "WF" for character in text)


def _reason(free_gib: float | None) -> str:
    if free_gib is None:
        return tr("no GPU was found; the smallest model runs on a CPU")
    return tr("{gib} GiB are free on the GPU", gib=f"{free_gib:.0f}")


def _picked(choice: Choice) -> Json:
    return {
        "name": choice.profile.name,
        "quantization": choice.quantization,
        "frames": choice.frames,
        "reason": choice.reason,
    }


def _row(profile: Profile, home: Home) -> Json:
    return {
        "name": profile.name,
        "checkpoint": profile.checkpoint if profile.name != "demo" else "bundled",
        "weights_billion": profile.weights,
        "tokens_per_frame": profile.tokens_per_frame,
        "default_frames": profile.default_frames,
        "memory_gib": {
            "nf4": profile.memory_gib("nf4"),
            "int8": profile.memory_gib("int8"),
            "none": profile.memory_gib("none"),
        },
        "pictures_only": profile.pictures_only,
        "languages": profile.languages,
        "licence": profile.licence,
        "downloaded": is_downloaded(profile, home),
    }
