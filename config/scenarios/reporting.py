"""Run the scenarios of a file one after the other, and say what came of each."""

from __future__ import annotations

import logging
from collections.abc import Callable

from django.db import connections

from config import env
from config.scenarios import emptying, running
from config.scenarios.fields import ScenarioRefused
from config.scenarios.reading import Stories
from config.scenarios.series import Scenario
from registry.errors import RegistryError

log = logging.getLogger(__name__)


def report(stories: Stories, *, say: Callable[[str], object]) -> int:
    """Run each in the database emptied for it; how many failed."""
    failed = 0
    for name, story in stories:
        if found := _differences(story):
            failed += 1
            say(f"{name} failed:")
            for difference in found:
                say(f"  {difference}.")
        else:
            say(f"{name} passed")
    say(f"{len(stories) - failed} passed, {failed} failed")
    return failed


def _differences(story: Scenario | ScenarioRefused) -> list[str]:
    if isinstance(story, ScenarioRefused):
        return [str(story).removesuffix(".")]
    connections["default"].close()
    emptying.empty(env.owner_database_url(), env.redis_client_url())
    try:
        return running.differences(story)
    except RegistryError as refusal:  # two canaries of 60 %, and the like
        return [f"its versions cannot be where it says: {str(refusal).removesuffix('.')}"]
    except Exception as error:  # a scenario that breaks the product has failed, the next may pass
        log.exception("scenario %s broke", story.id)
        return [f"it broke: {type(error).__name__}: {str(error).removesuffix('.')}"]
