"""What the NVIDIA driver says of the card, through NVML: torch would bring half a gigabyte along."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pynvml


@dataclass(frozen=True, slots=True)
class Holder:
    """A process that holds memory of a card."""

    pid: int
    name: str
    mib: int


def holders() -> tuple[Holder, ...]:
    """The processes that hold memory of any card; none without a driver, or where it does not tell."""
    found: dict[int, int] = {}
    with suppress(pynvml.NVMLError):
        pynvml.nvmlInit()
        try:
            for index in range(pynvml.nvmlDeviceGetCount()):
                card = pynvml.nvmlDeviceGetHandleByIndex(index)
                for process in (
                    *pynvml.nvmlDeviceGetComputeRunningProcesses(card),
                    *pynvml.nvmlDeviceGetGraphicsRunningProcesses(card),
                ):
                    # None within containers and on some drivers: then nobody can tell how much.
                    found[process.pid] = max(
                        found.get(process.pid, 0), (process.usedGpuMemory or 0) >> 20
                    )
        finally:
            pynvml.nvmlShutdown()
    named = ((pid, _name(pid), mib) for pid, mib in found.items())
    return tuple(Holder(pid, name, mib) for pid, name, mib in named if name)


def _name(pid: int) -> str:
    """Empty for a process that cannot be seen from here: in a container its number is the host's."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").strip()
    except OSError:
        return ""
