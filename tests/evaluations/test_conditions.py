"""Readers of figures are told where they come from, and when memory ran out."""

from __future__ import annotations

from typing import Any

import pytest

from monitoring.evaluations import conditions

CPU: dict[str, Any] = {
    "environment": {
        "device": "cpu",
        "device_name": "x86_64",
        "torch": "2.13.0",
        "numpy": "2.4.6",
        "safetensors": "0.8.0",
        "cuda": None,
        "driver": None,
    },
    "memory": {"gpu_memory_mb": None},
    "batch_size": 1024,
    "batch_size_asked": 1024,
}
GPU: dict[str, Any] = {
    "environment": CPU["environment"]
    | {"device": "cuda", "device_name": "NVIDIA L4", "cuda": "13.0", "driver": "580.95.05"},
    "memory": {"gpu_memory_mb": 1234.5},
    "batch_size": 256,
    "batch_size_asked": 1024,
}


def test_a_cpu_has_no_gpu_memory() -> None:
    assert conditions.sentences(CPU) == [
        "Measured on x86_64 (cpu): torch 2.13.0, numpy 2.4.6, safetensors 0.8.0."
    ]


def test_a_gpu_is_named_with_its_driver_its_memory_and_its_smaller_batches() -> None:
    assert conditions.sentences(GPU) == [
        (
            "Measured on NVIDIA L4 (cuda): torch 2.13.0, numpy 2.4.6, safetensors 0.8.0, CUDA 13.0, "
            "driver 580.95.05."
        ),
        "At most 1,234 MB of GPU memory were in use.",
        (
            "Memory ran out: batches of 1,024 rows were halved to 256, and the latency of a batch "
            "is that of the smaller ones."
        ),
    ]


@pytest.mark.parametrize("results", [{}, {"batch_size": 512}, {"environment": {}, "memory": {}}])
def test_results_kept_before_this_was_recorded_say_nothing(results: dict[str, Any]) -> None:
    assert conditions.sentences(results) == []
