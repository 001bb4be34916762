"""A browser against a small site with a sign-in, a session cookie and a form."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from demo.browser import Browser, PageRefused

SIGN_IN = """
<p class="note bad" role="alert">Please {said}.</p>
<form method="post" id="search"><input name="q"></form>
<form method="post"><input type="hidden" name="csrf" value="c1">
  <input name="username"><input type="password" name="password">
  <button name="go" value="1">Sign in</button></form>
"""
REVIEW = """
<form action="/sign" method="POST">
  <input type="hidden" name="csrf" value="c1"> <textarea name="note">as is</textarea>
  <input type="radio" name="bias" value="pass"><input type="radio" name="bias" value="fail" checked>
  <input type="checkbox" name="sure">
  <select name="scope"><option value="canary" selected>c<option value="production">p</select>
  <input type="submit" name="_save" value="Save"><button name="act" value="sign">Sign</button>
</form>
"""


class Site(BaseHTTPRequestHandler):
    """Answers as the admin does: signs in with a cookie, redirects, lists messages."""

    posted: list[dict[str, str]] = []

    def do_GET(self) -> None:
        signed_in = "sessionid=s1" in self.headers.get("Cookie", "")
        if self.path.startswith("/admin/login"):
            self._page(SIGN_IN.format(said="sign in"))
        elif self.path.startswith("/admin/"):
            self._page("<p>in</p>")
        elif self.path == "/review" and signed_in:
            self._page(REVIEW)
        else:
            self._page('<ul class="errorlist"><li>Not for you.</li></ul>', status=403)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        given = {name: values[0] for name, values in parse_qs(body).items()}
        self.posted.append(given)
        if not self.path.startswith("/admin/login"):
            self._page('<ul class="messagelist"><li>Signed <b>well</b>.</li></ul>')
        elif given.get("password") == "right":
            self.send_response(302)
            self.send_header("Location", "/admin/")
            self.send_header("Set-Cookie", "sessionid=s1; Path=/")
            self.end_headers()
        else:
            self._page(SIGN_IN.format(said="try again"))

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _page(self, text: str, status: int = 200) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def root() -> Iterator[str]:
    Site.posted = []
    with HTTPServer(("127.0.0.1", 0), Site) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture
def reviewer(root: str) -> Browser:
    browser = Browser(root)
    browser.sign_in("ruth", "right")
    return browser


def test_signing_in_sends_what_the_form_holds_and_keeps_the_session(reviewer: Browser) -> None:
    assert Site.posted == [{"csrf": "c1", "username": "ruth", "password": "right"}]
    assert reviewer.get("/review").status == 200


def test_a_wrong_password_is_said(root: str) -> None:
    with pytest.raises(PageRefused, match=r"ruth cannot sign in: Please try again\."):
        Browser(root).sign_in("ruth", "wrong")


def test_a_page_for_others_is_refused_with_its_sentence(root: str) -> None:
    with pytest.raises(PageRefused, match=r"/review answers 403 Not for you\."):
        Browser(root).get("/review")


def test_a_form_is_read_with_what_it_would_send(reviewer: Browser) -> None:
    form = reviewer.get("/review").form("note", "bias")

    assert form.action == "/sign"
    assert form.values == {"csrf": "c1", "note": "as is", "bias": "fail", "scope": "canary"}
    assert form.choices == {
        "bias": ["pass", "fail"],
        "sure": ["on"],
        "scope": ["canary", "production"],
    }
    assert form.buttons == {"_save": ["Save"], "act": ["sign"]}


def test_what_is_given_replaces_what_the_form_holds(reviewer: Browser) -> None:
    page = reviewer.get("/review")

    after = reviewer.submit(page, page.form("bias"), {"bias": "pass", "act": "sign"})

    assert Site.posted[-1] == {
        "csrf": "c1",
        "note": "as is",
        "bias": "pass",
        "scope": "canary",
        "act": "sign",
    }
    assert after.messages == ["Signed well ."]


def test_a_form_that_is_not_there_is_named(reviewer: Browser) -> None:
    with pytest.raises(PageRefused, match="no form with signature"):
        reviewer.get("/review").form("signature")


def test_a_site_that_does_not_answer_is_said() -> None:
    with pytest.raises(PageRefused, match="does not answer"):
        Browser("http://127.0.0.1:9").get("/")
