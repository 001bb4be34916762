"""The embedded Valkey: the broker between web, workers and beat."""

from __future__ import annotations

import os

import redis

from config.embedded.locations import Home, valkey_binary
from config.embedded.processes import Child, Program, Tier
from config.embedded.tenancy import Tenancy

OPTIONS = {
    "--port": "0",  # the socket alone, which only its owner may open
    "--unixsocketperm": "700",
    "--save": "",
    "--maxmemory-policy": "noeviction",  # a queue that forgets is worse than one that refuses
    "--daemonize": "no",
}
DURABLE = {"--appendonly": "yes", "--appendfsync": "everysec"}
DISPOSABLE = {"--appendonly": "no"}
LOADING_MAY_TAKE = 60.0  # seconds


def start(tenancy: Tenancy, *, durable: bool = True) -> Child:
    """Start Valkey and wait until it answers.

    Raises:
        CannotRun: It ended or did not answer; its own words are in the sentence.
    """
    child = tenancy.start(_server(tenancy.home, durable=durable))
    wait(tenancy, child)
    return child


def wait(tenancy: Tenancy, child: Child) -> None:
    """Wait until it answers."""
    with redis.Redis(unix_socket_path=str(tenancy.home.valkey_socket)) as client:
        tenancy.wait_until(lambda: _answers(client), child, seconds=LOADING_MAY_TAKE)


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:  # not there yet, or still loading
        return False


def _server(home: Home, *, durable: bool) -> Program:
    options = {
        **OPTIONS,
        **(DURABLE if durable else DISPOSABLE),
        "--unixsocket": str(home.valkey_socket),
        "--dir": str(home.valkey),
    }
    words = [word for option in options.items() for word in option]
    environment = {"PATH": os.defpath, "TZ": "UTC"}
    return Program("valkey", (str(valkey_binary()), *words), environment, Tier.BROKER)
