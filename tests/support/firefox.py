"""Firefox as it is installed, without a screen, over WebDriver BiDi: Playwright drives only a Firefox of its own.

https://www.w3.org/TR/webdriver-bidi/
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp

from tests.support.browser import firefox
from tests.support.waiting import eventually

__all__ = ["ABSENT", "FirefoxPage", "firefox_page"]

ABSENT = "Firefox is not installed"
LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
START_LIMIT_S = 60.0
ANSWER_LIMIT_S = 60.0


class FirefoxPage:
    """One tab.

    Attributes:
        faults: what the scripts of the page threw or complained about.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._context = ""
        self.faults: list[str] = []

    async def listen(self) -> None:
        """Take what the browser says until it ends."""
        async for message in self._socket:
            said = json.loads(message.data)
            if "id" in said and (answer := self._answers.pop(said["id"], None)):
                answer.set_result(said)
            elif said.get("method") == "log.entryAdded" and said["params"]["type"] == "javascript":
                self.faults.append(said["params"]["text"])

    async def open(self) -> None:
        """Begin the session."""
        await self._command("session.new", capabilities={})
        await self._command("session.subscribe", events=["log.entryAdded"])
        self._context = (await self._command("browsingContext.create", type="tab"))["context"]

    async def goto(self, url: str) -> None:
        """Open *url*, and wait until it is loaded."""
        await self._command("browsingContext.navigate", context=self._context, url=url, wait="complete")

    async def evaluate(self, expression: str) -> Any:
        """Return the value of an expression: null, a boolean, a number or a string."""
        answer = await self._command(
            "script.evaluate", expression=expression, target={"context": self._context}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        return answer["result"].get("value")

    async def click(self, xpath: str) -> None:
        """Click the first element, as soon as there is one that can be."""
        node = await eventually(lambda: self._enabled(xpath), xpath)
        await self._command(
            "script.callFunction",
            functionDeclaration="element => element.scrollIntoView({ block: 'center' })",
            arguments=[node],
            target={"context": self._context},
            awaitPromise=False,
        )
        pointer = [
            {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": node}},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        actions = [{"type": "pointer", "id": "mouse", "actions": pointer}]
        await self._command("input.performActions", context=self._context, actions=actions)

    async def sees(self, text: str, within: str = "body") -> None:
        """Wait until the elements of a selector have *text*."""
        texts = f"[...document.querySelectorAll({json.dumps(within)})].map(e => e.innerText).join('\\n')"

        async def look() -> bool | None:
            return text in str(await self.evaluate(texts)) or None

        await eventually(look, f"{text!r} in {within}")

    async def _enabled(self, xpath: str) -> Mapping[str, Any] | None:
        found = await self._command(
            "browsingContext.locateNodes", context=self._context, locator={"type": "xpath", "value": xpath}
        )
        return next(({"sharedId": each["sharedId"]} for each in found["nodes"]), None)

    async def _command(self, method: str, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        async with asyncio.timeout(ANSWER_LIMIT_S):
            said = await answer
        assert said["type"] == "success", said
        result: dict[str, Any] = said["result"]
        return result


@asynccontextmanager
async def firefox_page(folder: Path, **preferences: bool | int) -> AsyncIterator[FirefoxPage]:
    """Run Firefox with a new profile in *folder* for the block; what goes wrong in its page fails the block."""
    executable = firefox()
    assert executable is not None, ABSENT
    user = "".join(f'user_pref("{name}", {json.dumps(value)});\n' for name, value in preferences.items())
    (folder / "user.js").write_text(user)
    process = await asyncio.create_subprocess_exec(
        *(executable, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0"),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    try:
        async with aiohttp.ClientSession() as session:
            url = await _address(process)
            async with session.ws_connect(f"{url}/session", max_msg_size=0) as socket:
                page = FirefoxPage(socket)
                listening = asyncio.create_task(page.listen())
                try:
                    await page.open()
                    yield page
                finally:
                    listening.cancel()
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    assert not page.faults, page.faults


async def _address(process: asyncio.subprocess.Process) -> str:
    assert process.stderr is not None
    async with asyncio.timeout(START_LIMIT_S):
        async for line in process.stderr:
            if found := LISTENING.search(line):
                return found[1].decode()
    raise AssertionError("Firefox ended")
