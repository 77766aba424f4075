"""The screens under test: a sample catalog, and an app that a test drives."""

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from catalog.database import Catalog, open_catalog
from catalog.home import find_home
from catalog.language import choose_language
from tests.tui.driving import Driver, Open, wait_for
from tests.tui.factory import make_catalog
from tui.app import HaeseolApp


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The catalog of `tests.tui.factory`, closed, to make copies of."""
    directory = tmp_path_factory.mktemp("samples")
    make_catalog(directory).close()
    return directory / "home"


@pytest.fixture
def samples(template: Path, tmp_path: Path) -> Iterator[Catalog]:
    """A copy of the sample catalog."""
    home = shutil.copytree(template, tmp_path / "home")
    catalog = open_catalog(find_home(home))
    yield catalog
    catalog.close()


@pytest.fixture
def korean() -> None:
    """Messages in Korean. Each test begins in English."""
    choose_language("ko")


@pytest.fixture
def open_app() -> Open:
    """Opens a catalog on a screen of a size, and waits for its first look."""

    @asynccontextmanager
    async def opener(catalog: Catalog, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Driver]:
        app = HaeseolApp(catalog)
        async with app.run_test(size=size, notifications=True) as pilot:
            await wait_for(pilot, lambda: app.status is not None)
            await pilot.pause()
            yield pilot

    return opener
