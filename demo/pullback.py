"""Chapter B: a model that misbehaves is pulled back by itself. Flights, tier medium, real weather."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from assay import DeploymentStage, PromotionBlocked
from demo import datasets, evidence, flights, networks, reviewing, sources, training
from demo.answering import DRIFT_WINDOW
from demo.evidence import Decision
from demo.flights import SCHEDULE, WEATHER, Flights
from demo.lines import Status
from demo.outcome import COUNTED, Outcome, score
from demo.people import LIN, MAX, OMAR, RUTH, Person
from demo.remote import NotInTime, Serving
from demo.story import (
    CANARY_PERCENTAGE,
    Family,
    NotAsTold,
    Story,
    await_proof,
    evaluate,
    next_number,
    register,
    upload,
)
from demo.training import Trained

FLIGHTS = Family("Flight delay", "flight_delay", "operations", trainer=LIN, risk_tier="medium")
WINTER = ("2013-01-01", "2013-03-31")
LAST_WEEK = datetime(2013, 3, 25, 4, tzinfo=UTC)  # of March, from midnight in New York
APRIL = datetime(2013, 4, 1, 4, tzinfo=UTC)
SUMMER = datetime(2013, 7, 1, 4, tzinfo=UTC)  # what has not happened by then will not
PER_SECOND = 1_000.0
MONTHS_WITHIN = 180.0  # seconds for the streamed months
DESCRIPTION = (
    "Whether a flight out of New York arrives more than 15 minutes late, from {inputs}. Trained "
    "on January to March 2013. For the demonstration of Assay only."
)


@dataclass(frozen=True)
class Made:
    """A version of the chapter, with what its trainer keeps."""

    model_id: str
    trained: Trained


@contextmanager
def told(story: Story) -> Iterator[Serving]:
    """Tell the chapter; while inside, the version that stays keeps serving.

    Raises:
        NotAsTold: A step did not go as the story says.
    """
    story.console.chapter("B", "A model that misbehaves is pulled back by itself")
    year = flights.read(sources.folder(sources.FLIGHTS))
    number = next_number(story.registry(LIN), FLIGHTS)
    schedule = _made(story, year, number, SCHEDULE, "the schedule")
    _signed(story, schedule, RUTH)
    with story.serving(FLIGHTS, "flights", "--begins", LAST_WEEK.isoformat()) as process:
        _to_canary(story, schedule)
        _to_production(story, schedule, process)
        weather = _made(story, year, number + 1, SCHEDULE + WEATHER, "schedule and weather")
        _signed(story, weather, OMAR)
        _to_canary(story, weather)
        _pulled_back(story, schedule, weather, process)
        _was_it_right(story, year, schedule, weather)
        yield process


def _made(story: Story, year: Flights, number: int, names: tuple[str, ...], inputs: str) -> Made:
    """Train, register and measure a version."""
    winter = year.between(*WINTER)
    what = f"{LIN.username} trains flight_delay_v{number} on {inputs} of January to March"
    with story.console.step(what):
        trained = training.flight_delay(winter, names, seed=story.seed)
        described = DESCRIPTION.format(inputs=inputs)
        model_id = register(story, FLIGHTS, number, trained, described)
    story.model_page(model_id)
    kept, held_out = training.split(winter)
    with story.console.step(f"Assay measures it on {len(held_out):,} flights it has not seen"):
        days = DRIFT_WINDOW.days
        kind = "weather" if names != SCHEDULE else "schedule"
        reference = datasets.of_flights(kept, names, window_days=days)
        judged = datasets.of_flights(held_out, names, window_days=days)
        found = evaluate(
            story,
            FLIGHTS,
            model_id,
            dataset=upload(story, FLIGHTS, f"flights_winter_{kind}_held_out", judged),
            reference=upload(story, FLIGHTS, f"flights_winter_{kind}", reference),
        )
    figures = (found.results or {})["metrics"]["figures"]
    story.console.figures([("AUROC", f"{figures['auroc']:.3f}")])
    return Made(model_id, trained)


def _signed(story: Story, made: Made, reviewer: Person) -> None:
    role = reviewer.role.replace("_", " ")
    with story.console.step(f"{reviewer.username}, {role}, reviews it and signs"):
        reviewing.sign(story.cast, reviewer, made.model_id)
    story.page(reviewing.address(made.model_id))


def _to_canary(story: Story, made: Made) -> None:
    _move(story, made, DeploymentStage.CANARY, CANARY_PERCENTAGE)
    story.console.as_told(f"{made.model_id} is in canary, at {CANARY_PERCENTAGE:g} %")


def _to_production(story: Story, made: Made, process: Serving) -> None:
    process.order(APRIL, PER_SECOND)
    with story.console.step("it answers about the flights of the last week of March"):
        requests = await_proof(story, story.registry(MAX), made.model_id)
    _move(story, made, DeploymentStage.PRODUCTION)
    story.console.as_told(f"healthy on {requests:,} requests: {made.model_id} is in production")
    _await(process, lambda status: status.waiting)


def _pulled_back(story: Story, schedule: Made, weather: Made, process: Serving) -> None:
    story.model_page(weather.model_id, "watch its drift from now on")
    process.order(SUMMER, PER_SECOND)
    registry = story.registry(MAX)

    def is_out(status: Status) -> bool:
        return registry.get_model(weather.model_id).deploy_status == DeploymentStage.ROLLBACK

    with story.console.step("the spring of 2013 goes by, a day a second"):
        _await(process, is_out, lambda status: _show(story, status, schedule, weather))
        served = _await(process, lambda status: status.after(weather.model_id) >= COUNTED)
    process.order(datetime.fromisoformat(served.data_time), PER_SECOND)
    entry = registry.get_model(weather.model_id)
    decision = Decision.read(weather.model_id, entry.rollback or {})
    story.console.as_told(
        f"Assay took {weather.model_id} out of canary by itself: {'; '.join(decision.reasons)}"
    )
    scores = {
        made.model_id: evidence.drift_at(registry, made.model_id, decision.decided_on)
        for made in (schedule, weather)
    }
    outcome = Outcome(decision, schedule.model_id, scores, served)
    story.console.figures(outcome.figures())
    if objections := outcome.objections():
        raise NotAsTold(" ".join(objections))
    story.console.as_told("the canary got the share it was given, and then nothing")
    story.console.as_told(f"{schedule.model_id} does not look at the weather and never drifted")
    _tell_answer(story, decision)


def _tell_answer(story: Story, decision: Decision) -> None:
    story.page(f"/incidents/{decision.incident_id}/", "the incident")
    story.model_page(decision.model_id, "why it was rolled back")
    story.console.detail(
        f"GET /api/model-registry/models/{decision.model_id} says of its rollback:"
    )
    story.console.code(decision.answer_lines())


def _was_it_right(story: Story, year: Flights, schedule: Made, weather: Made) -> None:
    """What nobody could know then: how both did, once the flights of April had arrived."""
    april = year.between("2013-04-01", "2013-04-30")
    arrived = april.take(april.arrived)
    chances = {made.model_id: _chances(made, arrived) for made in (schedule, weather)}
    auroc = {each: networks.auroc(chance, arrived.late) for each, chance in chances.items()}
    better = max(auroc, key=lambda model_id: auroc[model_id])
    story.console.say("Was it right? The flights of April have arrived by now:")
    story.console.figures([(f"AUROC of {each} in April", f"{auroc[each]:.3f}") for each in auroc])
    story.console.detail(
        f"{weather.model_id} gave a flight of April a chance of "
        f"{chances[weather.model_id].mean():.0%} to be late on average, and "
        f"{arrived.late.mean():.0%} were; {better} tells late flights better."
    )


def _chances(made: Made, rows: Flights) -> networks.Floats:
    """How likely each flight is to be late, as a version sees it."""
    network = made.trained.network
    return network.probabilities(rows.features(made.trained.features))[:, 1]


def _show(story: Story, status: Status, schedule: Made, weather: Made) -> None:
    day = datetime.fromisoformat(status.data_time)
    scores = ", ".join(
        f"{made.model_id} {score(status.drift.get(made.model_id))}" for made in (schedule, weather)
    )
    story.console.live(f"{day:%d %B}: {status.served:,} requests; drift {scores}")


def _move(
    story: Story, made: Made, stage: DeploymentStage, percentage: float | None = None
) -> None:
    try:
        story.registry(MAX).update_deployment_status(made.model_id, stage, percentage)
    except PromotionBlocked as refusal:
        raise NotAsTold(f"{made.model_id} was to enter {stage}: {refusal}") from refusal


def _await(
    process: Serving,
    reached: Callable[[Status], bool],
    meanwhile: Callable[[Status], None] = lambda status: None,
) -> Status:
    try:
        return process.wait_until(reached, seconds=MONTHS_WITHIN, meanwhile=meanwhile)
    except NotInTime as late:
        raise NotAsTold(f"The months went by and it did not happen: {late}") from late
