"""Writes the same bytes to many sockets with one system call: Linux's asynchronous I/O, io_submit(2).

A system call of its own for each socket costs a third more. A write to a non-blocking socket is done, or refused with
EAGAIN, before io_submit returns, so nothing is asynchronous here. Container engines allow these calls by default, and
forbid io_uring.
"""

from __future__ import annotations

import ctypes
import os
import platform
import sys
import weakref
from array import array
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

__all__ = ["PREAD", "AioContext", "LinuxAio"]

# reads or writes of one system call
SLOTS = 256
# so many sockets are worth a second thread: they take some 10 ms
FEWEST_SHARED = 2_048
# asm/unistd.h: io_setup, io_destroy, io_submit, io_getevents
_CALLS = {"x86_64": (206, 207, 209, 208), "aarch64": (0, 1, 2, 4)}
# linux/aio_abi.h: struct iocb and struct io_event, and where their fields are, in numbers of the field's size
_IOCB_BYTES, _EVENT_BYTES = 64, 32
_OPCODE_U16, _FD_U32, _BUFFER_U64, _LENGTH_U64 = 8, 5, 3, 4
_RESULT_I64 = 2
PREAD, PWRITE = 0, 1


class LinuxAio:
    """Writes to sockets; to very many from two threads, where the process has more than one processor.

    Raises:
        OSError: this kernel, processor or container has no asynchronous I/O.
    """

    def __init__(self) -> None:
        self._context = AioContext()
        self._helper: AioContext | None = None
        if len(os.sched_getaffinity(0)) > 1:
            with suppress(OSError):  # the system has no further context (fs.aio-max-nr): one thread writes
                self._helper = AioContext()
                self._threads = ThreadPoolExecutor(1, "push-writes")

    def close(self) -> None:
        """Free what the system keeps for it."""
        self._context.close()
        if self._helper is not None:
            self._threads.shutdown()
            self._helper.close()

    def write(self, data: bytes, fds: Sequence[int]) -> Sequence[int]:
        """Write *data* to each of the non-blocking sockets *fds*; return how many bytes each took, or minus an errno.

        From a socket on that is none, such as a closed one, all of a system call have taken 0 bytes.
        """
        starts = range(0, len(fds), SLOTS)
        if self._helper is None or len(fds) < FEWEST_SHARED:
            return [each for start in starts for each in self._context.write(data, fds[start : start + SLOTS])]
        results: dict[int, Sequence[int]] = {}
        remaining = iter(starts)

        def write_remaining(context: AioContext) -> None:
            for start in remaining:  # each thread takes the next when it has written the one before
                results[start] = context.write(data, fds[start : start + SLOTS], shared=True)

        helping = self._threads.submit(write_remaining, self._helper)
        write_remaining(self._context)
        if not helping.cancel():  # it began
            helping.result()
        return [each for start in starts for each in results[start]]


class AioContext:
    """A context of Linux's asynchronous I/O, for up to `SLOTS` reads or writes at once.

    Attributes:
        buffers: the address of what is written, or where it is read to, for each place in a call.
        lengths: how many bytes that are.
    """

    def __init__(self, opcode: int = PWRITE) -> None:
        if sys.platform != "linux" or platform.machine() not in _CALLS or sys.byteorder != "little":
            raise OSError("no asynchronous I/O known on this platform")
        setup, destroy, self._submit, self._getevents = _CALLS[platform.machine()]
        # without a release of the GIL: another thread would have it when the call ends
        self._syscall = ctypes.PyDLL(None, use_errno=True).syscall
        self._shared_syscall = ctypes.CDLL(None).syscall
        self._syscall.restype = self._shared_syscall.restype = ctypes.c_long
        self._context = ctypes.c_ulong(0)
        if self._syscall(ctypes.c_long(setup), ctypes.c_long(SLOTS), ctypes.byref(self._context)) != 0:
            errno = ctypes.get_errno()
            raise OSError(errno, os.strerror(errno))
        self.close = weakref.finalize(self, self._syscall, ctypes.c_long(destroy), self._context)
        iocbs = (ctypes.c_char * (SLOTS * _IOCB_BYTES))()
        first = ctypes.addressof(iocbs)
        self._pointers = (ctypes.c_void_p * SLOTS)(*range(first, first + len(iocbs), _IOCB_BYTES))
        self._events = (ctypes.c_char * (SLOTS * _EVENT_BYTES))()
        fields = memoryview(iocbs).cast("B")
        fields.cast("H")[_OPCODE_U16 :: _IOCB_BYTES // 2] = array("H", [opcode]) * SLOTS
        self._fds = fields.cast("I")[_FD_U32 :: _IOCB_BYTES // 4]
        self.buffers = fields.cast("Q")[_BUFFER_U64 :: _IOCB_BYTES // 8]
        self.lengths = fields.cast("Q")[_LENGTH_U64 :: _IOCB_BYTES // 8]
        self._results = memoryview(self._events).cast("B").cast("q")[_RESULT_I64 :: _EVENT_BYTES // 8]

    def write(self, data: bytes, fds: Sequence[int], *, shared: bool = False) -> Sequence[int]:
        """Write *data* to each of *fds*; when *shared*, other threads run Python meanwhile."""
        count = len(fds)
        address = ctypes.cast(ctypes.c_char_p(data), ctypes.c_void_p).value
        self.buffers[:count] = array("Q", [address or 0]) * count
        self.lengths[:count] = array("Q", [len(data)]) * count
        return self.submit(fds, shared=shared)

    def submit(self, fds: Sequence[int], *, shared: bool = False) -> Sequence[int]:
        """Read or write; return how many bytes each of *fds* gave or took, or minus an errno."""
        count = len(fds)
        self._fds[:count] = array("I", fds)
        call = self._shared_syscall if shared else self._syscall
        taken = call(ctypes.c_long(self._submit), self._context, ctypes.c_long(count), self._pointers)
        if taken <= 0:
            return [0] * count
        wanted = ctypes.c_long(taken)
        self._syscall(ctypes.c_long(self._getevents), self._context, wanted, wanted, self._events, None)
        return self._results[:taken].tolist() + [0] * (count - taken)
