"""What is read from the environment, and what is said of nonsense in it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

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


def test_a_secret_may_be_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("from a file\n")
    monkeypatch.setenv("ASSAY_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.delenv("ASSAY_SECRET_KEY", raising=False)

    assert env.secret_key() == "from a file"


@pytest.mark.parametrize(
    ("content", "value", "sentence"),
    [
        ("file", "value", "ASSAY_SECRET_KEY and ASSAY_SECRET_KEY_FILE are both set"),
        ("", "", "which is empty"),
        (None, "", "cannot be read"),
    ],
)
def test_a_secret_that_is_unclear_is_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, content: str | None, value: str, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "key").write_text(content)
    monkeypatch.setenv("ASSAY_SECRET_KEY_FILE", str(tmp_path / "key"))
    monkeypatch.setenv("ASSAY_SECRET_KEY", value)

    with pytest.raises(SystemExit, match=sentence):
        env.secret_key()


@pytest.mark.parametrize(
    ("name", "read", "url", "found"),
    [
        (
            "DATABASE",
            env.database_url,
            "postgresql://assay_app@db:5432/assay?sslmode=require",
            "postgresql://assay_app:p%40ss%2Fw%C3%B6rd@db:5432/assay?sslmode=require",
        ),
        (
            "ASSAY_OWNER_DATABASE",
            env.owner_database_url,
            "postgresql://assay_migrator@db/assay",
            "postgresql://assay_migrator:p%40ss%2Fw%C3%B6rd@db/assay",
        ),
        (
            "REDIS",
            env.broker_url,
            "rediss://valkey:6379/0",
            "rediss://:p%40ss%2Fw%C3%B6rd@valkey:6379/0",
        ),
    ],
)
def test_the_password_of_a_file_is_filled_into_the_url(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    name: str,
    read: Callable[[], str],
    url: str,
    found: str,
) -> None:
    (tmp_path / "password").write_text("p@ss/wörd\n")
    monkeypatch.setenv(f"{name}_URL", url)
    monkeypatch.setenv(f"{name}_PASSWORD_FILE", str(tmp_path / "password"))

    assert read() == found


def test_two_passwords_for_one_server_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:one@valkey")
    monkeypatch.setenv("REDIS_PASSWORD", "two")

    with pytest.raises(SystemExit, match="REDIS_URL has a password, and REDIS_PASSWORD too"):
        env.broker_url()


def test_a_password_without_a_url_leaves_the_embedded_server(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("REDIS_PASSWORD", "unused")

    assert env.broker_url().startswith("redis+socket://")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", "http://localhost:8000"),
        ("https://assay.example.org/", "https://assay.example.org"),
        ("http://10.0.0.1:8080", "http://10.0.0.1:8080"),
    ],
)
def test_the_address_people_use_is_read(
    monkeypatch: pytest.MonkeyPatch, text: str, found: str
) -> None:
    monkeypatch.setenv("ASSAY_BASE_URL", text)
    monkeypatch.delenv("ASSAY_PORT", raising=False)

    assert env.base_url() == found


@pytest.mark.parametrize("text", ["assay.example.org", "https://", "ftp://a", "https://a/b"])
def test_what_is_no_address_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("ASSAY_BASE_URL", text)

    with pytest.raises(SystemExit, match="ASSAY_BASE_URL is like"):
        env.base_url()
