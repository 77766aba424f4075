"""The settings: defaults < `config.toml` < `HAESEOL_…` environment < flags.

Only commands that do work read them here; pydantic-settings takes a fifth of a second to import.
"""

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from catalog.addresses import engine_address
from catalog.errors import UsageError
from catalog.home import Home, find_home, given_path

_ADDRESS_ERROR = "engine_address"


class Settings(BaseSettings):
    """What a person can set. Every key has a default; an unknown key in the file is an error."""

    model_config = SettingsConfigDict(
        env_prefix="HAESEOL_", extra="forbid", frozen=True, protected_namespaces=()
    )

    model: str = "auto"
    """`auto` is the engines if any are set, else picked by the GPU; or `remote` for the engines, a
    preset of `haeseol models`, a hub id, a local folder."""
    quantization: Literal["auto", "nf4", "int8", "none"] = "auto"
    """`auto` is nf4 on a GPU for models that do not fit as they are, and none on a CPU."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """Where the model runs."""
    frames: int | None = Field(default=None, ge=1, le=64)
    """Frames a scene and a video; the model's own default where it is not set."""
    batch_size: int | None = Field(default=None, ge=1, le=64)
    """Scenes captioned at once; by the device where it is not set."""
    attention: Literal["auto", "sdpa", "flash_attention_2", "eager"] = "auto"
    """`auto` is flash_attention_2 where the package and the GPU have it, and sdpa elsewhere."""
    pool_stride: int | None = Field(default=None, ge=2, le=3)
    """A frame's grid is pooled in squares of that side; 2, and 3 where memory is short, if not set."""
    jobs_at_once: int | None = Field(default=None, ge=1, le=8)
    """Videos worked on at once, so that the model never waits for a decoder; 2 to 8 by `batch_size`."""
    unload_minutes: float = Field(default=10.0, ge=0)
    """The model is put away, and its memory given back, after so long without work."""
    quiet_from: str = ""
    """Cron times from which the GPU is left alone, such as `0 9 * * mon-fri`; empty for none."""
    quiet_until: str = ""
    """Cron times until which it is, such as `0 18 * * mon-fri`."""
    yield_gpu: bool = True
    """The model is put away while another program holds the GPU, and loaded again afterwards."""
    engine_allow_plain_http: bool = False
    """Engines beyond the private network may be addressed without encryption."""
    engines: Annotated[tuple[str, ...], NoDecode] = ()
    """Addresses of OpenAI-compatible engines that caption, such as `["http://127.0.0.1:8000/v1"]`."""
    engine_model: str = ""
    """The name of the model to ask them for; empty for the only one that they serve."""
    engine_media: Literal["images", "video"] = "images"
    """Frames are sent as so many JPEG images, or as one small MP4 video."""
    engine_at_once: int = Field(default=4, ge=1, le=256)
    """Requests that are under way at one engine."""
    engine_timeout_seconds: float = Field(default=300.0, gt=0)
    """How long an engine may take for one answer."""
    engine_long_side: int | None = Field(default=None, ge=64, le=4096)
    """The larger side of the pictures sent, in pixels; 384 for images and 672 for video if not set."""
    engine_jpeg_quality: int = Field(default=90, ge=30, le=100)
    """The JPEG quality of images sent."""
    engine_key_file: Path | None = None
    """A file with the engines' API key, unless `HAESEOL_ENGINE_KEY` holds it."""
    lang: Literal["auto", "ko", "en"] = "auto"
    """Language of messages and of the terminal UI; `auto` follows the locale."""
    settle_seconds: float = Field(default=10.0, ge=0)
    """A file is taken once its size and times have rested so long, on a local disk."""
    settle_seconds_network: float = Field(default=60.0, ge=0)
    """The same on a network file system."""
    reconcile_seconds: float = Field(default=300.0, gt=0)
    """How often the folders are compared with the catalog, whatever events came."""
    reconcile_seconds_network: float = Field(default=3600.0, gt=0)
    """The same for folders on a network file system."""
    korean_retries: bool = True
    """A text that the Korean gate refuses is asked for again, then written by way of English."""
    previous_note: bool = False
    """Each scene's prompt shows the note on the scene before; scenes then go one after the other."""
    titles_and_tags: bool = False
    """The model also makes a title and tags out of each caption; the bundled demo model cannot."""
    min_scene_seconds: float = Field(default=0.5, gt=0)
    """A shorter shot joins its neighbour."""
    max_scene_seconds: float = Field(default=60.0, gt=0)
    """A longer take is split."""
    scene_search: Literal["exact", "fast"] = "exact"
    """`fast` looks at key frames, and closer only where they differ: for archives of many hours."""
    photos: bool = False
    """Whether pictures (JPEG, PNG, WebP, AVIF, HEIC) that lie in the folders are captioned too."""
    sampling: Literal["uniform", "adaptive"] = "adaptive"
    """`adaptive` shows the model what is there only for a moment, and more of where more moves."""
    meaning_model: Path | None = None
    """A folder with a model2vec model; search then also goes by meaning. Empty for none."""

    def asks_engines(self, model: str | None = None) -> bool:
        """Whether that model, or the configured one, is asked of engines and not loaded here."""
        wanted = model or self.model
        return wanted == "remote" or (wanted == "auto" and bool(self.engines))

    @field_validator("meaning_model", mode="before")
    @classmethod
    def _folder_given(cls, value: object) -> object:
        """An empty text switches it off; `~` is the person's own folder."""
        return (given_path(value) if value else None) if isinstance(value, str) else value

    @field_validator("engines", mode="before")
    @classmethod
    def _engines_checked(cls, value: object, info: ValidationInfo) -> object:
        """A list, or one text with commas as the environment gives it; every address checked."""
        addresses = value.replace(",", " ").split() if isinstance(value, str) else value
        if not isinstance(addresses, (list, tuple)):
            return addresses
        plain = bool(info.data.get("engine_allow_plain_http"))
        try:
            return [engine_address(str(one), allow_plain_http=plain) for one in addresses]
        except ValueError as error:
            raise PydanticCustomError(_ADDRESS_ERROR, "{why}", {"why": str(error)}) from error

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags come first, then the environment, then the file."""
        file = TomlConfigSettingsSource(settings_cls, cls.model_config.get("toml_file"))
        return init_settings, env_settings, file


def load_settings(home: Home | None = None, **flags: Any) -> Settings:
    """Reads the settings of a home. Flags that are None do not count.

    Raises `UsageError`, which names the file or the variable, the key, and the nearest valid key.
    """
    chosen = home or find_home()

    class SettingsOfHome(Settings):
        model_config = SettingsConfigDict(toml_file=chosen.config_file)

    given = {key: value for key, value in flags.items() if value is not None}
    try:
        return SettingsOfHome(**given)
    except ValidationError as error:
        raise UsageError(_explain(error, chosen, given)) from error
    except ValueError as error:  # TOML that does not parse
        raise UsageError(f"{chosen.config_file} is not valid TOML: {error}") from error


def _explain(error: ValidationError, home: Home, flags: dict[str, Any]) -> str:
    first = error.errors()[0]
    key = str(first["loc"][0])
    if first["type"] == "extra_forbidden":
        near = difflib.get_close_matches(key, Settings.model_fields, 1)
        hint = (
            f"did you mean {near[0]!r}?" if near else f"known: {', '.join(Settings.model_fields)}"
        )
        return f"{home.config_file}: unknown setting {key!r}; {hint}"
    variable = f"HAESEOL_{key.upper()}"
    if key in flags:
        source = f"--{key.replace('_', '-')}"
    else:
        source = variable if variable in os.environ else f"{home.config_file}: {key}"
    if first["type"] == _ADDRESS_ERROR:  # says it all, and the address may hold a password
        return f"{source}: {first['msg']}"
    return f"{source}: {first['msg']}, not {first['input']!r}"
