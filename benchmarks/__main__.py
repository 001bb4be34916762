"""python -m benchmarks: run every benchmark, or those named."""

from __future__ import annotations

import sys
from importlib import import_module

from tests import migrated

BENCHMARKS = ("rollbacks", "ledger", "registry", "traffic", "snapshots", "checks")

if __name__ == "__main__":
    with migrated.shared():
        for name in sys.argv[1:] or BENCHMARKS:
            # Only now: the first sets Django up, which must not have read its settings before.
            import_module(f"benchmarks.{name}").main()
