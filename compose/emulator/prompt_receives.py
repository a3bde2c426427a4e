"""Starts the emulator so that a waiting receive is answered when a message is sent, as by SQS.

ministack 1.5.33 looks every 100 ms, which delayed a message by 50 ms in the middle. What becomes visible by itself,
after a delay or a visibility timeout, is still found by those looks.
"""

from __future__ import annotations

import asyncio
import runpy
from types import SimpleNamespace
from typing import Any

from ministack.services import sqs  # type: ignore[import-not-found] # of another environment

_MAKES_VISIBLE = ("SendMessage", "ChangeMessageVisibility")
_waiting: set[asyncio.Event] = set()
_dispatch = sqs._dispatch  # noqa: SLF001 # there is no other place for it


async def _waking(action: str, *arguments: Any) -> Any:
    answer = await _dispatch(action, *arguments)
    if action.startswith(_MAKES_VISIBLE):
        for receive in _waiting:
            receive.set()
    return answer


async def _until_woken(seconds: float) -> None:
    woken = asyncio.Event()
    _waiting.add(woken)
    try:
        await asyncio.wait_for(woken.wait(), seconds)
    except TimeoutError:
        pass
    finally:
        _waiting.discard(woken)


sqs._dispatch = _waking  # noqa: SLF001 # as above
sqs.asyncio = SimpleNamespace(iscoroutine=asyncio.iscoroutine, sleep=_until_woken)  # the whole that the module uses

if __name__ == "__main__":
    runpy.run_module("ministack", run_name="__main__")
