"""Under what conditions figures were measured, in sentences. Pure: stored results in, words out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LIBRARIES = (
    ("torch", "torch"),
    ("numpy", "numpy"),
    ("safetensors", "safetensors"),
    ("cuda", "CUDA"),
    ("driver", "driver"),
)


def sentences(results: Mapping[str, Any]) -> list[str]:
    """Device, versions, GPU memory, and whether memory ran out; empty where nothing was kept."""
    found = (_where(results), _gpu_memory(results), _halved(results))
    return [sentence for sentence in found if sentence]


def _where(results: Mapping[str, Any]) -> str:
    environment = results.get("environment") or {}
    if not environment:
        return ""
    known = [f"{name} {environment[key]}" for key, name in LIBRARIES if environment.get(key)]
    return (
        f"Measured on {environment['device_name']} ({environment['device']}): {', '.join(known)}."
    )


def _gpu_memory(results: Mapping[str, Any]) -> str:
    peak = (results.get("memory") or {}).get("gpu_memory_mb")
    return "" if peak is None else f"At most {peak:,.0f} MB of GPU memory were in use."


def _halved(results: Mapping[str, Any]) -> str:
    used, asked = results.get("batch_size"), results.get("batch_size_asked")
    if used is None or asked is None or used == asked:
        return ""
    return (
        f"Memory ran out: batches of {asked:,} rows were halved to {used:,}, and the latency of a "
        "batch is that of the smaller ones."
    )
