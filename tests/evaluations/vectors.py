"""Known answers, computed with scipy, scikit-learn, torchmetrics and Fairlearn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[1] / "vectors"

EVALUATION: dict[str, Any] = json.loads((FOLDER / "evaluation_vectors.json").read_text())
FAIRNESS: dict[str, Any] = json.loads((FOLDER / "fairness_vectors.json").read_text())
CASES: dict[str, Any] = FAIRNESS["cases"]
