"""Everything read from the environment, with its default. Nothing else reads it."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit

ROOT = Path(__file__).resolve().parent.parent


def home() -> Path:
    """Where all state lives: database, broker, artifacts, keys, logs."""
    return Path(os.environ.get("ASSAY_HOME") or ROOT / ".assay").absolute()


def ledger_dir() -> Path:
    """Where the ledger's key and the outside copies of its checkpoints are kept."""
    return Path(os.environ.get("ASSAY_LEDGER_DIR") or home() / "ledger").absolute()


def port() -> int:
    """Where the web server listens.

    Raises:
        SystemExit: ASSAY_PORT is no port; nothing can start, and the sentence says why.
    """
    text = os.environ.get("ASSAY_PORT") or "8000"
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) < 65_536):
        raise SystemExit(f"ASSAY_PORT is a number from 1 to 65535, not {text!r}.")
    return int(text)


def base_url() -> str:
    """Where people reach the pages; links in mails begin with it.

    Raises:
        SystemExit: ASSAY_BASE_URL is not the beginning of an address.
    """
    text = os.environ.get("ASSAY_BASE_URL", "").rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in {"http", "https"} or not parts.netloc or parts.path):
        raise SystemExit(f"ASSAY_BASE_URL is like https://assay.example.org, not {text!r}.")
    return text or f"http://localhost:{port()}"


def operations_email() -> str:
    """Who hears of every incident by mail."""
    return os.environ.get("ASSAY_OPERATIONS_EMAIL") or "operations@localhost"


def manifests() -> Path | None:
    """Where the registry is kept as YAML files; None where it is not."""
    folder = os.environ.get("ASSAY_YAML_DIR")
    return Path(folder).absolute() if folder else None


def playbooks() -> Path | None:
    """Where users keep playbooks of their own; None where they have none."""
    folder = os.environ.get("ASSAY_PLAYBOOKS_DIR")
    return Path(folder).absolute() if folder else None


def evaluation_queue() -> str:
    """Where evaluations wait: ``gpu`` where workers with a GPU serve that queue, else ``cpu``."""
    return os.environ.get("ASSAY_EVALUATION_QUEUE") or "cpu"


def flag(name: str) -> bool:
    """True where the variable is 1, true or yes."""
    return os.environ.get(name, "").lower() in {"1", "true", "yes"}


def words(name: str) -> list[str]:
    """The comma-separated words of a variable; empty where it is not set."""
    return split(os.environ.get(name, ""))


def split(text: str) -> list[str]:
    """Comma-separated words."""
    return [word.strip() for word in text.split(",") if word.strip()]


def secret(name: str) -> str:
    """A variable, or the content of the file that ``<name>_FILE`` names; empty where neither is set.

    Files are how containers are handed secrets: what is in the environment can be read by whoever
    may inspect the container.

    Raises:
        SystemExit: Both are set, or the file cannot be read or is empty.
    """
    value, path = os.environ.get(name, ""), os.environ.get(f"{name}_FILE", "")
    if value and path:
        raise SystemExit(f"{name} and {name}_FILE are both set: unset one of them.")
    if not path:
        return value
    try:
        value = Path(path).read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SystemExit(f"{name}_FILE names {path}, which cannot be read: {error}.") from error
    if not value:
        raise SystemExit(f"{name}_FILE names {path}, which is empty: write the secret into it.")
    return value


def secret_key() -> str:
    """ASSAY_SECRET_KEY, else the key kept in the home, else one for this process alone."""
    if key := secret("ASSAY_SECRET_KEY"):
        return key
    kept = home() / "secret_key"
    return kept.read_text().strip() if kept.is_file() else secrets.token_urlsafe(50)


def database_url() -> str:
    """The application's role, which owns nothing."""
    return _server("DATABASE") or _embedded_database("assay_app")


def owner_database_url() -> str:
    """The role that runs migrations; the product itself never connects with it."""
    return _server("ASSAY_OWNER_DATABASE") or _embedded_database("assay_migrator")


def superuser_database_url() -> str:
    """The role that makes the others, where this installation may; empty elsewhere."""
    return _server("ASSAY_SUPERUSER_DATABASE")


def _server(name: str) -> str:
    """``<name>_URL`` with the password of ``<name>_PASSWORD``; empty where no URL is set.

    Raises:
        SystemExit: Both have a password.
    """
    url = os.environ.get(f"{name}_URL", "")
    password = secret(f"{name}_PASSWORD") if url else ""
    if not password:
        return url
    parts = urlsplit(url)
    user, _, place = parts.netloc.rpartition("@")
    if ":" in user:
        raise SystemExit(f"{name}_URL has a password, and {name}_PASSWORD too: keep one of them.")
    return parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}").geturl()


def _embedded_database(role: str) -> str:
    return f"postgresql://{role}@/assay?host={home() / 'run'}"


def database(url: str) -> dict[str, Any]:
    """Django's settings for a ``postgresql://`` URL; query parameters become options.

    Raises:
        ValueError: The URL is not a PostgreSQL URL.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"A database URL starts with postgresql://, not {parts.scheme!r}.")
    options: dict[str, Any] = dict(parse_qsl(parts.query))
    host = options.pop("host", None) or unquote(parts.hostname or "")
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.removeprefix("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": host,
        "PORT": str(options.pop("port", "") or parts.port or ""),
        "OPTIONS": options,
    }


def log_format() -> str:
    """ASSAY_LOG_FORMAT: plain for people, json for programs.

    Raises:
        ValueError: It is neither.
    """
    found = os.environ.get("ASSAY_LOG_FORMAT", "plain")
    if found not in ("plain", "json"):
        raise ValueError(f"ASSAY_LOG_FORMAT is plain or json, not {found!r}.")
    return found


def broker_url() -> str:
    """The broker as Celery spells it."""
    return _server("REDIS") or f"redis+socket://{home() / 'run' / 'valkey.sock'}"


def redis_client_url() -> str:
    """The same server as redis-py spells it."""
    return broker_url().replace("redis+socket://", "unix://", 1)


def rate(name: str, default: str) -> tuple[int, int]:
    """How many in how many seconds, from ``300/60``; ``0`` is no limit.

    Raises:
        ValueError: It is written otherwise.
    """
    text = os.environ.get(name) or default
    count, _, seconds = text.partition("/")
    if not count.isdigit() or (int(count) and not seconds.isdigit()) or seconds == "0":
        raise ValueError(f"{name} is a count and seconds, like 300/60, or 0; not {text!r}.")
    return int(count), int(seconds or 0)
