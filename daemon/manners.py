"""When to leave the GPU to others: in quiet hours, and while another program holds the card."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Collection
from datetime import datetime

from apscheduler.triggers.cron import CronTrigger

from catalog.errors import UsageError
from catalog.language import tr
from catalog.settings import Settings
from daemon.gpu import Holder, holders

logger = logging.getLogger(__name__)

HELD_MIB = 1024
"""A program that holds less of the card than this, such as a desktop, does not disturb."""


class QuietHours:
    """The time between cron times that begin quiet hours and others that end them."""

    def __init__(self, begin: str, end: str) -> None:
        """Raises `UsageError` for a cron expression that is none, or one without the other."""
        if bool(begin) != bool(end):
            raise UsageError("quiet_from and quiet_until go together; set both, or neither")
        self.triggers: tuple[CronTrigger, ...] = ()
        if begin:
            self.triggers = _cron("quiet_from", begin), _cron("quiet_until", end)

    def __contains__(self, moment: datetime) -> bool:
        """Whether an aware moment is quiet: whether they end sooner than they begin again."""
        if not self.triggers:
            return False
        begins, ends = (trigger.get_next_fire_time(None, moment) for trigger in self.triggers)
        return ends is not None and (begins is None or ends < begins)


def _cron(key: str, expression: str) -> CronTrigger:
    weekdays = (expression.split() or [""])[-1]
    if re.search(r"(?<!/)\d", weekdays) and len(expression.split()) == 5:
        # cron counts them from Sunday, APScheduler from Monday.
        raise UsageError(
            f"{key}: write the weekdays of {expression!r} as names, such as mon-fri or sat,sun"
        )
    try:
        return CronTrigger.from_crontab(expression)
    except ValueError as error:
        raise UsageError(
            f"{key}: {expression!r} is no cron time ({error}); write minute, hour, day, month and "
            "weekday, such as '0 9 * * mon-fri'"
        ) from error


class Manners:
    """Says whether to leave the GPU alone now, and why."""

    def __init__(
        self,
        settings: Settings,
        *,
        own: Callable[[], Collection[int]],
        holders: Callable[[], Collection[Holder]] = holders,
    ) -> None:
        """`own` gives the ids of haeseol's own processes. Raises `UsageError`."""
        self.quiet = QuietHours(settings.quiet_from, settings.quiet_until)
        self._yields = (
            settings.yield_gpu and settings.device != "cpu" and not settings.asks_engines()
        )
        self._own = own
        self._holders = holders

    def reason(self) -> str | None:
        """Why to rest now, in words for a person; None if there is no reason."""
        if datetime.now().astimezone() in self.quiet:
            return tr("quiet hours")
        for holder in self._holders() if self._yields else ():
            if holder.pid not in self._own() and holder.mib >= HELD_MIB:
                return tr(
                    "{program} (process {pid}) holds the GPU", program=holder.name, pid=holder.pid
                )
        return None
