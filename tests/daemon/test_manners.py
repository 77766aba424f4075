"""Quiet hours, and the card that somebody else holds."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pynvml
import pytest

from catalog.database import Catalog
from catalog.errors import UsageError
from catalog.overview import status
from catalog.settings import Settings
from daemon import gpu
from daemon.gpu import Holder
from daemon.manners import Manners, QuietHours
from daemon.service import Service

SEOUL = ZoneInfo("Asia/Seoul")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SEOUL)


@pytest.fixture(autouse=True)
def in_seoul(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Seoul")


def test_office_hours_are_quiet() -> None:
    quiet = QuietHours("0 9 * * mon-fri", "0 18 * * mon-fri")
    assert at("2026-11-20 09:00:01") in quiet  # a Friday
    assert at("2026-11-20 17:59:59") in quiet
    assert at("2026-11-20 08:59:59") not in quiet
    assert at("2026-11-20 18:00:01") not in quiet
    assert at("2026-11-21 12:00:00") not in quiet


def test_a_night_is_quiet_over_midnight() -> None:
    quiet = QuietHours("30 23 * * *", "0 7 * * *")
    assert at("2026-11-20 23:45") in quiet
    assert at("2026-11-21 03:00") in quiet
    assert at("2026-11-21 12:00") not in quiet


def test_without_cron_times_nothing_is_quiet() -> None:
    assert at("2026-11-21 03:00") not in QuietHours("", "")


@pytest.mark.parametrize(
    ("begin", "end", "words"),
    [
        ("0 9 * * *", "", "go together"),
        ("at nine", "0 18 * * *", "quiet_from: 'at nine'"),
        ("0 9 * * 1-5", "0 18 * * 1-5", "as names"),
    ],
)
def test_wrong_times_are_said_plainly(begin: str, end: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        QuietHours(begin, end)


def manners(*holders: Holder, **settings: object) -> Manners:
    return Manners(Settings(**settings), own=lambda: {11}, holders=lambda: holders)


def test_another_program_on_the_card_is_a_reason_to_rest() -> None:
    assert manners().reason() is None
    assert manners(Holder(11, "python", 9000)).reason() is None, "that is ourselves"
    assert manners(Holder(5, "Xorg", 300)).reason() is None, "a desktop does not disturb"
    game = Holder(99, "game", 4000)
    assert manners(game).reason() == "game (process 99) holds the GPU"
    assert manners(game, yield_gpu=False).reason() is None
    assert manners(game, device="cpu").reason() is None


def test_quiet_hours_are_a_reason_to_rest() -> None:
    soon = datetime.now(SEOUL) + timedelta(hours=2)
    cron = f"{soon.minute} {soon.hour} * * *"
    earlier = soon - timedelta(hours=4)
    begun = f"{earlier.minute} {earlier.hour} * * *"
    assert manners(quiet_from=begun, quiet_until=cron).reason() == "quiet hours"


def test_the_service_rests_says_why_and_goes_on(catalog: Catalog) -> None:
    service = Service(catalog, Settings())
    reasons = iter(["a game holds the GPU", "a game holds the GPU", None])
    service.manners.reason = lambda: next(reasons)  # type: ignore[method-assign]
    for held in (True, True, False):
        service.mind_manners()
        assert service.worker.held.is_set() is held
    with catalog.read() as connection:
        assert status(connection, catalog.home).held is None, "no daemon holds the home"
    assert service.wake.is_set()
    service.worker.close()


def test_without_a_driver_nobody_holds_a_card() -> None:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        assert gpu.holders() == ()
    else:
        pynvml.nvmlShutdown()
        assert all(holder.mib >= 0 for holder in gpu.holders())


def test_what_the_driver_tells_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The driver is stood in for: this machine may have none."""

    class Process:
        def __init__(self, pid: int, used: int | None) -> None:
            self.pid, self.usedGpuMemory = pid, used

    calls = {
        "nvmlInit": lambda: None,
        "nvmlShutdown": lambda: None,
        "nvmlDeviceGetCount": lambda: 2,
        "nvmlDeviceGetHandleByIndex": lambda index: index,
        "nvmlDeviceGetComputeRunningProcesses": lambda card: [
            Process(1, 3 << 30),
            Process(4194304, 9 << 30),  # of another container: it cannot be seen from here
        ],
        "nvmlDeviceGetGraphicsRunningProcesses": lambda card: [Process(1, None)],
    }
    for name, function in calls.items():
        monkeypatch.setattr(pynvml, name, function)
    (holder,) = gpu.holders()
    assert (holder.pid, holder.mib) == (1, 3072)
    assert holder.name
