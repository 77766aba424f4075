"""The addresses of engines in the settings, and the example in the page about engines."""

import re
from pathlib import Path

import pytest

from catalog.errors import UsageError
from catalog.home import Home
from catalog.settings import Settings, load_settings

PAGE = Path(__file__).parent.parent.parent / "docs" / "engines.md"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("http://localhost:8000/v1/", "http://localhost:8000/v1"),
        ("http://[::1]:8000/v1", "http://[::1]:8000/v1"),
        ("http://192.168.0.7:30000", "http://192.168.0.7:30000/v1"),
        ("http://100.101.1.2:30000", "http://100.101.1.2:30000/v1"),
        ("http://gpu-box:8000", "http://gpu-box:8000/v1"),
        ("http://gpu.local:8000", "http://gpu.local:8000/v1"),
        ("https://engines.example.org/llava/v1", "https://engines.example.org/llava/v1"),
    ],
)
def test_addresses_that_are_taken(home: Home, given: str, expected: str) -> None:
    assert load_settings(home, engines=[given]).engines == (expected,)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("127.0.0.1:8000", "no address of an engine"),
        ("ftp://127.0.0.1", "no address of an engine"),
        ("http://", "no address of an engine"),
        ("http://127.0.0.1:port", "[Pp]ort"),
        ("http://user:geheim@127.0.0.1:8000", "HAESEOL_ENGINE_KEY"),
        ("https://example.org/v1?key=geheim", "must end with its path"),
        ("http://example.org/v1", "unencrypted beyond your own network"),
        ("http://8.8.8.8:8000", "unencrypted beyond your own network"),
    ],
)
def test_addresses_that_are_refused(home: Home, given: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        load_settings(home, engines=[given])
    assert str(caught.value).startswith("--engines: ")
    assert "geheim@" not in str(caught.value)


def test_plain_http_can_be_allowed(home: Home) -> None:
    settings = load_settings(home, engines=["http://8.8.8.8"], engine_allow_plain_http=True)
    assert settings.engines == ("http://8.8.8.8/v1",)


def test_what_is_asked_of_engines(home: Home) -> None:
    here, there = load_settings(home), load_settings(home, engines="http://a")
    assert not here.asks_engines()
    assert here.asks_engines("remote")
    assert there.asks_engines()
    assert not there.asks_engines("demo")
    assert not load_settings(home, engines="http://a", model="demo").asks_engines()


def test_the_environment_gives_several_with_commas(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HAESEOL_ENGINES", "http://a:1, http://b:2")
    monkeypatch.setenv("HAESEOL_ENGINE_KEY", "geheim")  # no setting, and no unknown one either
    settings = load_settings(home)
    assert settings.engines == ("http://a:1/v1", "http://b:2/v1")
    assert "geheim" not in repr(settings)


def test_the_examples_of_the_page_load(home: Home) -> None:
    examples = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert examples
    for example in examples:
        home.config_file.parent.mkdir(parents=True, exist_ok=True)
        home.config_file.write_text(example, encoding="utf-8")
        assert load_settings(home).engines


def test_the_page_names_every_setting() -> None:
    page = PAGE.read_text(encoding="utf-8")
    keys = [key for key in Settings.model_fields if key.startswith("engine")]
    assert [key for key in keys if f"`{key}`" not in page] == []
