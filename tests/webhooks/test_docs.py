"""The receiver that docs/events.md shows works as it stands there."""

from __future__ import annotations

import runpy
import threading
import time
import urllib.error
import urllib.request
from http.server import HTTPServer
from pathlib import Path

import pytest

from assay import webhooks

PAGE = (Path(__file__).resolve().parent.parent.parent / "docs" / "events.md").read_text()


@pytest.mark.parametrize(("body", "status"), [(b'{"test": 1}', 204), (b'{"test": 2}', 400)])
def test_the_receiver_takes_what_was_signed_and_nothing_else(
    body: bytes, status: int, tmp_path: Path
) -> None:
    (tmp_path / "receiver.py").write_text(PAGE.split("```python\n")[1].split("```")[0])
    shown = runpy.run_path(str(tmp_path / "receiver.py"))
    shown["Receiver"].log_message = lambda *_: None
    at = int(time.time())
    signed = webhooks.signature(shown["SECRET"], "msg_1", at, b'{"test": 1}')
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": signed}

    with HTTPServer(("127.0.0.1", 0), shown["Receiver"]) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/"
        request = urllib.request.Request(url, body, headers, method="POST")
        try:
            answered = urllib.request.urlopen(request, timeout=5).status
        except urllib.error.HTTPError as refusal:
            answered = refusal.code

    assert answered == status
