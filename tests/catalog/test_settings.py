"""Settings: where each value comes from, and what a mistake says."""

from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.home import Home, find_home, given_path
from catalog.settings import load_settings


def configure(home: Home, text: str) -> None:
    home.config_dir.mkdir(parents=True, exist_ok=True)
    home.config_file.write_text(text, encoding="utf-8")


def test_flag_over_environment_over_file_over_default(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_settings(home).settle_seconds == 10
    configure(home, "settle_seconds = 7\nframes = 4\n")
    assert load_settings(home).settle_seconds == 7
    monkeypatch.setenv("HAESEOL_SETTLE_SECONDS", "3")
    assert load_settings(home).settle_seconds == 3
    assert load_settings(home, settle_seconds=1.0).settle_seconds == 1
    assert load_settings(home, settle_seconds=None).frames == 4


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("modell = 'demo'", r"config\.toml: unknown setting 'modell'; did you mean 'model'\?"),
        ("frames = 0", r"config\.toml: frames: .*greater than or equal to 1.*not 0"),
        ("frames = ", r"config\.toml is not valid TOML"),
        ("quantization = 'nf5'", r"quantization: .*'nf4'.*not 'nf5'"),
    ],
)
def test_a_mistake_in_the_file_is_named(home: Home, text: str, complaint: str) -> None:
    configure(home, text)
    with pytest.raises(UsageError, match=complaint):
        load_settings(home)


def test_a_mistake_in_the_environment_names_the_variable(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAESEOL_FRAMES", "many")
    with pytest.raises(UsageError, match="HAESEOL_FRAMES"):
        load_settings(home)


def test_one_folder_holds_all_with_home(tmp_path: Path) -> None:
    home = find_home(tmp_path)
    for path in (home.config_file, home.catalog_file, home.models_dir, home.cache_dir):
        assert path.is_relative_to(tmp_path)
    assert home.command("run") == f"haeseol --home {tmp_path} run"


def test_without_home_the_xdg_folders_are_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative/is/ignored")
    monkeypatch.setenv("HOME", str(tmp_path))
    home = find_home()
    assert home.catalog_file == tmp_path / "data/haeseol/catalog.db"
    assert home.config_file == tmp_path / ".config/haeseol/config.toml"
    assert home.command("run") == "haeseol run"


def test_typed_paths_lose_their_dots_but_not_the_name_of_a_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real/a.mp4").write_bytes(b"")
    (tmp_path / "link.mp4").symlink_to(tmp_path / "real/a.mp4")
    monkeypatch.chdir(tmp_path / "real")
    assert given_path("../link.mp4") == tmp_path / "link.mp4"
    assert given_path("..") == tmp_path
    assert given_path(".") == tmp_path / "real"
