"""python -m benchmarks: run every benchmark, or those named."""

from __future__ import annotations

import sys

from benchmarks import rollbacks

BENCHMARKS = {"rollbacks": rollbacks.main}

if __name__ == "__main__":
    for name in sys.argv[1:] or BENCHMARKS:
        BENCHMARKS[name]()
