"""A healthy replay: every model over the period it was trained on, by the real path.

Nothing is wrong there, so nothing may be rolled back and nobody may be woken. Each model gets a
family of its own, tier low, and takes all traffic of its family once its canary has proven itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime

from assay import DeploymentStage
from demo import census, datasets, flights, reviewing, sources, training
from demo.answering import DRIFT_WINDOW
from demo.census import Encoding
from demo.flights import SCHEDULE, WEATHER, Flights
from demo.lines import FOR_EVER, Status
from demo.outcome import score
from demo.people import ADA, LIN, MAX, RUTH
from demo.pullback import WINTER
from demo.remote import Serving
from demo.story import (
    CANARY_PERCENTAGE,
    Family,
    Story,
    await_proof,
    evaluate,
    next_number,
    register,
    upload,
)
from demo.training import Trained

PLAIN = Family("Employment, replayed", "replay_employment", "labour", ADA, "low")
MITIGATED = Family("Employment mitigated, replayed", "replay_mitigated", "labour", ADA, "low")
BY_SCHEDULE = Family("Flight delay, replayed", "replay_schedule", "operations", LIN, "low")
BY_WEATHER = Family("Flight delay by weather, replayed", "replay_weather", "operations", LIN, "low")
DESCRIPTION = "Replays the period it was trained on. For the demonstration of Assay only."
NEW_YEAR = datetime(2013, 1, 1, 5, tzinfo=UTC)  # midnight in New York
APRIL = datetime(2013, 4, 1, 4, tzinfo=UTC)
PER_SECOND = 1_000.0
REPLAYED_WITHIN = 400.0  # seconds


@dataclass(frozen=True)
class Replay:
    """One model and what it is to live through again."""

    family: Family
    trained: Trained
    judged_on: bytes
    reference: bytes
    stream: tuple[str, ...]  # of `demo.serving`
    until: datetime  # data time


def tell(story: Story) -> None:
    """Replay everything and print what happened.

    Raises:
        NotAsTold: Something was rolled back, or an incident was opened.
    """
    story.console.chapter("H", "A healthy replay: each model over its own training period")
    with story.console.step("four models are trained"):
        replays = [*_of_people(story), *_of_flights(story)]
    with ExitStack() as stack:
        running: dict[str, Serving] = {}
        for replay in replays:
            with story.console.step(f"{replay.family.name}: measured, reviewed, in canary"):
                model_id = _in_canary(story, replay)
            process = stack.enter_context(story.serving(replay.family, *replay.stream))
            process.order(replay.until, PER_SECOND)
            with story.console.step(f"{model_id} proves itself and goes to production"):
                await_proof(story, story.registry(MAX), model_id)
                _move(story, model_id, DeploymentStage.PRODUCTION)
            running[model_id] = process
        with story.console.step("the whole period is served"):
            told = {model_id: _finished(story, model_id, running[model_id]) for model_id in running}
    hold_quiet(story, told)


def _of_people(story: Story) -> list[Replay]:
    people = census.read(sources.folder(sources.CENSUS), 2015)
    encoding = Encoding.of(people)
    content = datasets.of_people(people, encoding)
    plain = training.employment(people, encoding, seed=story.seed)
    moved = training.mitigated_employment(people, encoding, plain, seed=story.seed)
    stream = ("employment", "--year", "2015", "--seed", str(story.seed))
    return [
        Replay(family, trained, content, content, stream, FOR_EVER)
        for family, trained in ((PLAIN, plain), (MITIGATED, moved))
    ]


def _of_flights(story: Story) -> list[Replay]:
    winter = flights.read(sources.folder(sources.FLIGHTS)).between(*WINTER)
    kept, held_out = training.split(winter)
    stream = ("flights", "--begins", NEW_YEAR.isoformat())

    def replay(family: Family, names: tuple[str, ...]) -> Replay:
        trained = training.flight_delay(winter, names, seed=story.seed)
        return Replay(
            family, trained, _content(held_out, names), _content(kept, names), stream, APRIL
        )

    return [replay(BY_SCHEDULE, SCHEDULE), replay(BY_WEATHER, SCHEDULE + WEATHER)]


def _content(rows: Flights, names: tuple[str, ...]) -> bytes:
    return datasets.of_flights(rows, names, window_days=DRIFT_WINDOW.days)


def _in_canary(story: Story, replay: Replay) -> str:
    family = replay.family
    number = next_number(story.registry(family.trainer), family)
    model_id = register(story, family, number, replay.trained, DESCRIPTION)
    evaluate(
        story,
        family,
        model_id,
        dataset=upload(story, family, f"{family.prefix}_judged", replay.judged_on),
        reference=upload(story, family, f"{family.prefix}_reference", replay.reference),
    )
    reviewing.sign(story.cast, RUTH, model_id)
    _move(story, model_id, DeploymentStage.CANARY, CANARY_PERCENTAGE)
    return model_id


def _finished(story: Story, model_id: str, process: Serving) -> Status:
    def show(status: Status) -> None:
        story.console.live(f"{model_id}: {status.served:,} requests, {status.data_time[:10]}")

    return process.wait_until(
        lambda status: status.waiting, seconds=REPLAYED_WITHIN, meanwhile=show
    )


def hold_quiet(story: Story, told: Mapping[str, Status]) -> None:
    """Print what came of each model, by its model_id.

    Raises:
        NotAsTold: One left production, is not found healthy, or has an incident.
    """
    registry = story.registry(MAX)
    verdicts = {model_id: registry.check_rollback_triggers(model_id).verdict for model_id in told}
    story.console.figures(
        [(model_id, _came_of(model_id, told[model_id], verdicts[model_id])) for model_id in told]
    )
    left = [
        model_id
        for model_id in told
        if registry.get_model(model_id).deploy_status != DeploymentStage.PRODUCTION
    ]
    incidents = [each for each in registry.incidents() if each["model_id"] in told]
    story.expect(
        not left and not incidents and set(verdicts.values()) == {"ok"},
        "0 rollbacks, 0 incidents",
        f"{len(left)} rollbacks, {len(incidents)} incidents, where nothing was wrong: {verdicts}.",
    )


def _came_of(model_id: str, status: Status, verdict: str) -> str:
    highest = score(status.highest_drift.get(model_id))
    return f"{verdict} after {status.answered(model_id):,} requests, highest drift {highest}"


def _move(
    story: Story, model_id: str, stage: DeploymentStage, percentage: float | None = None
) -> None:
    story.registry(MAX).update_deployment_status(model_id, stage, percentage)
