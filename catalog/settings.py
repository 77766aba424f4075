"""The settings: defaults < `config.toml` < `HAESEOL_…` environment < flags.

Only commands that do work read them here; pydantic-settings takes a fifth of a second to import.
"""

import difflib
import os
from typing import Any, Literal

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from catalog.errors import UsageError
from catalog.home import Home, find_home


class Settings(BaseSettings):
    """What a person can set. Every key has a default; an unknown key in the file is an error."""

    model_config = SettingsConfigDict(
        env_prefix="HAESEOL_", extra="forbid", frozen=True, protected_namespaces=()
    )

    model: str = "auto"
    """`auto` picks by the GPU; else a preset of `haeseol models`, a hub id, or a local folder."""
    quantization: Literal["auto", "nf4", "int8", "none"] = "auto"
    """`auto` is nf4 on a GPU for models that do not fit as they are, and none on a CPU."""
    device: Literal["auto", "cuda", "cpu"] = "auto"
    """Where the model runs."""
    frames: int | None = Field(default=None, ge=1, le=64)
    """Frames a scene and a video; the model's own default where it is not set."""
    batch_size: int | None = Field(default=None, ge=1, le=64)
    """Scenes captioned at once; by the device where it is not set."""
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
    min_scene_seconds: float = Field(default=0.5, gt=0)
    """A shorter shot joins its neighbour."""
    max_scene_seconds: float = Field(default=60.0, gt=0)
    """A longer take is split."""

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
    return f"{source}: {first['msg']}, not {first['input']!r}"
