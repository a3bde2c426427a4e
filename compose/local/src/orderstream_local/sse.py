"""Parses a stream of Server-Sent Events: https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream."""

from __future__ import annotations

from dataclasses import dataclass, field

__all__ = ["ServerSentEvent", "SseReader"]


@dataclass(frozen=True, slots=True)
class ServerSentEvent:
    """One event: *name* is ``message`` when the server gave none, *id* the last one seen."""

    name: str
    data: str
    id: str


@dataclass(slots=True)
class SseReader:
    """Parses lines into events.

    Attributes:
        last_id: the last event id, to resume from; blocks without data set it too.
        retry_ms: the reconnection time in milliseconds that the server sent, if any.
    """

    last_id: str = ""
    retry_ms: int | None = None
    _name: str = ""
    _data: list[str] = field(default_factory=list)

    def feed(self, line: str) -> ServerSentEvent | None:
        """Process one line without its line end; return the event that it completes, if any."""
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "data":
                self._data.append(value)
            case "event":
                self._name = value
            case "id" if "\0" not in value:
                self.last_id = value
            case "retry" if value.isascii() and value.isdigit():
                self.retry_ms = int(value)
        return None

    def _dispatch(self) -> ServerSentEvent | None:
        event = ServerSentEvent(self._name or "message", "\n".join(self._data), self.last_id) if self._data else None
        self._name, self._data = "", []
        return event
