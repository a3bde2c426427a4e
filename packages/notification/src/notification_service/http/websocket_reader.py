"""Parses the frames of a WebSocket client: RFC 6455, sections 5 and 7.4. Pure."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

__all__ = [
    "BinaryMessage",
    "ClientFrame",
    "CloseCode",
    "CloseFrame",
    "Fragment",
    "PingFrame",
    "PongFrame",
    "TextMessage",
    "WebSocketReader",
    "WebSocketViolationError",
]

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_CONTROL = frozenset((_CLOSE, _PING, _PONG))
_OPCODES = _CONTROL | {_CONTINUATION, _TEXT, _BINARY}
_MAX_CONTROL_BYTES = 125
_HEADER_BYTES, _MASK_BYTES = 2, 4
# a length that does not fit the header's seven bits follows it in so many bytes
_EXTENDED_LENGTH_BYTES = {126: 2, 127: 8}
# codes that may be sent: defined ones, those of libraries and those of applications
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))

_Utf8Decoder = getincrementaldecoder("utf-8")


class CloseCode(IntEnum):
    """Why a WebSocket is closed: RFC 6455, section 7.4.1, what IANA registered since, and 4xxx for our own."""

    PROTOCOL_ERROR = 1002
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013
    TOKEN_EXPIRED = 4401
    DISCONNECTED = 4403


class WebSocketViolationError(Exception):
    """The client broke the protocol or a limit: close with *code* and ignore further data."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A whole text message."""

    text: str


@dataclass(frozen=True, slots=True)
class BinaryMessage:
    """A whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """A part of a message; the reader keeps its payload until the last part."""


@dataclass(frozen=True, slots=True)
class PingFrame:
    """A ping; the answer is a pong with the same *data*."""

    data: bytes


@dataclass(frozen=True, slots=True)
class PongFrame:
    """A pong, solicited or not."""

    data: bytes


@dataclass(frozen=True, slots=True)
class CloseFrame:
    """The client's last frame; *code* is None when the frame has none."""

    code: int | None


ClientFrame: TypeAlias = TextMessage | BinaryMessage | Fragment | PingFrame | PongFrame | CloseFrame


class _FrameHeader(NamedTuple):
    final: bool
    opcode: int
    mask: bytes
    payload_at: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.payload_at


class WebSocketReader:
    """Parses frames and joins fragments into messages.

    Its memory is bounded: a frame that makes a message longer than *max_message_bytes* is refused by its header.
    """

    __slots__ = ("_buffer", "_max_message_bytes", "_partial")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer = b""
        self._partial: _PartialMessage | None = None

    def feed(self, data: bytes) -> Iterator[ClientFrame]:
        """Yield one item for each frame that *data* completes; a close frame is the last.

        Raises:
            WebSocketViolationError: the next frame breaks the protocol or the size limit.
        """
        buffer, at = self._buffer + data, 0
        while (header := _parse_header(buffer, at)) is not None:
            self._check(header)
            if header.end > len(buffer):
                break
            at = header.end
            yield self._message(header, _unmasked(buffer[header.payload_at : at], header.mask))
            if header.opcode == _CLOSE:
                return
        self._buffer = buffer[at:]

    def _check(self, header: _FrameHeader) -> None:
        held = 0
        if header.opcode in _CONTROL:
            if header.size_bytes > _MAX_CONTROL_BYTES or not header.final:
                raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "a control frame is short and whole")
        elif header.opcode == _CONTINUATION:
            if self._partial is None:
                raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "there is no message to go on with")
            held = self._partial.size_bytes
        elif self._partial is not None:
            raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "the message before has not ended")
        if held + header.size_bytes > self._max_message_bytes:
            raise WebSocketViolationError(
                CloseCode.MESSAGE_TOO_BIG, f"a message has {self._max_message_bytes} bytes at most"
            )

    def _message(self, header: _FrameHeader, payload: bytes) -> ClientFrame:
        if header.opcode == _CLOSE:
            return _close(payload)
        if header.opcode in _CONTROL:
            return PingFrame(payload) if header.opcode == _PING else PongFrame(payload)
        partial = self._partial or _PartialMessage(header.opcode)
        partial.add(payload, final=header.final)
        self._partial = None if header.final else partial
        return partial.message() if header.final else Fragment()


class _PartialMessage:
    """A message without its last fragment; text is decoded as it arrives, so that invalid text is refused at once."""

    __slots__ = ("_data", "_decoder")

    def __init__(self, opcode: int) -> None:
        self._data = bytearray()
        self._decoder = _Utf8Decoder() if opcode == _TEXT else None

    @property
    def size_bytes(self) -> int:
        return len(self._data)

    def add(self, payload: bytes, *, final: bool) -> None:
        self._data += payload
        if self._decoder is None:
            return
        try:
            self._decoder.decode(payload, final)
        except UnicodeDecodeError:
            raise WebSocketViolationError(CloseCode.INVALID_TEXT, "text is UTF-8") from None

    def message(self) -> TextMessage | BinaryMessage:
        return BinaryMessage(bytes(self._data)) if self._decoder is None else TextMessage(self._data.decode())


def _parse_header(buffer: bytes, at: int) -> _FrameHeader | None:
    """Parse the header of the frame at *at*; None while it is incomplete."""
    if len(buffer) < at + _HEADER_BYTES:
        return None
    first, second = buffer[at], buffer[at + 1]
    opcode = first & 0x0F
    if first & 0x70 or opcode not in _OPCODES:
        raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "no such frame was agreed on")
    if not second & 0x80:
        raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "a client masks its frames")
    size_bytes = second & 0x7F
    mask_at = at + _HEADER_BYTES + _EXTENDED_LENGTH_BYTES.get(size_bytes, 0)
    payload_at = mask_at + _MASK_BYTES
    if len(buffer) < payload_at:
        return None
    if size_bytes in _EXTENDED_LENGTH_BYTES:
        size_bytes = int.from_bytes(buffer[at + _HEADER_BYTES : mask_at], "big")
    return _FrameHeader(bool(first & 0x80), opcode, buffer[mask_at:payload_at], payload_at, payload_at + size_bytes)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size_bytes = len(payload)
    key = (mask * (size_bytes // _MASK_BYTES + 1))[:size_bytes]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size_bytes, "big")


def _close(payload: bytes) -> CloseFrame:
    if not payload:
        return CloseFrame(None)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in _CLOSE_CODES:
        raise WebSocketViolationError(CloseCode.PROTOCOL_ERROR, "no such close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise WebSocketViolationError(CloseCode.INVALID_TEXT, "text is UTF-8") from None
    return CloseFrame(code)
