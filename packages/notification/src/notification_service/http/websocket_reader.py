"""What a WebSocket client says, read from the bytes that come: RFC 6455, sections 5 and 7.4. Pure."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple, TypeAlias

__all__ = ["Binary", "Close", "CloseCode", "Fragment", "Inbound", "Message", "Ping", "Pong", "Text", "ViolationError"]

_CONTINUATION, _TEXT, _BINARY, _CLOSE, _PING, _PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_CONTROL = frozenset((_CLOSE, _PING, _PONG))
_OPCODES = _CONTROL | {_CONTINUATION, _TEXT, _BINARY}
_MAX_CONTROL_BYTES = 125
_HEAD_BYTES, _MASK_BYTES = 2, 4
# a length that does not fit the head's seven bits follows it in so many bytes
_LONGER_BYTES = {126: 2, 127: 8}
# codes that may go over the wire: those with a meaning, of libraries, of applications
_CLOSE_CODES = frozenset((*range(1000, 1004), *range(1007, 1015), *range(3000, 5000)))

_Utf8Decoder = getincrementaldecoder("utf-8")


class CloseCode(IntEnum):
    """Why a WebSocket is closed: RFC 6455, section 7.4.1, and what IANA registered since."""

    PROTOCOL_ERROR = 1002
    INVALID_TEXT = 1007
    POLICY_VIOLATION = 1008
    MESSAGE_TOO_BIG = 1009
    SERVICE_RESTART = 1012
    TRY_AGAIN_LATER = 1013


class ViolationError(Exception):
    """The client broke the protocol: close with *code*, listen no more."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Text:
    """A whole text message."""

    text: str


@dataclass(frozen=True, slots=True)
class Binary:
    """A whole binary message."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Fragment:
    """Part of a message that goes on; what was in it is kept by the reader."""


@dataclass(frozen=True, slots=True)
class Ping:
    """A question for a sign of life; a pong with the same *data* is the answer."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Pong:
    """A sign of life."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Close:
    """The client's last frame; *code* is None when it gave none."""

    code: int | None


Message: TypeAlias = Text | Binary | Fragment | Ping | Pong | Close


class _Head(NamedTuple):
    final: bool
    opcode: int
    mask: bytes
    payload_at: int
    end: int

    @property
    def size_bytes(self) -> int:
        return self.end - self.payload_at


class Inbound:
    """Reads frames and joins fragments into messages.

    What it holds is bounded: a frame that makes a message longer than *max_message_bytes* is refused by its head.
    """

    __slots__ = ("_begun", "_buffer", "_max_message_bytes")

    def __init__(self, max_message_bytes: int) -> None:
        self._max_message_bytes = max_message_bytes
        self._buffer = b""
        self._begun: _Begun | None = None

    def feed(self, data: bytes) -> Iterator[Message]:
        """Yield one item for each frame that *data* completes; a close frame is the last.

        Raises:
            ViolationError: what follows can't be read.
        """
        buffer, at = self._buffer + data, 0
        while (head := _head(buffer, at)) is not None:
            self._check(head)
            if head.end > len(buffer):
                break
            at = head.end
            yield self._message(head, _unmasked(buffer[head.payload_at : at], head.mask))
            if head.opcode == _CLOSE:
                return
        self._buffer = buffer[at:]

    def _check(self, head: _Head) -> None:
        held = 0
        if head.opcode in _CONTROL:
            if head.size_bytes > _MAX_CONTROL_BYTES or not head.final:
                raise ViolationError(CloseCode.PROTOCOL_ERROR, "a control frame is short and whole")
        elif head.opcode == _CONTINUATION:
            if self._begun is None:
                raise ViolationError(CloseCode.PROTOCOL_ERROR, "there is no message to go on with")
            held = self._begun.size_bytes
        elif self._begun is not None:
            raise ViolationError(CloseCode.PROTOCOL_ERROR, "the message before has not ended")
        if held + head.size_bytes > self._max_message_bytes:
            raise ViolationError(CloseCode.MESSAGE_TOO_BIG, f"a message has {self._max_message_bytes} bytes at most")

    def _message(self, head: _Head, payload: bytes) -> Message:
        if head.opcode == _CLOSE:
            return _close(payload)
        if head.opcode in _CONTROL:
            return Ping(payload) if head.opcode == _PING else Pong(payload)
        begun = self._begun or _Begun(head.opcode)
        begun.add(payload, final=head.final)
        self._begun = None if head.final else begun
        return begun.message() if head.final else Fragment()


class _Begun:
    """A message that has begun; its text is read as it comes, so that what is invalid is refused at once."""

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
            raise ViolationError(CloseCode.INVALID_TEXT, "text is UTF-8") from None

    def message(self) -> Text | Binary:
        return Binary(bytes(self._data)) if self._decoder is None else Text(self._data.decode())


def _head(buffer: bytes, at: int) -> _Head | None:
    """Read the head of the frame that begins at *at*; None when it is not all there."""
    if len(buffer) < at + _HEAD_BYTES:
        return None
    first, second = buffer[at], buffer[at + 1]
    opcode = first & 0x0F
    if first & 0x70 or opcode not in _OPCODES:
        raise ViolationError(CloseCode.PROTOCOL_ERROR, "no such frame was agreed on")
    if not second & 0x80:
        raise ViolationError(CloseCode.PROTOCOL_ERROR, "a client masks its frames")
    size_bytes = second & 0x7F
    mask_at = at + _HEAD_BYTES + _LONGER_BYTES.get(size_bytes, 0)
    payload_at = mask_at + _MASK_BYTES
    if len(buffer) < payload_at:
        return None
    if size_bytes in _LONGER_BYTES:
        size_bytes = int.from_bytes(buffer[at + _HEAD_BYTES : mask_at], "big")
    return _Head(bool(first & 0x80), opcode, buffer[mask_at:payload_at], payload_at, payload_at + size_bytes)


def _unmasked(payload: bytes, mask: bytes) -> bytes:
    size_bytes = len(payload)
    key = (mask * (size_bytes // _MASK_BYTES + 1))[:size_bytes]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(key, "big")).to_bytes(size_bytes, "big")


def _close(payload: bytes) -> Close:
    if not payload:
        return Close(None)
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or code not in _CLOSE_CODES:
        raise ViolationError(CloseCode.PROTOCOL_ERROR, "no such close code")
    try:
        payload[2:].decode()
    except UnicodeDecodeError:
        raise ViolationError(CloseCode.INVALID_TEXT, "text is UTF-8") from None
    return Close(code)
