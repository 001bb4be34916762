"""The product's settings in a home of the test run's own."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from pathlib import Path

# A short path: sockets live below it. Set before the settings read it.
os.environ["ASSAY_HOME"] = tempfile.mkdtemp(prefix="assay-test-")
atexit.register(shutil.rmtree, os.environ["ASSAY_HOME"], ignore_errors=True)

from tests import addresses

if addresses.given():
    os.environ |= addresses.of_this_process().environment

from config.settings import *

# Every answer of the API, in whichever test, must be one that its description allows.
MIDDLEWARE = ["tests.conforming.ConformingMiddleware", *MIDDLEWARE]

# Celery put the working folder first. From tests/ that would hide `registry` behind tests/registry.
sys.path[:] = [place for place in sys.path if place != str(Path(__file__).parent)]
ASSAY_THROTTLE_REFUSED = (0, 0)  # every test comes from one address
ASSAY_THROTTLE_PASSWORDS = ASSAY_THROTTLE_PASSWORDS_ADDRESS = (0, 0)
WHITENOISE_AUTOREFRESH = True  # else each test client reads all static files first
# What each sign-in would cost: the product's own hasher, which others' hashes are still read by, takes
# a third of a second on purpose.
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
