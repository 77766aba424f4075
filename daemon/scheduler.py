"""APScheduler says *when*: it sets events and asks for scans. The queue says *what*, and whether it is done.

A tick never works for long: APScheduler's own executors cannot be stopped in the middle of a job.
"""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MISSED, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from catalog import queue
from catalog.database import Catalog
from daemon.volumes import is_network
from daemon.watcher import Watcher

if TYPE_CHECKING:
    from daemon.service import Service

logger = logging.getLogger(__name__)

_WAKE_SECONDS = 0.5
_RECOVER_SECONDS = 60
_INDEX_SECONDS = 1
_MANNERS_SECONDS = 5
"""How often to look who else holds the GPU, and whether the model has been idle for long."""


def make_scheduler(service: "Service") -> Any:
    """The scheduler of a service with its ticks, not yet started.

    Its defaults skip a run that comes a second late, as after a suspend; here every run counts, once.
    """
    scheduler = BackgroundScheduler(
        executors={"default": ThreadPoolExecutor(1)},
        job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
    )
    catalog, settings, watcher = service.catalog, service.settings, service.watcher
    changes = _Changes(catalog, service.wake.set, watcher)

    def reconcile(network: bool) -> None:
        watcher.ask_watch()
        for path in watcher.folders():
            if is_network(path) == network:
                watcher.ask_reconcile(path)

    def recover() -> None:
        with catalog.write() as session:
            if queue.recover(session, alive=set(service.worker.running)):
                service.wake.set()

    def tick(function: Callable[..., object], seconds: float, name: str, **arguments: Any) -> None:
        scheduler.add_job(
            function, IntervalTrigger(seconds=seconds), id=name, name=name, kwargs=arguments
        )

    tick(changes.look, _WAKE_SECONDS, "wake")
    tick(service.indexer.look, _INDEX_SECONDS, "index")
    tick(recover, _RECOVER_SECONDS, "recover")
    tick(reconcile, settings.reconcile_seconds, "reconcile", network=False)
    tick(reconcile, settings.reconcile_seconds_network, "reconcile-network", network=True)
    tick(service.mind_manners, _MANNERS_SECONDS, "manners")
    for trigger in service.manners.quiet.triggers:
        scheduler.add_job(service.mind_manners, trigger, name="quiet hours")
    scheduler.add_listener(_report, EVENT_JOB_ERROR | EVENT_JOB_MISSED)
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    return scheduler


class _Changes:
    """Tells worker and watcher that another process has written: a job added, a folder to watch."""

    def __init__(self, catalog: Catalog, wake: Callable[[], None], watcher: Watcher) -> None:
        self._connection = catalog.connect_readonly()
        self._wake = wake
        self._watcher = watcher
        self._version = -1

    def look(self) -> None:
        """`PRAGMA data_version` costs microseconds and changes with every commit of other connections."""
        version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._wake()
            self._watcher.ask_watch()


def _report(event: JobExecutionEvent) -> None:
    logger.warning("the tick %r failed: %s", event.job_id, event.exception)
