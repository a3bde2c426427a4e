from __future__ import annotations

from contextlib import suppress
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Close as ClosePayload
from websockets.frames import Frame, Opcode

from notification_service.http.websocket_reader import (
    BinaryMessage,
    ClientFrame,
    CloseCode,
    CloseFrame,
    Fragment,
    PingFrame,
    PongFrame,
    TextMessage,
    WebSocketReader,
    WebSocketViolationError,
)

LIMIT = 4096


def frame(opcode: Opcode, payload: bytes = b"", *, fin: bool = True, mask: bool = True) -> bytes:
    return Frame(opcode, payload, fin).serialize(mask=mask)


def closing(code: int, reason: str = "") -> bytes:
    return frame(Opcode.CLOSE, code.to_bytes(2, "big") + reason.encode())


def read(*chunks: bytes) -> list[ClientFrame]:
    reader = WebSocketReader(LIMIT)
    return [message for chunk in chunks for message in reader.feed(chunk)]


def violation(*chunks: bytes) -> CloseCode:
    with pytest.raises(WebSocketViolationError) as caught:
        read(*chunks)
    return caught.value.code


@st.composite
def conversations(draw: st.DrawFn) -> tuple[bytes, list[ClientFrame]]:
    """Frames written by the websockets library, and what they mean: fragmented messages with control frames between."""
    sent = b""
    meant: list[ClientFrame] = []
    for text in draw(st.lists(st.text(max_size=200), max_size=6)):
        payload = text.encode()
        cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=3)))
        parts = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
        for index, part in enumerate(parts):
            last = index == len(parts) - 1
            sent += frame(Opcode.CONT if index else Opcode.TEXT, part, fin=last)
            meant.append(TextMessage(text) if last else Fragment())
            if draw(st.booleans()):
                data = draw(st.binary(max_size=125))
                sent += frame(Opcode.PING, data)
                meant.append(PingFrame(data))
    return sent, meant


@given(conversations(), st.data())
def test_result_does_not_depend_on_how_bytes_are_chunked(
    conversation: tuple[bytes, list[ClientFrame]], data: st.DataObject
) -> None:
    sent, meant = conversation
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=20)))
    chunks = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert read(*chunks) == meant


@given(st.binary(max_size=300))
def test_garbage_is_parsed_or_refused(garbage: bytes) -> None:
    with suppress(WebSocketViolationError):
        read(garbage)


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 4095, 4096])
def test_every_form_of_the_length_is_parsed(size: int) -> None:
    assert read(frame(Opcode.BINARY, b"x" * size)) == [BinaryMessage(b"x" * size)]


def test_pong_is_parsed() -> None:
    assert read(frame(Opcode.PONG, b"here")) == [PongFrame(b"here")]


def test_message_over_the_limit_is_refused_by_its_header() -> None:
    head = frame(Opcode.TEXT, b"x" * (LIMIT + 1))[:8]
    assert violation(head) is CloseCode.MESSAGE_TOO_BIG
    assert violation(frame(Opcode.TEXT, b"x" * LIMIT, fin=False), frame(Opcode.CONT, b"x", fin=False)) is (
        CloseCode.MESSAGE_TOO_BIG
    )


def test_longest_length_is_refused() -> None:
    assert violation(b"\x81\xff" + b"\xff" * 8 + b"mask") is CloseCode.MESSAGE_TOO_BIG


@pytest.mark.parametrize(
    "sent",
    [
        frame(Opcode.TEXT, b"x", mask=False),
        b"\xc1" + frame(Opcode.TEXT, b"x")[1:],
        b"\xa1" + frame(Opcode.TEXT, b"x")[1:],
        b"\x91" + frame(Opcode.TEXT, b"x")[1:],
        b"\x83" + frame(Opcode.TEXT, b"x")[1:],
        b"\x8b" + frame(Opcode.TEXT, b"x")[1:],
        b"\x09" + frame(Opcode.PING, b"x")[1:],
        b"\x89\xfe" + (126).to_bytes(2, "big") + b"mask" + b"x" * 126,
        frame(Opcode.CONT, b"x"),
        frame(Opcode.TEXT, b"x", fin=False) + frame(Opcode.TEXT, b"y"),
        frame(Opcode.TEXT, b"x") + frame(Opcode.CONT, b"y"),
        frame(Opcode.CLOSE, b"x"),
        *(closing(code) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535)),
    ],
    ids=count(),
)
def test_frame_that_rfc_6455_forbids_is_a_protocol_error(sent: bytes) -> None:
    assert violation(sent) is CloseCode.PROTOCOL_ERROR


@pytest.mark.parametrize(
    "sent",
    [
        frame(Opcode.TEXT, b"\xff"),
        frame(Opcode.TEXT, "é".encode()[:1]),
        frame(Opcode.TEXT, b"\xed\xa0\x80"),
        frame(Opcode.TEXT, b"good", fin=False) + frame(Opcode.CONT, b"\xff", fin=False),
        frame(Opcode.CLOSE, b"\x03\xe8\xff"),
    ],
    ids=count(),
)
def test_invalid_utf_8_is_refused_at_once(sent: bytes) -> None:
    assert violation(sent) is CloseCode.INVALID_TEXT


def test_fragments_may_split_a_character() -> None:
    euro = "€".encode()
    assert read(
        frame(Opcode.TEXT, euro[:1], fin=False), frame(Opcode.CONT, euro[1:2], fin=False), frame(Opcode.CONT, euro[2:])
    ) == [Fragment(), Fragment(), TextMessage("€")]


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 1014, 3000, 4999])
def test_data_after_a_close_frame_is_ignored(code: int) -> None:
    payload = ClosePayload(code, "bye").serialize()
    assert read(frame(Opcode.CLOSE, payload) + frame(Opcode.TEXT, b"late")) == [CloseFrame(code)]
    assert read(frame(Opcode.CLOSE)) == [CloseFrame(None)]
