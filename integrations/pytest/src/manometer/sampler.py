"""Samples processor load and memory of this process and its descendants."""

import threading
import time
from typing import Any, Dict, Optional

from . import settings
from .processes import look, peak_of_this_process

_MEGABYTE = 1_048_576.0


class ResourceSampler:
    """Samples from `start` to `stop`, in a thread of its own.

    Load is in percent of one processor, so eight busy ones are 800. A megabyte is 1,048,576 bytes.
    """

    def __init__(self, interval: Optional[float] = None) -> None:
        """`interval` is in seconds; without it that of `MANOMETER_SAMPLE_INTERVAL`, else 1."""
        self.interval = settings.sample_interval() if interval is None else float(interval)
        self.metrics: Dict[str, float] = {}
        self._ended = threading.Event()
        self._thread: Optional[threading.Thread] = None

    def start(self) -> None:
        """Begins. A second call does nothing."""
        if self._thread is not None:
            return
        self.metrics = {}
        self._ended.clear()
        self._first = self._last = (time.monotonic(), look())
        self._max_load = 0.0
        self._memory_sum, self._memory_count = 0.0, 0
        self._memory_peak = 0
        self._own_peak = peak_of_this_process()
        self._note_memory()
        self._thread = threading.Thread(target=self._run, name="manometer-sampler", daemon=True)
        self._thread.start()

    def stop(self) -> Dict[str, float]:
        """Ends and gives `cpu.avg_load`, `cpu.max_load`, `ram.peak_mb`, `ram.avg_mb`, as far as they are known."""
        thread, self._thread = self._thread, None
        if thread is None:
            return self.metrics
        self._ended.set()
        thread.join()
        self._look()
        self.metrics = self._summary()
        return self.metrics

    def __enter__(self) -> "ResourceSampler":
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    def _run(self) -> None:
        while self.interval > 0 and not self._ended.wait(self.interval):
            self._look()

    def _look(self) -> None:
        now, seen = time.monotonic(), look()
        before, last = self._last
        # Over a very short time the ticks of the clock would look like a load.
        if now - before >= 0.05:
            self._max_load = max(self._max_load, (seen.cpu_seconds - last.cpu_seconds) / (now - before) * 100.0)
        self._last = (now, seen)
        self._note_memory()

    def _note_memory(self) -> None:
        memory = self._last[1].memory_bytes
        if memory is not None:
            self._memory_sum += memory
            self._memory_count += 1
            self._memory_peak = max(self._memory_peak, memory)

    def _summary(self) -> Dict[str, float]:
        (begin, first), (end, last) = self._first, self._last
        metrics: Dict[str, float] = {}
        if end > begin:
            average = max(0.0, last.cpu_seconds - first.cpu_seconds) / (end - begin) * 100.0
            metrics["cpu.avg_load"] = round(average, 2)
            # No stretch can be less busy than the average in all of them.
            metrics["cpu.max_load"] = round(max(self._max_load, average), 2)
        if self._memory_count:
            metrics["ram.avg_mb"] = round(self._memory_sum / self._memory_count / _MEGABYTE, 2)
        peak = self._memory_peak
        own_peak = peak_of_this_process()
        # The system's count is since the process began: only what it grew by happened here, between two looks.
        if own_peak is not None and self._own_peak is not None and own_peak > self._own_peak:
            peak = max(peak, own_peak)
        if peak:
            metrics["ram.peak_mb"] = round(peak / _MEGABYTE, 2)
        return metrics
