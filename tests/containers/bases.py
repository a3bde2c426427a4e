"""Stand-ins for the images of the Docker Hub, from Debian's packages, where no registry can be reached.

Each has the tag of the image it stands for, is of the same minor version, and keeps the image's documented interface as
far as Dockerfile and compose.yaml use it: user names, paths, environment, entrypoint, stop signal. It is larger.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from orderstream_local.layout import COMPOSE
from tests.containers.builds import BuildError, on_the_hub, run

__all__ = ["make_bases"]

HERE = Path(__file__).parent / "bases"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # with those of a proxy that inspects TLS
_TARGET = '"$1"'
_SUITE = "sid"  # which has the versions of the tags
_MIRROR = "http://deb.debian.org/debian"
_LABEL = "orderstream.stand-in"


@dataclass(frozen=True, slots=True)
class _Base:
    """What a stand-in is made of.

    Attributes:
        packages: of Debian.
        hooks: shell commands at the end of the installation.
        changes: metadata of the image.
        version: a command that prints the version.
        same: how many numbers of the version are those of the tag; None: all that the tag has.
    """

    packages: tuple[str, ...]
    hooks: tuple[str, ...]
    changes: tuple[str, ...]
    version: tuple[str, ...]
    same: int | None = None


_TRUST = (
    "ENV PIP_CERT=/etc/ssl/certs/ca-certificates.crt",
    "ENV UV_SYSTEM_CERTS=true",
    "ENV NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt",
)
_POSTGRES_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib/postgresql/18/bin"
_BASES: Mapping[str, _Base] = {
    "python": _Base(
        packages=("ca-certificates", "libstdc++6", "passwd", "python3.13", "python3.13-venv"),
        hooks=(
            f"chroot {_TARGET} python3.13 -m venv /usr/local",
            f"cp {CERTIFICATES} {_TARGET}{CERTIFICATES}",
        ),
        changes=('CMD ["python3"]', *_TRUST),
        version=("python", "-c", "import platform; print(platform.python_version())"),
    ),
    "nginx": _Base(
        packages=("busybox", "nginx", "passwd"),
        hooks=(
            f"chroot {_TARGET} useradd --system --uid 101 --user-group --no-create-home nginx",
            f"ln -s ../../bin/busybox {_TARGET}/usr/local/bin/wget",
            f"ln -sf /dev/stderr {_TARGET}/var/log/nginx/error.log",
        ),
        changes=(
            'CMD ["nginx", "-g", "daemon off;"]',
            "STOPSIGNAL SIGQUIT",
        ),
        version=("nginx", "-v"),
    ),
    "postgres": _Base(
        packages=("postgresql-18",),
        hooks=(
            f"rm -rf {_TARGET}/var/lib/postgresql/18",
            f"chroot {_TARGET} install -d -o postgres -g postgres -m 1777 /var/lib/postgresql",
            f"cp {HERE}/postgres-entrypoint.sh {_TARGET}/usr/local/bin/docker-entrypoint.sh",
        ),
        changes=(
            f"ENV PATH={_POSTGRES_PATH}",
            "ENV PGDATA=/var/lib/postgresql/18/docker",
            "VOLUME /var/lib/postgresql",
            'ENTRYPOINT ["docker-entrypoint.sh"]',
            'CMD ["postgres"]',
            "STOPSIGNAL SIGINT",
        ),
        version=("postgres", "--version"),
    ),
    "prom/prometheus": _Base(
        packages=("prometheus",),
        hooks=(
            f"rm -rf {_TARGET}/etc/prometheus",
            f"chroot {_TARGET} install -d -o nobody -g nogroup /prometheus",
        ),
        changes=(
            "USER nobody",
            "VOLUME /prometheus",
            'ENTRYPOINT ["/bin/prometheus"]',
        ),
        version=("/bin/prometheus", "--version"),
        same=1,
    ),
}


async def make_bases(tags: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """Make the stand-ins that are not in the storage, two at a time; return their tags.

    Raises:
        BuildError: there is none for a tag, or it has another version.
    """
    slots = asyncio.Semaphore(2)

    async def make(tag: str, base: _Base) -> bool:
        async with slots:
            return await asyncio.to_thread(_make, tag, base, environment)

    by_name = {_name(tag): tag for tag in tags}
    if unknown := set(by_name) - set(_BASES) - {"node"}:
        raise BuildError(f"no stand-in for {', '.join(sorted(unknown))}")
    roots = {tag: _BASES[name] for name, tag in by_name.items() if name in _BASES}
    made = [tag for tag, new in zip(roots, await asyncio.gather(*map(make, roots, roots.values())), strict=True) if new]
    if "node" in by_name and _make_node(by_name["node"], by_name["python"], environment):
        made.append(by_name["node"])
    return made


def _make(tag: str, base: _Base, environment: Mapping[str, str]) -> bool:
    files = [path.read_text(encoding="utf-8") for path in sorted(HERE.glob(f"{_name(tag)}-*"))]
    digest = _digest(repr(base), *files, CERTIFICATES.read_text(encoding="utf-8"))
    if _label(tag, environment) == digest:
        return False
    bootstrap = ["mmdebstrap", "--quiet", "--variant=essential", "--mode=root", f"--include={','.join(base.packages)}"]
    bootstrap += ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=APT::Install-Recommends "false"']
    bootstrap += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("doc", "locale", "man")]
    bootstrap += [f"--customize-hook={hook}" for hook in base.hooks]
    changes = [word for change in (*base.changes, f"LABEL {_LABEL}={digest}") for word in ("--change", change)]
    with tempfile.TemporaryDirectory(dir=environment["TMPDIR"]) as folder:
        archive = f"{folder}/root.tar"
        run(tag, [*bootstrap, _SUITE, archive, _MIRROR], _without(environment))
        run(tag, ["podman", "import", "--quiet", *changes, archive, on_the_hub(tag)], environment)
    _check_version(tag, base.version, environment, base.same)
    return True


def _make_node(tag: str, python: str, environment: Mapping[str, str]) -> bool:
    project = tomllib.loads((COMPOSE / "node" / "pyproject.toml").read_text(encoding="utf-8"))
    (requirement,) = project["project"]["dependencies"]
    recipe = HERE / "node.Containerfile"
    digest = _digest(requirement, recipe.read_text(encoding="utf-8"), str(_label(python, environment)))
    if _label(tag, environment) == digest:
        return False
    build = ["buildah", "bud", "--quiet", "--format=docker", "--isolation=chroot", "--pull-never"]
    build += ["--from", on_the_hub(python), "--build-arg", f"REQUIREMENT={requirement}"]
    build += ["--label", f"{_LABEL}={digest}", "--tag", on_the_hub(tag), "--file", str(recipe), str(HERE)]
    run(tag, build, environment)
    _check_version(tag, ("node", "--version"), environment)
    return True


def _check_version(tag: str, command: Sequence[str], environment: Mapping[str, str], same: int | None = None) -> None:
    container = run(tag, ["buildah", "from", "--pull-never", on_the_hub(tag)], environment).strip()
    said = run(tag, ["buildah", "run", "--isolation=chroot", container, "--", *command], environment)
    run(tag, ["buildah", "rm", container], environment)
    wanted = ".".join(tag.partition(":")[2].removeprefix("v").partition("-")[0].split(".")[:same])
    found = re.search(r"\d+(\.\d+)+", said)
    if found is None or not f"{found[0]}.".startswith(f"{wanted}."):
        run(tag, ["podman", "rmi", on_the_hub(tag)], environment)
        raise BuildError(f"the tag is {tag}, and Debian {_SUITE} has {said.strip()}")


def _name(tag: str) -> str:
    return tag.partition(":")[0]


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def _label(tag: str, environment: Mapping[str, str]) -> str | None:
    inspect = ["podman", "image", "inspect", on_the_hub(tag)]
    done = subprocess.run(inspect, check=False, capture_output=True, text=True, env=environment)
    if done.returncode:
        return None
    label = json.loads(done.stdout)[0]["Labels"]
    return None if label is None else label.get(_LABEL)


def _without(environment: Mapping[str, str]) -> dict[str, str]:
    """Return *environment* without TMPDIR: mmdebstrap unpacks beside the system's temporary files."""
    return {name: value for name, value in environment.items() if name != "TMPDIR"}
