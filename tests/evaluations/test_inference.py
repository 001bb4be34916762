"""Prediction in batches: same answers whatever the batch, memory, progress, device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from monitoring.evaluations import inference, loading
from monitoring.evaluations.inference import Predictions
from tests.evaluations import files

FEATURES = files.dataset_tensors(rows=1000)["features"]


class Narrow(nn.Module):
    """A model on a device with room for ``most`` rows."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most

    def forward(self, features: Tensor) -> Tensor:
        if len(features) > self.most:
            raise torch.OutOfMemoryError
        return features[:, :2]


def predict(module: nn.Module, batch_size: int, device: str = "cpu") -> Predictions:
    return inference.predict(
        module, FEATURES, device=device, batch_size=batch_size, on_progress=lambda share: None
    )


@pytest.mark.parametrize("batch_size", [1, 7, 1000, 5000])
def test_the_batch_size_does_not_change_the_answers(tmp_path: Path, batch_size: int) -> None:
    module = loading.load(files.mlp_file(tmp_path / "model")).module
    with torch.inference_mode():
        whole = module(torch.from_numpy(FEATURES)).numpy()

    predicted = predict(module, batch_size)

    assert predicted.logits == pytest.approx(whole, abs=1e-5)
    assert predicted.batches.calls == -(-1000 // batch_size)
    assert predicted.rows.calls == inference.ROW_CALLS
    assert predicted.rows.quantile(0.5) > 0


def test_out_of_memory_halves_the_batch_and_says_so() -> None:
    predicted = predict(Narrow(most=64), batch_size=500)

    assert predicted.batch_size == 62
    assert np.array_equal(predicted.logits, FEATURES[:, :2])


def test_a_warm_up_that_does_not_fit_is_halved_too() -> None:
    predicted = predict(Narrow(most=5), batch_size=500)

    assert predicted.batch_size == 3
    assert np.array_equal(predicted.logits, FEATURES[:, :2])


def test_a_single_row_that_does_not_fit_is_an_error() -> None:
    caller = inference._Caller(Narrow(most=0), "cpu")

    with pytest.raises(torch.OutOfMemoryError):
        list(inference._batches(caller, FEATURES, 4))


def test_progress_rises_to_the_whole() -> None:
    seen: list[float] = []

    inference.predict(
        Narrow(most=1000), FEATURES, device="cpu", batch_size=300, on_progress=seen.append
    )

    assert seen == pytest.approx([0.3, 0.6, 0.9, 1.0])


def test_progress_may_stop_the_work() -> None:
    def stop(share: float) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        inference.predict(
            Narrow(most=1000), FEATURES, device="cpu", batch_size=300, on_progress=stop
        )


def test_torch_leaves_a_processor_to_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    before = torch.get_num_threads()
    try:
        for processors, threads in ((1, 1), (2, 1), (4, 3), (64, 8)):
            monkeypatch.setattr("os.cpu_count", lambda found=processors: found)
            assert inference.leave_a_core_free() == threads == torch.get_num_threads()
    finally:
        torch.set_num_threads(before)


def test_the_device_is_the_one_that_is_there() -> None:
    assert inference.pick_device() == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device here")
def test_a_gpu_gives_the_answers_of_the_cpu(tmp_path: Path) -> None:
    module = loading.load(files.mlp_file(tmp_path / "model")).module

    on_cpu, on_gpu = predict(module, 128), predict(module, 128, device="cuda")

    assert on_gpu.logits == pytest.approx(on_cpu.logits, abs=1e-4)
