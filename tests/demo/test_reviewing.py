"""A reviewer at a page like the admin's, which takes the form or says why not."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs

import pytest

from demo import reviewing
from demo.browser import PageRefused
from demo.installation import Installation
from demo.people import EVERYBODY, RUTH, Cast

SIGN_IN = '<form method="post"><input name="username"><input name="password"></form>'
FORM = """
<form method="post"><input type="hidden" name="csrf" value="c1">
<input type="radio" name="constitutional_compliance" value="pass">
<input type="radio" name="bias" value="pass"><textarea name="note"></textarea>
<select name="scope"><option value="canary" selected><option value="production"></select>
<input name="printed_name" value="Ruth"><input type="password" name="password"></form>
"""


class Console(BaseHTTPRequestHandler):
    """Signs anybody in, shows one review page, and answers with what the test says."""

    answer: ClassVar[str] = ""
    posted: ClassVar[list[dict[str, str]]] = []

    def do_GET(self) -> None:
        self._page(SIGN_IN if "login" in self.path else FORM)

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if "login" in self.path:
            self.send_response(302)
            self.send_header("Location", "/admin/")
            self.end_headers()
            return
        self.posted.append({name: values[0] for name, values in parse_qs(body).items()})
        self._page(f'<ul class="messages"><li>{self.answer}</li></ul>')

    def log_message(self, format: str, *args: object) -> None:
        pass

    def _page(self, text: str) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())


@pytest.fixture
def cast(tmp_path: Path) -> Iterator[Cast]:
    Console.posted.clear()
    with HTTPServer(("127.0.0.1", 0), Console) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        tokens = dict.fromkeys(EVERYBODY, "")
        yield Cast(Installation(tmp_path, server.server_port), tokens, {RUTH: "secret"})
        server.shutdown()
        thread.join()


def test_both_checks_pass_and_the_password_is_given_again(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Console, "answer", "You approved v2 for canary as reviewer.")

    reviewing.sign(cast, RUTH, "v2", scope="production")

    assert Console.posted == [
        {
            "csrf": "c1",
            "constitutional_compliance": "pass",
            "bias": "pass",
            "note": reviewing.NOTE,
            "scope": "production",
            "printed_name": "Ruth",
            "password": "secret",
        }
    ]


def test_without_a_scope_the_page_decides(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "answer", "You approved v2 for serving as reviewer.")

    reviewing.sign(cast, RUTH, "v2")

    assert Console.posted[0]["scope"] == "canary"


def test_a_signature_that_is_not_taken_is_told(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Console, "answer", "Nothing was signed, since not every check passed.")

    with pytest.raises(PageRefused, match="did not take the signature: Nothing was signed"):
        reviewing.sign(cast, RUTH, "v2")
