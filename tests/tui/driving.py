"""Driving the app in a test, and reading its screen."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from textual.pilot import Pilot

from tui.app import HaeseolApp

Driver = Pilot[int]
Open = Callable[..., AbstractAsyncContextManager[Driver]]


def app_of(pilot: Driver) -> HaeseolApp:
    """The app, by its own type."""
    assert isinstance(pilot.app, HaeseolApp)
    return pilot.app


async def wait_for(pilot: Driver, condition: Callable[[], bool], seconds: float = 8.0) -> None:
    """Lets the app run until something is so."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await pilot.pause(0.02)
    assert condition()


def screen_text(pilot: Driver) -> str:
    """What the screen shows, line by line."""
    screen = pilot.app.screen
    return "\n".join(strip.text.rstrip() for strip in screen._compositor.render_strips())


def messages(pilot: Driver) -> str:
    """The short messages shown so far."""
    return "\n".join(notice.message for notice in pilot.app._notifications)
