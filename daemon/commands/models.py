"""The `models` command: the models by name, what this machine would pick, and the one download."""

import argparse

from catalog.errors import ExitCode, UsageError
from catalog.home import Home
from catalog.language import tr
from catalog.terminal import emit_json, narrate, say
from catalog.views import Json
from daemon.captioner.checkpoints import download, is_downloaded
from daemon.captioner.profiles import PROFILES, Profile, free_gpu_gib, pick


def models(options: argparse.Namespace, home: Home) -> int:
    """The `models` command."""
    if options.action == "download":
        if not options.name:
            raise UsageError("`models download` needs a preset or a hub id")
        narrate(tr("Downloading {model} from the Hugging Face hub", model=options.name))
        say(str(download(options.name, home)))
        return ExitCode.DONE
    choice = pick(free_gpu_gib())
    rows = [_row(profile, home) for profile in PROFILES]
    picked: Json = {
        "name": choice.profile.name,
        "quantization": choice.quantization,
        "frames": choice.frames,
        "reason": choice.reason,
    }
    if options.json:
        emit_json({"models": rows, "auto": picked})
        return ExitCode.DONE
    say(
        f"{'':25} {tr('weights'):>10} {'nf4 GiB':>9} {'int8 GiB':>9} {'fp16 GiB':>9} "
        f"{tr('frames'):>7}  {tr('on this machine')}"
    )
    for row in rows:
        here = tr("yes") if row["downloaded"] else tr("no")
        memory = row["memory_gib"]
        say(
            f"{row['name']:25} {row['weights_billion']:>9g}B {memory['nf4']:>9g} "
            f"{memory['int8']:>9g} {memory['none']:>9g} {row['default_frames']:>7}  {here}"
        )
    say("")
    say(tr("auto: {name}, {quantization}, {frames} frames; {reason}", **picked))
    return ExitCode.DONE


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
        "languages": profile.languages,
        "licence": profile.licence,
        "downloaded": is_downloaded(profile, home),
    }
