"""Ways to run the seed's lines: curl, and a web server for the test run's own database."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from config import env
from config.embedded import startup
from config.embedded.locations import ROOT, Home
from config.embedded.programs import Addresses, Programs
from config.embedded.startup import answers
from tests.running import free_port
from tests.seed_blocks import SERVER

TESTS = Path(__file__).parent
Answer = tuple[int, Any]  # status, parsed body


def curl(command: str, url: str) -> Answer:
    """Run a curl line as it stands, but for the address, in tests/; where curl is missing, do as it.

    curl reads from its own configuration that it is to say the status.
    """
    line = command.replace(SERVER, url)
    if shutil.which("curl") is None:
        return without_curl(line)
    with tempfile.TemporaryDirectory() as home:
        settings = 'silent\nshow-error\nnoproxy = "*"\nwrite-out = "\\n%{http_code}"\n'
        (Path(home) / ".curlrc").write_text(settings)
        done = subprocess.run(
            ["sh", "-c", line],
            cwd=TESTS,
            env=os.environ | {"CURL_HOME": home, "HOME": home},
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
    body, _, status = done.stdout.rpartition("\n")
    return int(status), json.loads(body)


def without_curl(line: str) -> Answer:
    """The request that a curl line asks for, sent without curl."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("-X", dest="method", default="GET")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="data")
    asked = parser.parse_args(shlex.split(line.replace("\\\n", " "))[1:])
    data = asked.data
    if data is not None and data.startswith("@"):
        data = (TESTS / data[1:]).read_text()
    request = urllib.request.Request(
        asked.url,
        method=asked.method,
        data=None if data is None else data.encode(),
        headers=dict(header.split(": ", 1) for header in asked.headers),
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as refusal:
        return refusal.code, json.load(refusal)


@contextmanager
def web_of_the_test_run() -> Iterator[str]:
    """The product's own web server over the test run's database; its address."""
    addresses = Addresses(env.database_url(), env.owner_database_url(), env.broker_url())
    port = free_port()
    home = Home(env.home())
    startup.forget_counts(home)
    program = Programs(home, port, addresses).web
    process = subprocess.Popen(
        program.launched_by(os.getpid()),
        cwd=ROOT,
        env={**program.environment, "DJANGO_SETTINGS_MODULE": "config.settings"},
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 30
        while not answers(port):
            assert process.poll() is None, f"the web server ended with {process.returncode}"
            assert time.monotonic() < deadline, "the web server does not answer"
            time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        process.terminate()
        process.wait(15)
