"""The parser of Server-Sent Events."""

from __future__ import annotations

from orderstream_local.sse import ServerSentEvent, SseReader


def read(text: str) -> tuple[list[ServerSentEvent], SseReader]:
    reader = SseReader()
    return [event for line in text.split("\n") if (event := reader.feed(line))], reader


def test_event_has_data_and_last_id() -> None:
    events, _ = read("id: a-1\ndata: {}\n\n")
    assert events == [ServerSentEvent("message", "{}", "a-1")]


def test_data_lines_are_joined() -> None:
    events, _ = read("data: one\ndata:two\n\n")
    assert events[0].data == "one\ntwo"


def test_heartbeat_sets_last_id_without_an_event() -> None:
    events, reader = read(": hb\nid: a-7\n\n")
    assert (events, reader.last_id) == ([], "a-7")


def test_event_has_its_name() -> None:
    events, _ = read("event: reset\nid: b-1\ndata: {}\n\ndata: next\n\n")
    assert [(event.name, event.id) for event in events] == [("reset", "b-1"), ("message", "b-1")]


def test_server_sets_reconnection_time() -> None:
    assert read("retry: 2500\n\n")[1].retry_ms == 2500
    assert read("retry: soon\n\n")[1].retry_ms is None
