"""Checkpoints are signed, kept outside too, and believed only whole."""

from __future__ import annotations

import base64
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import IntegrityError, transaction
from hypothesis import given
from hypothesis import strategies as st

from assay import notes
from assay.notes import Checkpoint, NoteRefused, VerifierKey
from registry.ledger import checkpoints, keys, sequencer, tree
from registry.models import Event, LedgerCheckpoint

Happen = Callable[..., list[Event]]
NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
PRIVATE = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
KEY = VerifierKey("assay/test", PRIVATE.public_key().public_bytes_raw())
STATED = Checkpoint("assay/test", 7, bytes(range(32)))
NOTE = notes.sealed(STATED.text, KEY, PRIVATE.sign(STATED.text.encode()))
# https://github.com/C2SP/C2SP/blob/main/signed-note.md gives this key and its id.
SPECIFIED = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"


def test_a_verifier_key_reads_as_the_specification_writes_it() -> None:
    key = VerifierKey.parse(SPECIFIED)

    assert key.name == "PeterNeumann"
    assert str(key) == SPECIFIED


def test_a_note_of_the_specification_is_genuine() -> None:
    key = VerifierKey.parse(SPECIFIED)
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="

    with pytest.raises(NoteRefused, match="a line each"):  # genuine, but no checkpoint
        key.open(f"{text}\n— PeterNeumann {signature}\n")


def test_a_checkpoint_is_read_back_as_it_was_signed() -> None:
    assert KEY.open(NOTE) == STATED


@given(st.integers(0, len(NOTE.encode()) * 8 - 1))
def test_no_flipped_bit_of_a_note_is_believed(bit: int) -> None:
    raw = bytearray(NOTE.encode())
    raw[bit // 8] ^= 1 << bit % 8

    with pytest.raises((NoteRefused, UnicodeDecodeError)):
        KEY.open(raw.decode())


@given(st.integers(0, 511))
def test_no_flipped_bit_of_a_signature_is_believed(bit: int) -> None:
    signature = bytearray(PRIVATE.sign(STATED.text.encode()))
    signature[bit // 8] ^= 1 << bit % 8

    with pytest.raises(NoteRefused, match="not of this text"):
        KEY.open(notes.sealed(STATED.text, KEY, bytes(signature)))


@given(st.integers(0, 255), st.integers(0, 40))
def test_no_other_root_or_size_is_believed(bit: int, shift: int) -> None:
    signature = PRIVATE.sign(STATED.text.encode())
    root = int.from_bytes(STATED.root, "big") ^ (1 << bit)
    others = (
        Checkpoint(STATED.origin, STATED.size, root.to_bytes(32, "big")),
        Checkpoint(STATED.origin, STATED.size ^ (1 << shift), STATED.root),
    )

    for other in others:
        with pytest.raises(NoteRefused):
            KEY.open(notes.sealed(other.text, KEY, signature))


@given(st.text())
def test_any_text_is_a_checkpoint_or_refused(text: str) -> None:
    for read in (Checkpoint.read, KEY.open, VerifierKey.parse):
        try:
            read(text)
        except NoteRefused:
            continue


def test_another_logs_checkpoint_is_refused() -> None:
    other = Checkpoint("assay/other", 7, bytes(32))

    with pytest.raises(NoteRefused, match="is of 'assay/other'"):
        KEY.open(notes.sealed(other.text, KEY, PRIVATE.sign(other.text.encode())))


def test_two_spellings_of_the_same_base64_are_not_both_taken() -> None:
    text, _, line = NOTE.rpartition(" ")
    material = base64.b64decode(line)
    assert len(material) == 68
    loose = line.rstrip("\n")[:-2] + chr(ord(line[-3]) + 1) + "="

    with pytest.raises(NoteRefused):
        KEY.open(f"{text} {loose}\n")


@pytest.mark.django_db
def test_the_key_is_made_once_and_readable_by_its_owner_alone(place: Path) -> None:
    first = keys.signing(make=True)

    assert keys.signing(make=False).verifier == first.verifier == keys.public()
    assert (place / "key").stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_a_tree_that_has_grown_is_signed_from_time_to_time(place: Path, happen: Happen) -> None:
    happen(3)
    sequencer.sequence()

    first = checkpoints.sign(now=NOW)
    happen(2)
    sequencer.sequence()
    too_soon = checkpoints.sign(now=NOW + checkpoints.EVERY - timedelta(seconds=1))
    second = checkpoints.sign(now=NOW + checkpoints.EVERY)
    nothing_new = checkpoints.sign(now=NOW + timedelta(hours=1))

    assert first is not None
    assert second is not None
    assert (too_soon, nothing_new) == (None, None)
    key = keys.signing(make=False).verifier
    assert key.open(second.note) == Checkpoint(key.name, 5, tree.root(5))


@pytest.mark.django_db
def test_every_checkpoint_is_kept_outside_once(place: Path, happen: Happen) -> None:
    for minute in range(3):
        happen()
        sequencer.sequence()
        checkpoints.sign(now=NOW + timedelta(minutes=minute))
        checkpoints.publish()

    assert checkpoints.publish() == 0
    kept = list(checkpoints.copies(checkpoints.outside_file()))
    assert [copy.size for copy in kept] == [1, 2, 3]
    notes_inside = LedgerCheckpoint.objects.order_by("tree_size").values_list("note", flat=True)
    assert [copy.note for copy in kept] == list(notes_inside)


@pytest.mark.django_db
def test_half_a_line_left_by_a_crash_is_written_again(place: Path, happen: Happen) -> None:
    for minute in range(2):
        happen()
        sequencer.sequence()
        checkpoints.sign(now=NOW + timedelta(minutes=minute))
    checkpoints.publish()
    file = checkpoints.outside_file()
    whole = file.read_bytes()
    file.write_bytes(whole[:-40])

    checkpoints.publish()

    assert file.read_bytes() == whole


@pytest.mark.django_db
def test_only_the_end_of_the_outside_file_is_read(place: Path, happen: Happen) -> None:
    happen()
    sequencer.sequence()
    checkpoints.sign(now=NOW)
    checkpoints.publish()
    file = checkpoints.outside_file()
    line = file.read_bytes()
    many = line * (2 * checkpoints.TAIL // len(line))
    file.write_bytes(many + line[:-40])
    happen()
    sequencer.sequence()
    checkpoints.sign(now=NOW + timedelta(minutes=1))

    assert checkpoints.publish() == 1
    assert file.read_bytes().startswith(many)
    assert [copy.size for copy in checkpoints.copies(file)][-2:] == [1, 2]


@pytest.mark.django_db
def test_half_a_key_left_by_a_crash_is_no_key(place: Path) -> None:
    place.mkdir(exist_ok=True)
    (place / "key.new").write_text("PRIVATE+KEY+assay")

    assert keys.signing(make=True).verifier == keys.public()
    assert not (place / "key.new").exists()


@pytest.mark.django_db
def test_a_lost_key_is_never_replaced_by_another(place: Path, happen: Happen) -> None:
    happen()
    sequencer.sequence()
    checkpoints.sign(now=NOW)
    (place / "key").unlink()
    happen()
    sequencer.sequence()

    with pytest.raises(keys.KeyMissing, match="put it back from a backup"):
        checkpoints.sign(now=NOW + timedelta(minutes=1))


@pytest.mark.django_db
def test_a_checkpoint_is_never_changed(place: Path, happen: Happen) -> None:
    happen()
    sequencer.sequence()
    checkpoints.sign(now=NOW)

    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
        LedgerCheckpoint.objects.update(note="")
