"""Chapter A: a gate that reads the evidence. Employment, tier high, real people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from assay import DeploymentStage, Evaluation, PromotionBlocked
from demo import census, datasets, reviewing, sources, training
from demo.census import Census, Encoding
from demo.lines import FOR_EVER
from demo.people import ADA, MAX, OMAR, RUTH
from demo.remote import Serving
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

EMPLOYMENT = Family("Employment", "employment", "labour", trainer=ADA, risk_tier="high")
ATTRIBUTE = "RAC1P"
PER_SECOND = 1_000.0  # requests while a canary has to prove itself


@dataclass(frozen=True)
class People:
    """The two years a model needs, and how a person becomes numbers."""

    trained_on: Census
    judged_on: Census
    encoding: Encoding
    dataset: str  # the name of the second year at Assay

    @classmethod
    def read(cls, story: Story, *, shuffle: bool) -> Self:
        """Read the years, with groups dealt out at random if asked, and hand the second in."""
        folder = sources.folder(sources.CENSUS)
        trained_on, judged_on = (census.read(folder, year) for year in (2015, 2016))
        name = "employment_2016"
        if shuffle:
            trained_on, judged_on = (rows.shuffled(story.seed) for rows in (trained_on, judged_on))
            name = f"employment_2016_shuffled_{story.seed}"
        encoding = Encoding.of(trained_on)
        upload(story, EMPLOYMENT, name, datasets.of_people(judged_on, encoding))
        return cls(trained_on, judged_on, encoding, name)


@contextmanager
def told(story: Story, *, shuffle: bool) -> Iterator[Serving | None]:
    """Tell the chapter; while inside, the model of the chapter keeps serving (None: there is none).

    Raises:
        NotAsTold: A step did not go as the story says.
    """
    story.console.chapter("A", "A gate that reads the evidence")
    people = People.read(story, shuffle=shuffle)
    number = next_number(story.registry(ADA), EMPLOYMENT)
    plain, refused = _plain(story, people, number)
    bias = _measured(story, people, refused)
    if shuffle:
        _opened(story, refused, bias)
        yield None
        return
    _refused(story, refused, bias)
    mitigated = _mitigated(story, people, plain, number + 1, bias)
    _signed(story, mitigated)
    with story.serving(EMPLOYMENT, "employment", "--seed", str(story.seed)) as process:
        _live(story, mitigated, process)
        yield process


def _plain(story: Story, people: People, number: int) -> tuple[Trained, str]:
    what = (
        f"{ADA.username} trains employment_v{number} on {len(people.trained_on):,} people of 2015"
    )
    with story.console.step(f"{what}, without race and sex"):
        trained = training.employment(people.trained_on, people.encoding, seed=story.seed)
        model_id = register(story, EMPLOYMENT, number, trained, PLAIN)
    story.model_page(model_id)
    return trained, model_id


PLAIN = (
    "Whether a person is employed, from age, schooling, household, ability and origin as the "
    "American Community Survey records them. Race and sex are not inputs. Trained on "
    "Massachusetts, 2015. For the demonstration of Assay only."
)
MITIGATED = (
    f"{PLAIN} Scores are moved in training towards equal rates of selection by race "
    "(docs/demo.md says how and what it costs); nobody's race is needed to ask."
)


def _measured(story: Story, people: People, model_id: str) -> Mapping[str, Any]:
    """Have a version measured and print what came out; gives what was found on bias."""
    with story.console.step(f"Assay measures it on {len(people.judged_on):,} people of 2016"):
        found = evaluate(
            story,
            EMPLOYMENT,
            model_id,
            dataset=people.dataset,
            protected=[ATTRIBUTE],
            favourable=census.CLASSES[census.EMPLOYED],
        )
    story.console.figures([("accuracy, AUROC", _quality(found)), *_ratios(found)])
    bias: Mapping[str, Any] = _results(found)["bias"]
    return {**bias, "quality": _figures(found)}


def _refused(story: Story, model_id: str, bias: Mapping[str, Any]) -> None:
    story.expect(
        bias["verdict"] == "fail",
        "bias by race: fail",
        f"Bias of {model_id} was to fail on the real data, and is {bias['verdict']}.",
    )
    with story.console.step(f"{MAX.username} asks to let it into canary"):
        blockers = _blockers(story, model_id)
    story.expect(
        any("bias fails" in blocker.lower() for blocker in blockers),
        "refused, and told everything that is missing:",
        f"Canary of {model_id} was to be refused for measured bias; blockers: {blockers}.",
    )
    for blocker in blockers:
        story.console.bullet(blocker)
    story.page(reviewing.address(model_id), "what a reviewer sees")


def _opened(story: Story, model_id: str, bias: Mapping[str, Any]) -> None:
    """With groups dealt out at random there is nothing to find, so the same gate opens."""
    story.expect(
        bias["verdict"] == "pass",
        "bias by race, dealt out at random: pass; so the gate that refuses has to open",
        f"With shuffled groups bias of {model_id} was to pass, and is {bias['verdict']}.",
    )
    _signed(story, model_id)
    _to_canary(story, model_id)


def _mitigated(
    story: Story, people: People, plain: Trained, number: int, before: Mapping[str, Any]
) -> str:
    what = f"{ADA.username} trains employment_v{number}, with scores moved towards parity by race"
    with story.console.step(what):
        trained = training.mitigated_employment(
            people.trained_on, people.encoding, plain, seed=story.seed
        )
        model_id = register(story, EMPLOYMENT, number, trained, MITIGATED)
    story.model_page(model_id)
    bias = _measured(story, people, model_id)
    story.expect(
        bias["verdict"] == "pass",
        "bias by race: pass",
        f"Bias of {model_id} was to pass, and is {bias['verdict']}: {bias['reasons']}",
    )
    lost = {name: before["quality"][name] - bias["quality"][name] for name in bias["quality"]}
    story.console.detail(
        f"what that costs: {100 * lost['accuracy']:.1f} points of accuracy, "
        f"{lost['auroc']:.3f} of AUROC; docs/demo.md says how it works and what it means"
    )
    return model_id


def _signed(story: Story, model_id: str) -> None:
    story.page(reviewing.address(model_id), "where two people of two roles sign")
    for stage in ("canary", "production"):
        for reviewer in (RUTH, OMAR):
            role = reviewer.role.replace("_", " ")
            with story.console.step(f"{reviewer.username}, {role}, signs for {stage}"):
                reviewing.sign(story.cast, reviewer, model_id, scope=stage)


def _to_canary(story: Story, model_id: str) -> None:
    with story.console.step(f"{MAX.username} asks again"):
        blockers = _blockers(story, model_id)
    story.expect(
        not blockers,
        f"{model_id} is in canary, at {CANARY_PERCENTAGE:g} %",
        f"Canary of {model_id} was to open; blockers: {blockers}.",
    )


def _live(story: Story, model_id: str, process: Serving) -> None:
    _to_canary(story, model_id)
    process.order(FOR_EVER, PER_SECOND)
    registry = story.registry(MAX)
    with story.console.step("it answers about real people of 2017"):
        requests = await_proof(story, registry, model_id)
    story.console.as_told(f"healthy on {requests:,} requests")
    try:
        registry.update_deployment_status(model_id, DeploymentStage.PRODUCTION)
    except PromotionBlocked as refusal:
        raise NotAsTold(f"Production of {model_id} was to open: {refusal}") from refusal
    story.console.as_told(f"{model_id} is in production")
    story.model_page(model_id)


def _blockers(story: Story, model_id: str) -> list[str]:
    """What keeps a version out of canary; nothing if it went in."""
    try:
        story.registry(MAX).update_deployment_status(
            model_id, DeploymentStage.CANARY, CANARY_PERCENTAGE
        )
    except PromotionBlocked as refusal:
        return refusal.blockers
    return []


def _results(found: Evaluation) -> Mapping[str, Any]:
    return found.results or {}


def _figures(found: Evaluation) -> dict[str, float]:
    figures = _results(found)["metrics"]["figures"]
    return {name: figures[name] for name in ("accuracy", "auroc")}


def _quality(found: Evaluation) -> str:
    figures = _figures(found)
    return f"{figures['accuracy']:.3f}, {figures['auroc']:.3f}"


def _ratios(found: Evaluation) -> list[tuple[str, str]]:
    """The impact ratio of each group that gates, the lowest first."""
    section = _results(found)["bias"]["sections"][0]
    compared = [group for group in section["groups"] if group["gates"] and group["impact_ratio"]]
    compared.sort(key=lambda group: float(group["impact_ratio"]["value"]))
    return [
        (
            census.GROUPS[ATTRIBUTE][int(group["key"])],
            "{value:.3f} of the best rate, 95 % {lower:.3f} to {upper:.3f}, {verdict}".format(
                **group["impact_ratio"]
            ),
        )
        for group in compared
    ]
