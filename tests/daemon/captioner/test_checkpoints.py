"""From a setting to a folder with weights, and one clear sentence for everything that can be wrong."""

import json
import shutil
from collections import namedtuple
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModelForImageTextToText

from catalog.errors import CodedError
from catalog.home import Home
from catalog.settings import load_settings
from daemon.captioner import checkpoints, loading
from daemon.captioner.attention import attention_for
from daemon.captioner.checkpoints import Checkpoint, download, find_checkpoint
from daemon.captioner.loading import dtype_for, load
from daemon.captioner.profiles import (
    BY_NAME,
    DEMO_CHECKPOINT,
    PROFILES,
    frames_for,
    pick,
    profile_of,
)
from daemon.captioner.quantization import check_quantized, weights_bytes
from daemon.commands.models import _row, table

GIB = 1024**3


def test_choosing_a_checkpoint(home: Home) -> None:
    assert find_checkpoint(load_settings(home, model="demo"), home).name == "demo"
    folder = str(DEMO_CHECKPOINT)
    assert find_checkpoint(load_settings(home, model=folder), home).name == "demo"
    settings = load_settings(
        home, model="demo", quantization="nf4", attention="eager", pool_stride=3, frames=5
    )
    found = find_checkpoint(settings, home)
    assert (found.quantization, found.attention, found.pool_stride, found.frames) == (
        "nf4",
        "eager",
        3,
        5,
    )


def test_settings_come_from_the_environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAESEOL_POOL_STRIDE", "3")
    monkeypatch.setenv("HAESEOL_ATTENTION", "sdpa")
    found = find_checkpoint(load_settings(home, model="demo"), home)
    assert (found.pool_stride, found.attention) == (3, "sdpa")


@pytest.mark.parametrize(
    ("model", "sentence"),
    [
        (
            "auto",
            r"not on this machine\. Download it with `haeseol .*models download llava-onevision",
        ),
        ("llava-next-video-7b", r"not on this machine\. Download it with"),
        ("llava-hf/LLaVA-NeXT-Video-7B-hf", r"not on this machine\. Download it with"),
        ("llava-next-vidoe-7b", r"did you mean llava-next-video-7b\?"),
        ("LLaVA-Next-Video-7B", r"did you mean llava-next-video-7b\?"),
        ("gpt", r"`haeseol .*models` lists the presets"),
    ],
)
def test_a_model_that_is_not_here(
    home: Home, monkeypatch: pytest.MonkeyPatch, model: str, sentence: str
) -> None:
    monkeypatch.setattr(checkpoints, "free_gpu_gib", lambda: None)
    with pytest.raises(CodedError, match=sentence) as raised:
        find_checkpoint(load_settings(home, model=model), home)
    assert raised.value.code == "model_unavailable"


def test_a_download_without_network(home: Home) -> None:
    """The tests run offline, as a machine without network is."""
    with pytest.raises(
        CodedError, match=r"cannot download llava-hf/LLaVA.*Check the name and the conn"
    ):
        download("llava-next-video-7b", home)
    with pytest.raises(CodedError, match="did you mean qwen3-vl-8b"):
        download("qwen3-vl-8", home)


def test_a_preset_and_its_hub_id_are_the_same_model() -> None:
    assert profile_of("llava-hf/llava-v1.6-34b-hf") is BY_NAME["llava-v1.6-34b"]
    assert profile_of("someone/else") is None


def folder_with(tmp_path: Path, config: object, *names: str) -> Path:
    (tmp_path / "config.json").write_text(json.dumps(config))
    for name in names:
        (tmp_path / name).write_bytes(b"")
    return tmp_path


@pytest.mark.parametrize(
    ("config", "names", "sentence"),
    [
        (None, [], "there is no config.json"),
        ({}, [], "holds no weights"),
        ({}, ["pytorch_model.bin"], r"pytorch_model\.bin is a pickle"),
        ({}, ["model.safetensors"], "does not load"),
        (
            {"model_type": "strange", "auto_map": {"AutoConfig": "code.Config"}},
            ["model.safetensors"],
            "brings Python code of its own .*which haeseol never runs",
        ),
        ({"model_type": "llama"}, ["model.safetensors"], "does not load"),
    ],
)
def test_a_folder_that_cannot_be_loaded(
    tmp_path: Path, config: object, names: list[str], sentence: str
) -> None:
    folder = tmp_path if config is None else folder_with(tmp_path, config, *names)
    with pytest.raises(CodedError, match=sentence) as raised:
        load(Checkpoint("broken", folder, "none", 8), "cpu")
    assert raised.value.code == "model_unavailable"
    assert "\n" not in str(raised.value)


def test_pickled_weights_are_refused_before_anything_is_loaded(home: Home, tmp_path: Path) -> None:
    folder = folder_with(tmp_path, {}, "pytorch_model.bin")
    with pytest.raises(CodedError, match="is a pickle"):
        find_checkpoint(load_settings(home, model=str(folder)), home)


def test_parts_that_a_file_lacks_are_not_made_up(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "lacking"
    shutil.copytree(DEMO_CHECKPOINT, folder)
    weights = load_file(folder / "model.safetensors")
    gone = next(name for name in weights if "multi_modal_projector" in name)
    del weights[gone]
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(CodedError, match=r"lack 1 parts \(for one, model\.multi_modal_projector"):
        load(Checkpoint("lacking", folder, "none", 8), "cpu")


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_download_that_broke_off_says_so(tmp_path: Path, share: float) -> None:
    folder = tmp_path / "cut"
    shutil.copytree(DEMO_CHECKPOINT, folder)
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(CodedError, match=r"does not load: .*\. Download it again"):
        load(Checkpoint("cut", folder, "none", 8), "cpu")


@pytest.mark.parametrize("quantization", ["none", "nf4", "int8"])
def test_the_memory_of_the_weights_is_foretold(quantization: Any) -> None:
    """To the byte as it is, and within a thousandth with NF4, whose scales are rounded up."""
    model = load(Checkpoint("demo", DEMO_CHECKPOINT, quantization, 8), "cpu").model
    taken = 0
    for weight in {id(it): it for it in model.parameters()}.values():
        taken += weight.numel() * weight.element_size()
        state = getattr(weight, "quant_state", None)
        if state is not None:
            taken += state.absmax.numel() + 4 * state.state2.absmax.numel()
    config = AutoConfig.from_pretrained(DEMO_CHECKPOINT)
    with torch.device("meta"):
        skeleton = AutoModelForImageTextToText.from_config(config, dtype=torch.float32)
    foretold = weights_bytes(skeleton, quantization, torch.float32)
    assert foretold == pytest.approx(taken, rel=0.001 if quantization == "nf4" else 0)


def test_a_model_larger_than_the_memory_is_refused_before_it_is_loaded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loading, "free_bytes", lambda device: 4 * 1024**2)
    with pytest.raises(CodedError, match=r"the model demo as none takes 0\.0 GiB, and") as raised:
        load(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), "cpu")
    assert raised.value.code == "out_of_memory"


@pytest.mark.parametrize(
    ("device", "code"), [("cpu", "out_of_memory"), ("cuda", "gpu_out_of_memory")]
)
def test_memory_that_runs_out_while_loading(
    monkeypatch: pytest.MonkeyPatch, device: str, code: str
) -> None:
    def exhausted(*facts: Any) -> None:
        raise RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")

    monkeypatch.setattr(loading, "_loaded", exhausted)
    monkeypatch.setattr(loading, "device_for", torch.device)
    monkeypatch.setattr(loading, "attention_for", lambda *facts: "sdpa")
    with pytest.raises(CodedError, match="has no room for the model demo as none; free it") as told:
        load(Checkpoint("demo", DEMO_CHECKPOINT, "none", 8), device)
    assert told.value.code == code


def test_free_memory_is_known() -> None:
    free = loading.free_bytes(torch.device("cpu"))
    assert free is not None
    assert 2**20 < free < 2**50


@pytest.mark.parametrize(
    ("wanted", "device", "capability", "package", "attention"),
    [
        ("auto", "cpu", 0, True, "sdpa"),
        ("auto", "cuda", 7, True, "sdpa"),  # a T4
        ("auto", "cuda", 8, False, "sdpa"),
        ("auto", "cuda", 8, True, "flash_attention_2"),
        ("flash_attention_2", "cuda", 9, True, "flash_attention_2"),
        ("eager", "cuda", 9, True, "eager"),
        ("sdpa", "cuda", 9, True, "sdpa"),
        ("flash_attention_2", "cpu", 0, True, "it needs a GPU"),
        ("flash_attention_2", "cuda", 7, True, "it needs an Ampere GPU"),
        ("flash_attention_2", "cuda", 8, False, "pip install flash-attn"),
    ],
)
def test_attention(
    monkeypatch: pytest.MonkeyPatch,
    wanted: Any,
    device: str,
    capability: int,
    package: bool,
    attention: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (capability, 0))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if package else None)
    if " " not in attention:
        assert attention_for(wanted, torch.device(device)) == attention
        return
    with pytest.raises(CodedError, match=f"cannot be had: .*{attention}.*attention = auto"):
        attention_for(wanted, torch.device(device))


@pytest.mark.parametrize(("real", "dtype"), [(True, torch.bfloat16), (False, torch.float16)])
def test_half_precision_that_the_gpu_really_has(
    monkeypatch: pytest.MonkeyPatch, real: bool, dtype: torch.dtype
) -> None:
    """torch says of a T4 that it knows bfloat16, which it emulates."""
    monkeypatch.setattr(
        torch.cuda,
        "is_bf16_supported",
        lambda including_emulation=True: including_emulation or real,
    )
    assert dtype_for(torch.device("cuda")) is dtype


def test_a_wrong_prefix_is_noticed() -> None:
    with pytest.raises(CodedError, match="took 0 layers instead of the language model's 1"):
        check_quantized(torch.nn.Linear(2, 2), "nf4", {"language_model.layers.0"})


def test_auto_never_is_the_demo_model() -> None:
    for free in (None, 2.0, 6.0, 14.0, 22.0, 40.0, 80.0, 140.0):
        choice = pick(free)
        assert choice.profile is not BY_NAME["demo"]
        if free is not None:
            assert choice.profile.memory_gib(choice.quantization) <= max(free, 4)


@pytest.mark.parametrize(
    ("gib", "quantization", "frames"),
    [(15, "nf4", 4), (22.5, "nf4", 8), (39.5, "none", 16), (79, "none", 32)],
)
def test_t4_l4_a100_and_h100(gib: float, quantization: str, frames: int) -> None:
    choice = pick(gib)
    assert (choice.quantization, choice.frames) == (quantization, frames)


def test_a_large_model_leaves_room_for_fewer_frames() -> None:
    large = BY_NAME["llava-next-video-34b"]
    assert frames_for(79, large, "nf4") == 32
    assert frames_for(39.5, large, "nf4") == 8
    assert frames_for(22.5, large, "nf4") == 4
    assert frames_for(19.5, large, "nf4") == 2


@pytest.mark.parametrize(("free", "stride"), [(22.5, None), (5.0, 3), (None, None)])
def test_frames_are_pooled_more_where_memory_is_short(
    home: Home, monkeypatch: pytest.MonkeyPatch, free: float | None, stride: int | None
) -> None:
    monkeypatch.setattr(checkpoints, "free_gpu_gib", lambda: free)
    monkeypatch.setattr(checkpoints, "_folder_of", lambda *names: DEMO_CHECKPOINT)
    settings = load_settings(home, model="llava-next-video-7b", quantization="nf4")
    assert find_checkpoint(settings, home).pool_stride == stride


def test_presets_are_what_the_sources_name() -> None:
    for profile in PROFILES:
        assert profile.kept < profile.weights
        assert profile.languages
        assert profile.licence
        assert profile.memory_gib("nf4") <= profile.memory_gib("int8") <= profile.memory_gib("none")
    pictures = {profile.name for profile in PROFILES if profile.pictures_only}
    assert pictures == {name for name in BY_NAME if name.startswith("llava-v1.6")}
    assert BY_NAME["llava-next-video-7b"].tokens_per_frame == (24 // 2) ** 2
    assert BY_NAME["llava-onevision-7b"].tokens_per_frame == 14**2


def test_table_and_json_say_the_same(home: Home) -> None:
    rows = [_row(profile, home) for profile in PROFILES]
    lines = table(rows)
    assert len(lines) == len(rows) + 1
    header = lines[0]
    for row, line in zip(rows, lines[1:], strict=True):
        name, weights, nf4, int8, fp16, tokens, frames, kind, here = line.split()[:9]
        memory = row["memory_gib"]
        assert name == row["name"]
        assert weights == f"{row['weights_billion']:g}B"
        assert [nf4, int8, fp16] == [f"{memory[it]:g}" for it in ("nf4", "int8", "none")]
        assert [int(tokens), int(frames)] == [row["tokens_per_frame"], row["default_frames"]]
        assert kind == ("pictures" if row["pictures_only"] else "video")
        assert here == ("yes" if row["downloaded"] else "no")
        assert line[header.index("licence") :].startswith(row["licence"])
        assert line[header.index("languages") :] == row["languages"]


GEOMETRY = namedtuple("GEOMETRY", "family hidden inner layers heads shared words tied")


@pytest.mark.parametrize(
    ("name", "geometry"),
    [
        ("llava-next-video-7b", GEOMETRY("next", 4096, 11008, 32, 32, 32, 32064, False)),
        ("llava-v1.6-vicuna-13b", GEOMETRY("next", 5120, 13824, 40, 40, 40, 32064, False)),
        ("llava-next-video-34b", GEOMETRY("next", 7168, 20480, 60, 56, 8, 64064, False)),
        ("llava-onevision-0.5b", GEOMETRY("onevision", 896, 4864, 24, 14, 2, 152000, True)),
        ("llava-onevision-72b", GEOMETRY("onevision", 8192, 29568, 80, 64, 8, 152064, False)),
    ],
)
def test_sizes_are_those_of_the_architecture(name: str, geometry: Any) -> None:
    """Counted by hand from the published sizes of the language model, its tower and projector."""
    head = geometry.hidden // geometry.heads
    attention = geometry.hidden * head * (2 * geometry.heads + 2 * geometry.shared)
    layers = geometry.layers * (attention + 3 * geometry.hidden * geometry.inner)
    words = geometry.hidden * geometry.words * (1 if geometry.tied else 2)
    seen = 1024 if geometry.family == "next" else 1152
    tower = 303.5e6 if geometry.family == "next" else 397.8e6
    projector = seen * geometry.hidden + geometry.hidden**2
    profile = BY_NAME[name]
    assert profile.weights == pytest.approx((layers + words + tower + projector) / 1e9, rel=0.02)
    assert profile.weights - profile.kept == pytest.approx(layers / 1e9, rel=0.02)
