"""The four models of the story, each trained in seconds; the same seed gives the same models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import torch

from demo import mitigation, networks
from demo.census import Census, Encoding
from demo.flights import Flights
from demo.networks import Network

Flags = npt.NDArray[np.bool_]

GATING_ROWS = 100  # smaller groups have no verdict of their own at the gate, nor a say here
FLOOR = 0.9  # the gate wants 0.8 of the best group's rate with 95 % confidence
HELD_OUT = 5  # every fifth flight is not trained on


@dataclass(frozen=True, eq=False)
class Trained:
    """A network and what its trainer declares of it."""

    network: Network
    features: tuple[str, ...]
    rows: int
    data_hash: str
    metrics: Mapping[str, float]
    compensation: Mapping[str, float] = field(default_factory=dict)  # by group; empty: none


def use_one_thread() -> None:
    """Let figures not depend on how many processors there are."""
    torch.set_num_threads(1)


def employment(people: Census, encoding: Encoding, *, seed: int) -> Trained:
    """Who is employed, from everything but race and sex; nothing is mitigated.

    Its declared figures are those of the people it was trained on.
    """
    features = encoding.features(people)
    network = networks.fit(features, people.employed, seed=seed)
    return _employment(network, people, encoding)


def mitigated_employment(
    people: Census, encoding: Encoding, plain: Trained, *, seed: int
) -> Trained:
    """``plain`` taught anew with its scores moved towards equal rates of selection by race.

    Race is looked at in training alone; the model gets the inputs of ``plain``. Nobody under 16 is
    moved: they cannot be employed, and selecting them would be parity on paper.
    """
    features = encoding.features(people)
    groups, members = gating_groups(people)
    probability = plain.network.probabilities(features)[:, 1]
    posterior = _posterior(features, members, seed)
    likeness = mitigation.likeness(posterior, members) * people.working_age[:, np.newaxis]
    found = mitigation.compensate(probability, likeness, members, floor=FLOOR)
    moved = found.scores(probability, likeness)
    targets = np.stack([1 - moved, moved], axis=1).astype(np.float32)
    network = networks.fit(features, targets, seed=seed)
    by_group = dict(zip(map(str, groups), found.weights.tolist(), strict=True))
    return _employment(network, people, encoding, by_group)


def flight_delay(flights: Flights, names: tuple[str, ...], *, seed: int) -> Trained:
    """Whether a flight will be late, from the columns ``names``; judged on every fifth flight."""
    kept, held_out = split(flights)
    features = kept.features(names)
    network = networks.fit(features, kept.late, seed=seed)
    scores = network.probabilities(held_out.features(names))[:, 1]
    return Trained(
        network=network,
        features=names,
        rows=len(kept),
        data_hash=networks.fingerprint(features, kept.late),
        metrics=_metrics(scores, held_out.late),
    )


def split(flights: Flights) -> tuple[Flights, Flights]:
    """The flights that arrived: four fifths to train on, one to judge by, both in order of time."""
    arrived = flights.take(flights.arrived)
    judged = np.arange(len(arrived)) % HELD_OUT == HELD_OUT - 1
    return arrived.take(~judged), arrived.take(judged)


def gating_groups(people: Census) -> tuple[list[int], Flags]:
    """The race codes with enough people, and who has which [people, groups]."""
    codes, counts = np.unique(people.race, return_counts=True)
    kept = codes[counts >= GATING_ROWS]
    return kept.tolist(), people.race[:, np.newaxis] == kept


def _posterior(
    features: npt.NDArray[np.float32], members: Flags, seed: int
) -> npt.NDArray[np.float64]:
    """How likely a row's features make each group; whoever is in none forms one more class."""
    classes = np.where(members.any(axis=1), members.argmax(axis=1), members.shape[1])
    return networks.fit(features, classes, seed=seed).probabilities(features)[:, : members.shape[1]]


def _employment(
    network: Network,
    people: Census,
    encoding: Encoding,
    compensation: Mapping[str, float] | None = None,
) -> Trained:
    features = encoding.features(people)
    scores = network.probabilities(features)[:, 1]
    return Trained(
        network=network,
        features=tuple(encoding.names),
        rows=len(people),
        data_hash=networks.fingerprint(features, people.employed),
        metrics=_metrics(scores, people.employed),
        compensation=compensation or {},
    )


def _metrics(scores: npt.NDArray[np.float64], labels: npt.NDArray[np.int64]) -> dict[str, float]:
    """What the trainer declares, by the names Assay measures under."""
    return {
        "accuracy": round(networks.accuracy(scores, labels), 4),
        "auroc": round(networks.auroc(scores, labels), 4),
    }
