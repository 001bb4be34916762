"""The story that the seed's Python blocks tell, step by step, with what each is to leave behind."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay import DeploymentStage

Stage = DeploymentStage
V1, V2 = "fraud_detector_v1", "fraud_detector_v2"


class How(StrEnum):
    """How a block is run, and by which test of tests/test_seed.py."""

    PYTHON = "Python, in process and over HTTP"
    CURL = "curl"
    REQUEST = "as an HTTP request"
    WORKER = "Python, as a module of the worker's"
    READ = "read, and compared"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of one block."""

    heading: str  # the block's
    how: How
    caller: str  # username
    before: str  # the state it needs
    then: str  # what is seen afterwards
    model_id: str = ""  # what the block's `model_id` is
    prepare: str = ""  # a preparation of tests.seed_story
    stage: DeploymentStage | None = None  # `deploy_status` afterwards
    refused: str = ""  # the exception, where it is to be refused
    says: tuple[str, ...] = ()  # what the refusal says, among other things


ROLES = {"tom": "trainer", "rita": "reviewer", "otto": "operator"}
REGISTER = "Register a Model (Python)"
SANDBOX = "Stage 2: Sandbox Testing"
CANARY = "Stage 3: Canary (10% traffic)"
PRODUCTION = "Stage 4: Production (100% traffic)"
GOVERNED = "Before Promoting to Canary/Production"
FLAGS = "Set Governance Flags"
WATCHED = "Automatic Rollback"

# In this order, as one story, by each caller in a Python process of their own making.
STORY = (
    Use(
        heading=REGISTER,
        how=How.PYTHON,
        caller="tom",
        before="an empty registry",
        then="the model is in development",
        model_id=V1,
        stage=Stage.DEVELOPMENT,
    ),
    Use(
        heading=PRODUCTION,
        how=How.PYTHON,
        caller="tom",
        before="the model is in development",
        then="refused: a stage is skipped",
        model_id=V1,
        stage=Stage.DEVELOPMENT,
        refused="Conflict",
        says=("cannot move from development to production", "may move to sandbox"),
    ),
    Use(
        heading=SANDBOX,
        how=How.PYTHON,
        caller="tom",
        before="the model is in development",
        then="it is in sandbox",
        model_id=V1,
        stage=Stage.SANDBOX,
    ),
    Use(
        heading=GOVERNED,
        how=How.PYTHON,
        caller="tom",
        before="nothing is reviewed yet",
        then="the block itself raises: compliance is required",
        model_id=V1,
        stage=Stage.SANDBOX,
        refused="Exception",
        says=("Constitutional compliance required",),
    ),
    Use(
        heading=CANARY,
        how=How.PYTHON,
        caller="tom",
        before="nothing is reviewed yet",
        then="refused, and every blocker is named",
        model_id=V1,
        stage=Stage.SANDBOX,
        refused="PromotionBlocked",
        says=(
            "The constitutional compliance check is not settled",
            "The bias check is not settled",
            "0 of 1 signatures for canary",
        ),
    ),
    Use(
        heading=FLAGS,
        how=How.PYTHON,
        caller="tom",
        before="the trainer is one of the model's own people",
        then="refused: only a reviewer other than they may settle the checks",
        model_id=V1,
        stage=Stage.SANDBOX,
        refused="PermissionRefused",
        says=("reviewer",),
    ),
    Use(
        heading=FLAGS,
        how=How.PYTHON,
        caller="rita",
        before="the model is in sandbox",
        then="both checks are settled in the reviewer's name, which is the approval",
        model_id=V1,
        stage=Stage.SANDBOX,
    ),
    Use(
        heading=CANARY,
        how=How.PYTHON,
        caller="tom",
        before="both checks have passed",
        then="it is in canary with 10 % of the traffic",
        model_id=V1,
        stage=Stage.CANARY,
    ),
    Use(
        heading=PRODUCTION,
        how=How.PYTHON,
        caller="tom",
        before="the canary has reported nothing yet",
        then='refused: "after canary succeeds" is a condition',
        model_id=V1,
        stage=Stage.CANARY,
        refused="PromotionBlocked",
        says=("The canary has not proven itself",),
    ),
    Use(
        heading="Record Performance Snapshot",
        how=How.PYTHON,
        caller="otto",
        before="the model is in canary",
        then="the snapshot is kept",
        model_id=V1,
        stage=Stage.CANARY,
    ),
    Use(
        heading=WATCHED,
        how=How.PYTHON,
        caller="otto",
        before="the canary is healthy",
        then="nothing happens",
        model_id=V1,
        stage=Stage.CANARY,
    ),
    Use(
        heading=PRODUCTION,
        how=How.PYTHON,
        caller="tom",
        before="the canary is healthy on 1,000 requests",
        then="it is in production",
        model_id=V1,
        stage=Stage.PRODUCTION,
    ),
    Use(
        heading="Stage 1: Development",
        how=How.PYTHON,
        caller="tom",
        before="`entry` describes version 2.0.0",
        then="version 2.0.0 is in development",
        model_id=V2,
        prepare="next_version",
        stage=Stage.DEVELOPMENT,
    ),
    Use(
        heading=SANDBOX,
        how=How.PYTHON,
        caller="tom",
        before="version 2.0.0 is in development",
        then="it is in sandbox",
        model_id=V2,
        stage=Stage.SANDBOX,
    ),
    Use(
        heading=FLAGS,
        how=How.PYTHON,
        caller="rita",
        before="version 2.0.0 is in sandbox",
        then="both its checks are settled",
        model_id=V2,
        stage=Stage.SANDBOX,
    ),
    Use(
        heading=GOVERNED,
        how=How.PYTHON,
        caller="tom",
        before="both its checks have passed",
        then="it is in canary, with the default share of 10 %",
        model_id=V2,
        stage=Stage.CANARY,
    ),
    Use(
        heading=WATCHED,
        how=How.PYTHON,
        caller="otto",
        before="a fifth of its requests fail",
        then="it is rolled back",
        model_id=V2,
        prepare="a_fifth_fails",
        stage=Stage.ROLLBACK,
    ),
)
