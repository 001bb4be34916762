"""The Dockerfile without an engine: its steps, run as they are written, in bare folders.

A stage is an overlay of folders over this machine's own root, which stands in for the base image:
what a step writes lands in the stage's folder and nowhere else. /app, /opt/venv, /backups and the
home begin empty, whatever this machine has there. Mounting takes root; each mount lives as long
as the one command that needed it.
"""

from __future__ import annotations

import os
import shlex
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.deployment.dockerfile import ROOT, STAGES, Step, context

BARE = ("app", "backups", "opt/venv", "tmp", "var/lib/assay")
IMAGE = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
REACHES_OUT = ("PIP_", "SSL_", "HTTP_", "HTTPS_", "NO_PROXY", "http_", "https_", "no_proxy")
MOUNT = """
set -eu
mount -t overlay overlay -o "$LAYERS" "$VIEW"
mount --rbind /dev "$VIEW/dev"
mount --rbind /proc "$VIEW/proc"
[ -z "$ALONE" ] || ip link set lo up
exec chroot --userspec="$AS" "$VIEW" /usr/bin/env -i --chdir="$THERE" "$@"
"""


def cannot_mount() -> str:
    """Why steps cannot be run here; empty where they can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "mounting folders over each other takes root on Linux"
    if sys.version_info[:2] != (3, 11):
        return "the base image has Python 3.11, and this is another"
    with tempfile.TemporaryDirectory(prefix="assay-") as place:
        image = _empty(Path(place) / "probe")
        image.files.mkdir()
        done = image.run("true")
    return f"no folder can be mounted over this system: {done.stderr}" if done.returncode else ""


@dataclass
class Image:
    """What a stage has become."""

    place: Path
    environment: dict[str, str]
    workdir: str = "/"
    user: str = "0:0"

    @property
    def files(self) -> Path:
        """What it holds beyond the base image."""
        return self.place / "files"

    def run(
        self, *words: str, alone: bool = False, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a command in it.

        Args:
            alone: With a network of its own, in which there is nobody else.
            more: What is in the environment beside the image's own.
        """
        mount = {
            "LAYERS": f"lowerdir=/,upperdir={self.files},workdir={self.place / 'work'}",
            "VIEW": str(self.place / "view"),
            "AS": self.user,
            "THERE": self.workdir,
            "ALONE": "yes" if alone else "",
            "PATH": os.environ["PATH"],
        }
        environment = {"HOME": "/root", **self.environment, **(more or {})}
        variables = [f"{name}={value}" for name, value in environment.items()]
        own = ["--mount", "--net"] if alone else ["--mount"]
        return subprocess.run(
            ["unshare", *own, "sh", "-c", MOUNT, "sh", *variables, *words],
            env=mount,
            capture_output=True,
            text=True,
            check=False,
        )


class Builder:
    """Builds stages, each once."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._built: dict[str, Image] = {}

    def build(self, name: str) -> Image:
        """The stage, its steps run one after another.

        Raises:
            AssertionError: A step failed; what it said is in the sentence.
        """
        if name not in self._built:
            stage = STAGES[name]
            image = self._begin(name, stage.parent)
            for step in stage.steps:
                self._take(image, step)
            self._built[name] = image
        return self._built[name]

    def _begin(self, name: str, parent: str) -> Image:
        image = _empty(self._place / name)
        if parent not in STAGES:
            _stand_in(image.files)
            return image
        below = self.build(parent)
        # Copied with owners and marks, not stacked: layers must not lie within each other.
        subprocess.run(["cp", "--archive", below.files, image.files], check=True)
        image.environment |= below.environment
        image.workdir, image.user = below.workdir, below.user
        return image

    def _take(self, image: Image, step: Step) -> None:
        takes: dict[str, Callable[[Image, Step], None]] = {
            "ARG": _argument,
            "ENV": _variables,
            "USER": _user,
            "WORKDIR": _workdir,
            "COPY": self._copy,
            "RUN": _run,
        }
        if step.word in takes:
            takes[step.word](image, step)

    def _copy(self, image: Image, step: Step) -> None:
        *sources, target = step.words
        there = image.files / str(Path(image.workdir, target)).lstrip("/")
        if step.source:
            (source,) = sources
            found = self.build(step.source).files / source.lstrip("/")
            _make(there)
            shutil.copytree(found, there, symlinks=True, dirs_exist_ok=True)
            return
        _make(there)
        for source in context() if sources == ["."] else sources:
            _copy_from_context(source, there / ("" if Path(source).parts[1:] else source))


def _empty(place: Path) -> Image:
    """The base image, of which there are no files yet."""
    for folder in ("work", "view"):
        (place / folder).mkdir(parents=True)
    return Image(place, dict(IMAGE))


def _copy_from_context(source: str, there: Path) -> None:
    """A file or folder that .dockerignore lets through."""
    if Path(source).parts[0] not in context():
        raise AssertionError(f"COPY {source}: .dockerignore keeps it back.")
    if (ROOT / source).is_dir():
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / source, there, ignore=ignore, dirs_exist_ok=True)
    else:
        shutil.copy(ROOT / source, there)


def _stand_in(files: Path) -> None:
    """Make this machine's root look like the base image: its Python in place, our folders bare."""
    for name in BARE:
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        os.mknod(files / name, stat.S_IFCHR)  # how an overlay marks what was deleted
    _make(files / "tmp")
    (files / "tmp").chmod(0o1777)
    _python(files, Path(sys.executable).resolve())


def _python(files: Path, program: Path) -> None:
    """Put this machine's Python where the base image has its own, for whoever runs there."""
    links = {
        "usr/local/bin/python": program,
        "usr/local/bin/python3": program,
        "usr/local/lib/python3.11": program.parent.parent / "lib" / "python3.11",
    }
    for name, target in links.items():
        (files / name).parent.mkdir(parents=True, exist_ok=True)
        (files / name).symlink_to(target)
    for folder in program.parents:
        if not folder.stat().st_mode & 0o001:  # a home, which others may not pass through
            (files / str(folder).lstrip("/")).mkdir(parents=True, mode=0o711)


def _make(folder: Path) -> None:
    """A folder in a stage; bare where this machine's own is hidden."""
    if not folder.is_dir():
        folder.unlink(missing_ok=True)
        folder.mkdir(parents=True)
        os.setxattr(folder, "trusted.overlay.opaque", b"y")


def _argument(image: Image, step: Step) -> None:
    name, _, default = step.text.partition("=")
    image.environment[name] = os.environ.get(name, default)


def _variables(image: Image, step: Step) -> None:
    for word in shlex.split(step.text):
        name, _, value = word.partition("=")
        image.environment[name] = value.replace("$PATH", image.environment["PATH"])


def _user(image: Image, step: Step) -> None:
    image.user = step.text


def _workdir(image: Image, step: Step) -> None:
    image.workdir = step.text
    _make(image.files / step.text.lstrip("/"))


def _run(image: Image, step: Step) -> None:
    here = {name: value for name, value in os.environ.items() if name.startswith(REACHES_OUT)}
    done = image.run("sh", "-c", step.text, more=here)
    if done.returncode:
        raise AssertionError(f"RUN {step.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
