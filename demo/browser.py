"""A person at the admin's pages: follows links, fills in forms, keeps cookies. No more than that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin
from urllib.request import HTTPCookieProcessor, Request, build_opener

PATIENCE = 30.0  # seconds for one page
SAYING = {"messages", "messagelist", "errorlist"}  # classes of what pages say to people

Fields = Mapping[str, str]


class PageRefused(Exception):
    """A page is not there, or did not accept a form; the message is what it said."""


@dataclass
class Form:
    """A form as it stands on a page, with the values it is sent with if nobody changes them."""

    action: str
    method: str
    values: dict[str, str] = field(default_factory=dict)
    choices: dict[str, list[str]] = field(default_factory=dict)  # of radio buttons, selects, boxes
    buttons: dict[str, list[str]] = field(default_factory=dict)

    @property
    def names(self) -> set[str]:
        """Everything that can be filled in."""
        return {*self.values, *self.choices, *self.buttons}


@dataclass(frozen=True)
class Page:
    """An answer, read."""

    url: str
    status: int
    text: str
    forms: list[Form]
    messages: list[str]  # what the admin says after an action, and the errors of its forms

    def form(self, *names: str) -> Form:
        """The first form that has all these fields.

        Raises:
            PageRefused: There is none.
        """
        for form in self.forms:
            if set(names) <= form.names:
                return form
        raise PageRefused(f"{self.url} has no form with {', '.join(names)}: {self.messages}")


class Browser:
    """One person's session at ``root``."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._cookies = CookieJar()
        self._opener = build_opener(HTTPCookieProcessor(self._cookies))

    def get(self, path: str) -> Page:
        """Look at a page.

        Raises:
            PageRefused: It is not there, or not for this person.
        """
        return self._open(Request(urljoin(self._root, path)))

    def submit(self, page: Page, form: Form, given: Fields) -> Page:
        """Send a form with what was given in it, and look at where it leads.

        Raises:
            PageRefused: The page refused it with an error status.
        """
        target = urljoin(page.url, form.action)
        body = urlencode({**form.values, **given}).encode()
        headers = {"Referer": page.url, "Origin": self._root}
        return self._open(Request(target, body, headers))

    def sign_in(self, username: str, password: str) -> None:
        """Open the session by way of the admin's own sign-in page.

        Raises:
            PageRefused: User and password do not fit, or the person may not enter the admin.
        """
        page = self.get("/admin/login/?next=/admin/")
        form = page.form("username", "password")
        after = self.submit(page, form, {"username": username, "password": password})
        if "/login" in after.url:
            raise PageRefused(f"{username} cannot sign in: {' '.join(after.messages)}")

    def _open(self, request: Request) -> Page:
        try:
            with self._opener.open(request, timeout=PATIENCE) as response:
                return _read(response.url, response.status, _text(response))
        except HTTPError as refusal:
            with refusal:
                page = _read(
                    request.full_url, refusal.code, refusal.read().decode(errors="replace")
                )
            said = " ".join(page.messages)
            raise PageRefused(f"{request.full_url} answers {refusal.code} {said}") from None
        except OSError as error:
            raise PageRefused(f"{request.full_url} does not answer: {error}") from error


class _Reader(HTMLParser):
    """Collects forms and what the page says to the person."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.messages: list[str] = []
        self._select: str | None = None
        self._area: str | None = None
        self._saying: str | None = None  # the tag whose text is being said
        self._depth = 0  # of such tags
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == self._saying:
            self._depth += 1
        elif self._saying is None and _says(given):
            self._saying, self._depth, self._said = tag, 1, []
        if tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif self.forms:
            self._field(tag, given)

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = None
        elif tag == "textarea":
            self._area = None
        elif tag == self._saying:
            self._depth -= 1
            if not self._depth:
                self.messages.append(" ".join(self._said))
                self._saying = None

    def handle_data(self, data: str) -> None:
        if self._saying and data.strip():
            self._said.append(data.strip())
        if self._area is not None:
            self.forms[-1].values[self._area] += data

    def _field(self, tag: str, given: dict[str, str]) -> None:
        form, name = self.forms[-1], given.get("name")
        if tag == "option" and self._select is not None:
            form.choices[self._select].append(given.get("value", ""))
            if "selected" in given:
                form.values[self._select] = given.get("value", "")
        elif name is None:
            return
        elif tag == "select":
            self._select = name
            form.choices.setdefault(name, [])
        elif tag == "textarea":
            self._area = name
            form.values[name] = ""
        elif tag == "button":
            form.buttons.setdefault(name, []).append(given.get("value", ""))
        elif tag == "input":
            self._input(form, name, given)

    def _input(self, form: Form, name: str, given: dict[str, str]) -> None:
        kind, value = given.get("type", "text"), given.get("value", "")
        if kind == "submit":
            form.buttons.setdefault(name, []).append(value)
        elif kind in ("radio", "checkbox"):
            form.choices.setdefault(name, []).append(value or "on")
            if "checked" in given:
                form.values[name] = value or "on"
        else:
            form.values[name] = value


def _says(given: Mapping[str, str]) -> bool:
    """Whether an element with these attributes speaks to the person."""
    return given.get("role") == "alert" or bool(SAYING & set(given.get("class", "").split()))


def _read(url: str, status: int, text: str) -> Page:
    reader = _Reader()
    reader.feed(text)
    return Page(url, status, text, reader.forms, reader.messages)


def _text(response: HTTPResponse) -> str:
    return response.read().decode(errors="replace")
