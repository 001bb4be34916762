"""python -m benchmarks: run every benchmark, or those named."""

from __future__ import annotations

import sys

from benchmarks import ledger, rollbacks

BENCHMARKS = {"rollbacks": rollbacks.main, "ledger": ledger.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
