"""Signatures as Standard Webhooks has them, checked against its own vector and its own library."""

from __future__ import annotations

import base64
from datetime import UTC, datetime

import pytest
import standardwebhooks
from hypothesis import given
from hypothesis import strategies as st

from assay import webhooks
from assay.webhooks import WebhookRefused

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
IDENTIFIER = "msg_p5jXN8AQM9LWM0D4loKWxJek"
AT = 1614265330
BODY = b'{"test": 2432232314}'
SIGNED = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
HEADERS = {"webhook-id": IDENTIFIER, "webhook-timestamp": str(AT), "webhook-signature": SIGNED}


def test_the_vector_of_the_specification() -> None:
    assert webhooks.signature(SECRET, IDENTIFIER, AT, BODY) == SIGNED
    webhooks.verify(SECRET, HEADERS, BODY, now=AT)


@given(st.binary(min_size=24, max_size=64), st.text(min_size=1), st.binary())
def test_the_reference_library_signs_alike(key: bytes, identifier: str, raw: bytes) -> None:
    secret = f"whsec_{base64.b64encode(key).decode()}"
    body = raw.hex()
    at = datetime.fromtimestamp(AT, UTC)

    oracle = standardwebhooks.Webhook(secret).sign(identifier, at, body)

    assert webhooks.signature(secret, identifier, AT, body.encode()) == oracle


@pytest.mark.parametrize("name", HEADERS)
def test_a_message_without_one_of_its_headers_is_refused(name: str) -> None:
    rest = {k: v for k, v in HEADERS.items() if k != name}

    with pytest.raises(WebhookRefused, match=f"lacks {name}"):
        webhooks.verify(SECRET, rest, BODY, now=AT)


@pytest.mark.parametrize("later", [-301, 301, 10**9])
def test_an_old_message_and_one_from_the_future_are_refused(later: int) -> None:
    with pytest.raises(WebhookRefused, match="too old, or from the future"):
        webhooks.verify(SECRET, HEADERS, BODY, now=AT + later)


@pytest.mark.parametrize(
    "wrong",
    [
        {"webhook-id": "msg_other"},
        {"webhook-timestamp": str(AT + 1)},
        {"webhook-signature": "v1,AAAA"},
        {"webhook-signature": SIGNED.replace("v1,", "v2,")},
        {"webhook-signature": ""},
        {"webhook-timestamp": "soon"},
        {"webhook-timestamp": "9" * 400},  # over what a float holds
        {"webhook-timestamp": "9" * 5000},  # over what int() reads
        {"webhook-timestamp": "-1"},
    ],
)
def test_a_changed_message_is_refused(wrong: dict[str, str]) -> None:
    with pytest.raises(WebhookRefused):
        webhooks.verify(SECRET, HEADERS | wrong, BODY, now=AT)


@given(st.integers(0, len(BODY) * 8 - 1))
def test_no_flipped_bit_of_a_body_is_believed(bit: int) -> None:
    changed = bytearray(BODY)
    changed[bit // 8] ^= 1 << bit % 8

    with pytest.raises(WebhookRefused):
        webhooks.verify(SECRET, HEADERS, bytes(changed), now=AT)


def test_one_of_two_signatures_is_enough_while_a_secret_rotates() -> None:
    other = webhooks.signature(webhooks.new_secret(), IDENTIFIER, AT, BODY)
    both = HEADERS | {"Webhook-Signature".lower(): f"{other} {SIGNED}"}

    webhooks.verify(SECRET, both, BODY, now=AT)


def test_header_names_may_be_written_in_any_case() -> None:
    webhooks.verify(SECRET, {name.title(): value for name, value in HEADERS.items()}, BODY, now=AT)


def test_a_secret_that_is_no_base64_is_named() -> None:
    with pytest.raises(ValueError, match="whsec_ and base64"):
        webhooks.verify("whsec_???", HEADERS, BODY, now=AT)
