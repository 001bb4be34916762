"""Let a model predict a data set, timing each call."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from monitoring.evaluations.latency import LatencyHistogram

Features = npt.NDArray[np.float32]
Logits = npt.NDArray[np.float32]
OnProgress = Callable[[float], None]

MOST_THREADS = 8
WARM_UP_CALLS = 20  # before the clock counts
WARM_UP_ROWS = 64
ROW_CALLS = 300


@dataclass(frozen=True, eq=False)
class Predictions:
    """What came out, and how long it took from host memory to host memory."""

    logits: Logits  # [rows, classes]
    batch_size: int  # rows of a timed batch; smaller than asked for where memory ran out
    batches: LatencyHistogram
    rows: LatencyHistogram  # calls with a single row


def pick_device() -> str:
    """``cuda`` where there is one, else ``cpu``; asked only inside a worker."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def leave_a_core_free() -> int:
    """Give torch all processors but one, so that an evaluation never starves a rollback."""
    threads = max(1, min(MOST_THREADS, (os.cpu_count() or 1) - 1))
    torch.set_num_threads(threads)
    return threads


def predict(
    module: nn.Module,
    features: Features,
    *,
    device: str,
    batch_size: int,
    on_progress: OnProgress,
) -> Predictions:
    """Predict every row, then time single rows.

    Args:
        on_progress: Called between batches with the share of the work that is done, 0..1; it
            may raise to stop.
    """
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats()
    caller = _Caller(module.to(device), device)
    caller.warm_up(features[:WARM_UP_ROWS])
    parts, times, sizes = [], [], [batch_size]
    for logits, milliseconds, size in _batches(caller, features, batch_size):
        parts.append(logits)
        times.append(milliseconds)
        sizes.append(size)
        on_progress(sum(map(len, parts)) / len(features))
    single = [caller.timed(features[at : at + 1])[1] for at in _spread(len(features))]
    return Predictions(
        logits=np.concatenate(parts),
        batch_size=min(sizes),
        batches=LatencyHistogram.of(times),
        rows=LatencyHistogram.of(single),
    )


@dataclass(frozen=True, eq=False)
class _Caller:
    module: nn.Module
    device: str

    def __call__(self, features: Features) -> Logits:
        with torch.inference_mode():
            logits: torch.Tensor = self.module(torch.from_numpy(features).to(self.device))
            return np.asarray(logits.cpu().numpy(), dtype=np.float32)

    def timed(self, features: Features) -> tuple[Logits, float]:
        """The logits and the milliseconds they took; copying them back waits for the device."""
        begun = time.perf_counter()
        logits = self(features)
        return logits, (time.perf_counter() - begun) * 1000

    def warm_up(self, features: Features) -> None:
        """Let allocators and kernels settle before the clock counts, with as many rows as fit."""
        rows = len(features)
        while rows > 1 and not self._fits(features[:rows]):
            rows //= 2
        for _ in range(WARM_UP_CALLS):
            self(features[:rows])
            self(features[:1])

    def _fits(self, features: Features) -> bool:
        try:
            self(features)
        except torch.OutOfMemoryError:
            give_back_memory()
            return False
        return True


def give_back_memory() -> None:
    """Free what a call that ran out had cached; nothing happens where CUDA is not in use."""
    torch.cuda.empty_cache()


def _batches(caller: _Caller, features: Features, size: int) -> Iterator[tuple[Logits, float, int]]:
    """Logits, milliseconds and batch size, in order; out of memory halves the batch."""
    at = 0
    while at < len(features):
        try:
            logits, milliseconds = caller.timed(features[at : at + size])
        except torch.OutOfMemoryError:
            if size == 1:
                raise
            give_back_memory()
            size //= 2
            continue
        yield logits, milliseconds, size
        at += len(logits)


def _spread(rows: int) -> list[int]:
    """Rows to time alone, taken from the whole data set."""
    return [int(at) for at in np.linspace(0, rows - 1, min(rows, ROW_CALLS))]
