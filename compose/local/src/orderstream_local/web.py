"""Serves the built page and tells it where the services are: what nginx does in a container.

Reads HOST, PORT, WEB_ROOT (the folder of the page) or WEB_MISSING (why there is none), and for each service the URL
that the page asks (ORDER_URL, ...) and those of its replicas, separated by commas (ORDER_REPLICAS, ...).
"""

from __future__ import annotations

import html
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

__all__ = ["create_web"]

_SERVICES = ("order", "inventory", "notification", "processing")
# a build puts a hash of the content into the name: such a file never changes
_HASHED = re.compile(r"-[\w-]{8}\.\w+$")
_FOR_EVER = "public, max-age=31536000, immutable"
_ASK_AGAIN = "no-cache"
_HIDDEN = re.compile(r"(^|/)\.")
# what the build leaves where a nonce belongs; Angular gives it to the styles of its components
_NONCE = "CSP_NONCE"
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_MISSING = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Orderstream</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
  </head>
  <body>
    <h1>There is no page</h1>
    <p>The services run, but the page could not be built. What was said:</p>
    <pre>{why}</pre>
    <p>The next start tries again.</p>
  </body>
</html>
"""

FOLDER: web.AppKey[Path | None] = web.AppKey("folder")
MISSING = web.AppKey("missing", str)
CONFIG: web.AppKey[dict[str, Any]] = web.AppKey("config")
POLICY = web.AppKey("policy", str)
NONCE = web.RequestKey("nonce", str)


def create_web(
    folder: Path | None,
    endpoints: Mapping[str, str],
    replicas: Mapping[str, Sequence[str]] | None = None,
    *,
    missing: str = "",
) -> web.Application:
    """Compose the server of *folder*.

    Args:
        folder: the built page; None when there is none.
        endpoints: the base URLs of the services, told by ``/config.json``.
        replicas: those of each replica that the page may ask for itself, told there too.
        missing: why there is no page.
    """
    app = web.Application()
    app[FOLDER] = folder and folder.resolve()
    app[MISSING] = missing
    app[CONFIG] = {**endpoints, **({"replicas": replicas} if replicas else {})}
    app[POLICY] = _content_policy([*endpoints.values(), *(url for urls in (replicas or {}).values() for url in urls)])
    app.on_response_prepare.append(_secure)
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


async def _file(request: web.Request) -> web.StreamResponse:
    folder, path = request.app[FOLDER], request.match_info["path"]
    if folder is None:
        return _without_page(request)
    found = (folder / path).resolve()
    if not found.is_relative_to(folder) or _HIDDEN.search(path):
        raise web.HTTPNotFound
    # a path without a suffix is a page of the application in the browser
    if not PurePosixPath(path).suffix or path == "index.html":
        return _page(request, folder / "index.html")
    if not found.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(found, headers={"Cache-Control": _FOR_EVER if _HASHED.search(found.name) else _ASK_AGAIN})


def _page(request: web.Request, index: Path) -> web.Response:
    nonce = request[NONCE] = secrets.token_hex(16)
    text = index.read_text(encoding="utf-8").replace(_NONCE, nonce)
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": _ASK_AGAIN})


def _without_page(request: web.Request) -> web.Response:
    text = _MISSING.format(why=html.escape(request.app[MISSING]))
    return web.Response(status=503, text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def _secure(request: web.Request, response: web.StreamResponse) -> None:
    """Say on every answer what a browser may do with it."""
    nonce = request.get(NONCE) or secrets.token_hex(16)
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = request.app[POLICY].replace(_NONCE, nonce)


def _content_policy(urls: Sequence[str]) -> str:
    hosts = sorted({urlsplit(url).netloc for url in urls} - {""})
    connect = " ".join(["'self'", *(f"{scheme}://{host}" for host in hosts for scheme in ("http", "ws"))])
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{_NONCE}'; img-src 'self'; font-src 'self'; connect-src {connect}; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types angular"
    )


def main() -> None:
    """Serve until SIGTERM."""
    endpoints = {name: os.environ.get(f"{name.upper()}_URL", "/api") for name in _SERVICES}
    replicas = {name: urls.split(",") for name in _SERVICES if (urls := os.environ.get(f"{name.upper()}_REPLICAS"))}
    folder = os.environ.get("WEB_ROOT")
    missing = os.environ.get("WEB_MISSING", "WEB_ROOT, the folder of the page, is not set")
    web.run_app(
        create_web(Path(folder) if folder else None, endpoints, replicas, missing=missing),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "4200")),
        access_log=None,
        print=None,
        shutdown_timeout=1.0,
    )


if __name__ == "__main__":
    main()
