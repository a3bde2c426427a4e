"""Serves the page's files and tells it where the services are: what nginx does in a container.

Reads HOST, PORT, WEB_ROOT, and for each service the URL that the page asks (ORDER_URL, ...) and those of its replicas,
separated by commas (ORDER_REPLICAS, ...).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from .layout import ROOT

__all__ = ["create_web"]

_SERVICES = ("order", "inventory", "notification", "processing")
# a build puts a hash of the content into the name: such a file never changes
_HASHED = re.compile(r"-[A-Za-z0-9]{8,}\.\w+$")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_HIDDEN = re.compile(r"(^|/)\.")

FOLDER = web.AppKey("folder", Path)
CONFIG: web.AppKey[dict[str, Any]] = web.AppKey("config")
POLICY = web.AppKey("policy", str)


def create_web(
    folder: Path, endpoints: Mapping[str, str], replicas: Mapping[str, Sequence[str]] | None = None
) -> web.Application:
    """Compose the server of *folder*.

    Args:
        folder: the files.
        endpoints: the base URLs of the services, told by ``/config.json``.
        replicas: those of each replica that the page may ask for itself, told there too.
    """
    app = web.Application()
    app[FOLDER] = folder.resolve()
    app[CONFIG] = {**endpoints, **({"replicas": replicas} if replicas else {})}
    app[POLICY] = _content_policy([*endpoints.values(), *(url for urls in (replicas or {}).values() for url in urls)])
    app.add_routes(
        [
            web.get("/health/ready", _ready),
            web.get("/config.json", _config),
            web.get("/{path:.*}", _file),
        ]
    )
    return app


async def _ready(_: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


async def _config(request: web.Request) -> web.Response:
    return web.json_response(request.app[CONFIG], headers={"Cache-Control": "no-store"})


async def _file(request: web.Request) -> web.FileResponse:
    folder, path = request.app[FOLDER], request.match_info["path"]
    found = (folder / path).resolve()
    if not found.is_relative_to(folder) or _HIDDEN.search(path):
        raise web.HTTPNotFound
    if not found.is_file():
        # a path without a file is a page of the application in the browser
        if found.suffix or not (folder / "index.html").is_file():
            raise web.HTTPNotFound
        found = folder / "index.html"
    headers = {
        "Cache-Control": _FOR_EVER if _HASHED.search(found.name) else _ASK_AGAIN,
        "Content-Security-Policy": request.app[POLICY],
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
    }
    return web.FileResponse(found, headers=headers)


def _content_policy(urls: Sequence[str]) -> str:
    hosts = sorted({urlsplit(url).netloc for url in urls} - {""})
    connect = " ".join(["'self'", *(f"{scheme}://{host}" for host in hosts for scheme in ("http", "ws"))])
    return (
        f"default-src 'self'; connect-src {connect}; style-src 'self' 'unsafe-inline'; "
        "base-uri 'self'; frame-ancestors 'none'"
    )


def main() -> None:
    """Serve until SIGTERM."""
    endpoints = {name: os.environ.get(f"{name.upper()}_URL", "/api") for name in _SERVICES}
    replicas = {name: urls.split(",") for name in _SERVICES if (urls := os.environ.get(f"{name.upper()}_REPLICAS"))}
    folder = Path(os.environ.get("WEB_ROOT", str(ROOT / "web")))
    web.run_app(
        create_web(folder, endpoints, replicas),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "4200")),
        access_log=None,
        print=None,
        shutdown_timeout=1.0,
    )


if __name__ == "__main__":
    main()
