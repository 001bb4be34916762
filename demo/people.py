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
EVERYBODY = (ADA, LIN, MAX, RUTH, OMAR)
REVIEWERS = (RUTH, OMAR)
GATEWAY = "gateway"  # the serving processes, with a token for each model


@dataclass(frozen=True)
class Cast:
    """Everybody with what they need to act."""

    installation: Installation
    tokens: dict[Person, str]
    passwords: dict[Person, str]

    def registry(self, person: Person) -> Registry:
        """The registry as ``person`` may use it: over HTTP, with their own token."""
        return Registry(Session(HttpTransport(self.installation.url, self.tokens[person])))

    def gateway(self, model: str) -> dict[str, str]:
        """What a process needs to serve a registered model; a new token, good for that one alone.

        Raises:
            CannotStart: The command failed.
        """
        issued = _issue(self.installation, {GATEWAY: ["serving", "--family", model]}, [])
        found = {"ASSAY_URL": self.installation.url, "ASSAY_TOKEN": issued["tokens"][GATEWAY]}
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
    issued = _issue(
        installation,
        {person.username: [person.role] for person in EVERYBODY},
        [person.username for person in REVIEWERS],
    )
    return Cast(
        installation,
        {person: issued["tokens"][person.username] for person in EVERYBODY},
        {person: issued["passwords"][person.username] for person in REVIEWERS},
    )


def _issue(
    installation: Installation, tokens: dict[str, list[str]], passwords: list[str]
) -> dict[str, dict[str, str]]:
    asked = json.dumps({"tokens": tokens, "passwords": passwords})
    issued: dict[str, dict[str, str]] = json.loads(
        installation.run("-m", "demo.credentials", asked)
    )
    return issued
