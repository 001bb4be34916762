"""docs/deployment.md names services, settings, volumes and commands that there are, and all of them."""

from __future__ import annotations

import re

import pytest
from django.core.management import get_commands

from tests.deployment import compose
from tests.deployment.secret_files import GUIDE

TEXT = GUIDE.read_text()
ENTRYPOINT = re.compile(r"--entrypoint \S+ ")


def test_every_setting_is_listed_with_its_default() -> None:
    listed = {name: default.strip("`") for name, _, default in table("variable", "what", "default")}
    inner = compose.FILE.read_text().replace("${ASSAY_PORT:-8000}", "8000")
    found = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", inner)) | {"ASSAY_PORT": "8000"}

    assert set(listed) == set(found)
    for name, default in found.items():
        assert default == listed[name] or not default


def test_every_service_is_listed_with_its_image() -> None:
    rows = table("service", "image", "what it does", "well, when", "reaches")
    listed = {name: image for name, image, *_ in rows}
    services = compose.services()

    assert list(listed) == list(services)
    for name, service in services.items():
        image = service.get("image") or compose.target(service)
        assert listed[name].strip("`").startswith(image)


def test_who_reaches_the_internet_is_told() -> None:
    rows = table("service", "image", "what it does", "well, when", "reaches")
    told = {name for name, *_, reaches in rows if reaches == "the internet"}

    assert told == {n for n, s in compose.services().items() if "outside" in s["networks"]}


def test_every_volume_is_listed() -> None:
    listed = [name for name, _ in table("volume", "what it holds")]

    assert sorted(listed) == sorted(compose.document()["volumes"])


def test_every_secret_is_listed_with_the_variable_that_names_its_file() -> None:
    listed = {(variable, file) for variable, file, _ in table("variable", "file", "goes into")}
    found = {
        (name, f"`{said.rpartition('/')[2]}`")
        for service in compose.ours().values()
        for name, said in service["environment"].items()
        if name.endswith("_FILE")
    }

    assert listed == found


def test_every_line_names_a_service_and_a_command_that_there_are() -> None:
    lines = [
        ENTRYPOINT.sub("", line).split()[3:]
        for line in re.findall(r"docker compose run [^\n`]+", TEXT)
    ]
    asked = [[word for word in line if not word.startswith("-")] for line in lines]

    assert len(asked) > 5
    assert {service for service, *_ in asked} <= set(compose.services())
    commands = {words[0] for service, *words in asked if service == "manage" and words}
    assert {"first_admin", "password", "issue_token", "backup", "restore"} <= commands
    assert {name for name in commands if name.isidentifier()} <= set(get_commands())


@pytest.mark.parametrize("name", sorted(compose.document()["volumes"]))
def test_a_restore_begins_with_new_volumes_and_keeps_the_backups(name: str) -> None:
    (line,) = re.findall(r"docker volume rm (.+)", TEXT)

    assert (f"assay_{name}" in line.split()) == (name != "backups")


def table(*heads: str) -> list[list[str]]:
    """The rows of the table with these heads; names in the first column without their quotes."""
    _, _, after = TEXT.partition(f"| {' | '.join(heads)} |\n")
    rows = after.partition("\n\n")[0].splitlines()[1:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    return [[name.strip("`"), *rest] for name, *rest in cells]
