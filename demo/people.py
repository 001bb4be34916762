"""The people of the story: each with a token of their own, two with a way into the admin."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
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
    with ThreadPoolExecutor(max_workers=2) as pool:
        tokens = list(pool.map(lambda person: _token(installation, person), EVERYBODY))
        passwords = list(pool.map(lambda person: _password(installation, person), REVIEWERS))
    return Cast(
        installation,
        dict(zip(EVERYBODY, tokens, strict=True)),
        dict(zip(REVIEWERS, passwords, strict=True)),
    )


def _token(installation: Installation, person: Person) -> str:
    return installation.manage("issue_token", person.username, "--role", person.role)


def _password(installation: Installation, person: Person) -> str:
    """A new random password; the command says it at the end of its sentence."""
    return installation.manage("password", person.username).split()[-1]
