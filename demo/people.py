"""The people of the story: each with a token of their own, two with a way into the admin."""

from __future__ import annotations

import json
from dataclasses import dataclass

from assay import Registry
from assay.over_http import HttpTransport
from assay.session import Session
from demo.browser import Browser
from demo.installation import Installation


@dataclass(frozen=True)
class Person:
    """Somebody, or some program, with one role."""

    username: str
    role: str


ADA = Person("ada", "trainer")  # trains the models about people
LIN = Person("lin", "trainer")  # trains the models about flights
MAX = Person("max", "operator")  # asks for promotions
RUTH = Person("ruth", "reviewer")
OMAR = Person("omar", "risk_officer")
GATEWAY = Person("gateway", "serving")  # the serving processes
EVERYBODY = (ADA, LIN, MAX, RUTH, OMAR, GATEWAY)
REVIEWERS = (RUTH, OMAR)


@dataclass(frozen=True)
class Cast:
    """Everybody with what they need to act."""

    installation: Installation
    tokens: dict[Person, str]
    passwords: dict[Person, str]

    def registry(self, person: Person) -> Registry:
        """The registry as ``person`` may use it: over HTTP, with their own token."""
        return Registry(Session(HttpTransport(self.installation.url, self.tokens[person])))

    def environment(self, person: Person) -> dict[str, str]:
        """What a process needs to ask the registry as ``person``."""
        found = {"ASSAY_URL": self.installation.url, "ASSAY_TOKEN": self.tokens[person]}
        return self.installation.environment | found

    def browser(self, person: Person) -> Browser:
        """A browser in which ``person`` has signed in.

        Raises:
            PageRefused: The admin does not let them in.
        """
        browser = Browser(self.installation.url)
        browser.sign_in(person.username, self.passwords[person])
        return browser


def gather(installation: Installation) -> Cast:
    """Issue everybody a new token, and the reviewers new passwords.

    Raises:
        CannotStart: A command failed.
    """
    asked = {
        "tokens": {person.username: person.role for person in EVERYBODY},
        "passwords": [person.username for person in REVIEWERS],
    }
    issued = json.loads(installation.run("-m", "demo.credentials", json.dumps(asked)))
    return Cast(
        installation,
        {person: issued["tokens"][person.username] for person in EVERYBODY},
        {person: issued["passwords"][person.username] for person in REVIEWERS},
    )
