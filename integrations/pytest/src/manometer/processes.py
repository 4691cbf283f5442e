"""Processor time and memory of this process and its descendants: from /proc, else from psutil, else of itself alone."""

import os
import sys
from typing import List, NamedTuple, Optional

try:
    import psutil
except ImportError:
    psutil = None  # type: ignore[assignment]


class Look(NamedTuple):
    """One look at the tree."""

    cpu_seconds: float
    """Processor time used so far, that of ended children included."""
    memory_bytes: Optional[int]
    """Memory in use; `None` where the system does not tell."""


def look() -> Look:
    """Looks."""
    # Some kernels do not list children: psutil finds them by looking at every process.
    if os.path.exists(f"/proc/{os.getpid()}/task/{os.getpid()}/children"):
        return _by_proc()
    if psutil is not None:
        return _by_psutil()
    if os.path.exists("/proc/self/stat"):
        return _by_proc()
    times = os.times()
    return Look(times.user + times.system + times.children_user + times.children_system, None)


def peak_of_this_process() -> Optional[int]:
    """The most memory that this process alone had at once, as the system has counted it."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Kilobytes, except on macOS: getrusage(2).
    return peak if sys.platform == "darwin" else peak * 1024


def _by_proc() -> Look:
    ticks = os.sysconf("SC_CLK_TCK")
    page = os.sysconf("SC_PAGE_SIZE")
    cpu, memory = 0.0, 0
    waiting = [os.getpid()]
    seen = set()
    while waiting:
        pid = waiting.pop()
        if pid in seen:
            continue
        seen.add(pid)
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                # The name in brackets may hold anything, so the fields are counted from its end: proc_pid_stat(5).
                fields = file.read().rpartition(b")")[2].split()
            # utime, stime, cutime, cstime; rss. A child that ended is in its parent's cutime.
            cpu += sum(int(value) for value in fields[11:15]) / ticks
            memory += int(fields[21]) * page
            waiting.extend(_children(pid))
        except (OSError, ValueError, IndexError):
            continue  # ended meanwhile
    return Look(cpu, memory)


def _children(pid: int) -> List[int]:
    children: List[int] = []
    folder = f"/proc/{pid}/task"
    for thread in os.listdir(folder):
        try:
            with open(f"{folder}/{thread}/children", "rb") as file:
                children.extend(int(child) for child in file.read().split())
        except OSError:
            continue
    return children


def _by_psutil() -> Look:
    cpu, memory = 0.0, 0
    root = psutil.Process()
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
            cpu += times.user + times.system + times.children_user + times.children_system
            memory += process.memory_info().rss
        except (psutil.Error, AttributeError):
            continue
    return Look(cpu, memory)
