"""Serves the built page and its configuration, like nginx in a container.

Reads HOST, PORT, WEB_ROOT (the folder of the page) or WEB_MISSING (why the build failed), and for each service its
base URL (ORDER_URL, ...) and those of its replicas, separated by commas (ORDER_REPLICAS, ...), AUTH, how to sign in,
and TRACES, where spans are sent, as JSON, LOGS, the folder of the services' log files, and DEMO_PIDS, the folder of the
runner's pid files, with which it has the demo's controls.
"""

from __future__ import annotations

import html
import json
import logging
import os
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.http import HttpProcessingError
from aiohttp.log import server_logger

from .demo_controls import add_demo_controls
from .layout import SERVICES

__all__ = ["create_web"]

# the build puts a content hash into the file name
_HASHED = re.compile(r"-[\w-]{8}\.\w+$")
_IMMUTABLE = "public, max-age=31536000, immutable"
_REVALIDATE = "no-cache"
_HIDDEN = re.compile(r"(^|/)\.")
# the build's placeholder for a nonce, which Angular gives to the styles of its components
_NONCE = "CSP_NONCE"
_HEADERS = {
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_UNAVAILABLE_HTML = """<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Orderstream</title>
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
  </head>
  <body>
    <h1>The page is unavailable</h1>
    <p>The services run, but the build of the page failed:</p>
    <pre>{error}</pre>
    <p>The next start builds it again.</p>
  </body>
</html>
"""

FOLDER: web.AppKey[Path | None] = web.AppKey("folder")
ERROR = web.AppKey("error", str)
CONFIG: web.AppKey[dict[str, Any]] = web.AppKey("config")
POLICY = web.AppKey("policy", str)
NONCE = web.RequestKey("nonce", str)


def create_web(
    folder: Path | None,
    endpoints: Mapping[str, str],
    replicas: Mapping[str, Sequence[str]] | None = None,
    auth: Mapping[str, Any] | None = None,
    traces: Mapping[str, Any] | None = None,
    *,
    demo_pids: Path | None = None,
    error: str = "",
    logs: str | None = None,
) -> web.Application:
    """Compose the server of *folder*.

    Args:
        folder: the built page; None when the build failed.
        endpoints: the base URLs of the services, for ``/config.json``.
        replicas: the base URLs of each service's replicas, for ``/config.json``.
        auth: how to sign in, for ``/config.json``.
        traces: where the page sends its spans, for ``/config.json``.
        demo_pids: the folder of the runner's pid files; None without the demo's controls.
        error: why the build failed.
        logs: the folder of the services' log files, for ``/config.json``.
    """
    app = web.Application()
    app[FOLDER] = folder and folder.resolve()
    app[ERROR] = error
    given = {"replicas": replicas, "auth": auth, "traces": traces, "logs": logs, "demo": demo_pids is not None}
    app[CONFIG] = {**endpoints, **{name: value for name, value in given.items() if value}}
    app[POLICY] = _content_security_policy(
        [*endpoints.values(), *(url for urls in (replicas or {}).values() for url in urls)],
        [*([auth["issuer"], *auth.get("metadata", {}).values()] if auth else []), *([traces["url"]] if traces else [])],
    )
    app.on_response_prepare.append(_add_security_headers)
    app.add_routes(
        [
            web.get("/health/ready", _ready),
            web.get("/config.json", _config),
            web.get("/{path:.*}", _file),
        ]
    )
    if demo_pids is not None:
        add_demo_controls(app, endpoints, demo_pids, signed_in=auth is not None)
    return app


async def _ready(_: web.Request) -> web.Response:
    return web.json_response({"status": "ready"})


async def _config(request: web.Request) -> web.Response:
    return web.json_response(request.app[CONFIG], headers={"Cache-Control": "no-store"})


async def _file(request: web.Request) -> web.StreamResponse:
    folder, path = request.app[FOLDER], request.match_info["path"]
    if folder is None:
        return _unavailable(request)
    if _HIDDEN.search(path):
        raise web.HTTPNotFound
    # a path without a suffix is a client-side route
    if not PurePosixPath(path).suffix or path == "index.html":
        return _page(request, folder / "index.html")
    try:
        found = (folder / path).resolve(strict=True)
    except (OSError, RuntimeError, ValueError) as error:  # not there, a circle of links, not a name of a file
        raise web.HTTPNotFound from error
    if not found.is_relative_to(folder) or not found.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(found, headers={"Cache-Control": _IMMUTABLE if _HASHED.search(found.name) else _REVALIDATE})


def _page(request: web.Request, index: Path) -> web.Response:
    nonce = request[NONCE] = secrets.token_hex(16)
    text = index.read_text(encoding="utf-8").replace(_NONCE, nonce)
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": _REVALIDATE})


def _unavailable(request: web.Request) -> web.Response:
    text = _UNAVAILABLE_HTML.format(error=html.escape(request.app[ERROR]))
    return web.Response(status=503, text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def _add_security_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Add the security headers to every response."""
    nonce = request.get(NONCE) or secrets.token_hex(16)
    response.headers.update(_HEADERS)
    response.headers["Content-Security-Policy"] = request.app[POLICY].replace(_NONCE, nonce)


def _content_security_policy(urls: Sequence[str], others: Sequence[str]) -> str:
    hosts = sorted({urlsplit(url).netloc for url in urls} - {""})
    origins = [f"{scheme}://{host}" for host in hosts for scheme in ("http", "ws")]
    origins += sorted({f"{each.scheme}://{each.netloc}" for each in map(urlsplit, others) if each.netloc})
    connect = " ".join(["'self'", *origins])
    return (
        "default-src 'none'; script-src 'self'; "
        f"style-src 'self' 'nonce-{_NONCE}'; img-src 'self'; font-src 'self'; connect-src {connect}; "
        "base-uri 'self'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types angular"
    )


def _forget_bytes(record: logging.LogRecord) -> bool:
    # the message of a parser quotes the request, in which a token, a ticket or a code may stand
    if record.exc_info is not None and isinstance(record.exc_info[1], HttpProcessingError):
        record.exc_info = None
    return True


def main() -> None:
    """Serve until SIGTERM."""
    server_logger.addFilter(_forget_bytes)
    endpoints = {name: os.environ.get(f"{name.upper()}_URL", "/api") for name in SERVICES}
    replicas = {name: urls.split(",") for name in SERVICES if (urls := os.environ.get(f"{name.upper()}_REPLICAS"))}
    folder = os.environ.get("WEB_ROOT")
    error = os.environ.get("WEB_MISSING", "WEB_ROOT, the folder of the page, is not set")
    auth = json.loads(os.environ.get("AUTH", "null"))
    pids = os.environ.get("DEMO_PIDS")
    web.run_app(
        create_web(
            Path(folder) if folder else None,
            endpoints,
            replicas,
            auth,
            json.loads(os.environ.get("TRACES", "null")),
            demo_pids=Path(pids) if pids else None,
            error=error,
            logs=os.environ.get("LOGS"),
        ),
        host=os.environ.get("HOST", "127.0.0.1"),
        port=int(os.environ.get("PORT", "4200")),
        access_log=None,
        print=None,
        shutdown_timeout=1.0,
    )


if __name__ == "__main__":
    main()
