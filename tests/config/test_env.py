"""What is read from the environment, and what is said of nonsense in it."""

from __future__ import annotations

import pytest

from config import env


@pytest.mark.parametrize(("text", "port"), [("", 8000), ("1", 1), ("65535", 65_535)])
def test_a_port_is_read(monkeypatch: pytest.MonkeyPatch, text: str, port: int) -> None:
    monkeypatch.setenv("ASSAY_PORT", text)

    assert env.port() == port


@pytest.mark.parametrize("text", ["abc", "0", "65536", "-1", "8000.0", "٣", "9" * 30])
def test_what_is_no_port_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    monkeypatch.setenv("ASSAY_PORT", text)

    with pytest.raises(SystemExit, match="ASSAY_PORT is a number from 1 to 65535"):
        env.port()


def test_a_database_url_becomes_django_s_settings() -> None:
    found = env.database("postgresql://me:s%40cret@db:5433/assay?sslmode=require")

    assert (found["HOST"], found["PORT"], found["NAME"]) == ("db", "5433", "assay")
    assert (found["USER"], found["PASSWORD"]) == ("me", "s@cret")
    assert found["OPTIONS"] == {"sslmode": "require"}


def test_a_socket_folder_is_the_host() -> None:
    found = env.database("postgresql://assay_app@/assay?host=/home/run")

    assert (found["HOST"], found["PORT"], found["OPTIONS"]) == ("/home/run", "", {})


def test_another_database_is_refused() -> None:
    with pytest.raises(ValueError, match="starts with postgresql://"):
        env.database("sqlite:///assay.db")


def test_words_are_split_and_trimmed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_HANDLER_MODULES", " a.b, c ,,")

    assert env.words("ASSAY_HANDLER_MODULES") == ["a.b", "c"]
