"""Becomes another program: as another user if asked to, and ended when the process that started it dies, however.

Run by its path, before there is any package: ``python -I -S launch.py SIGNAL PARENT USER COMMAND...`` (an empty USER
changes nothing). A function between fork and exec would be shorter and is not safe in a process with threads; the user
is changed here because a user who may do little can't reach the interpreter in root's home either.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

__all__: list[str] = []

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Give up rights, ask for the signal, then become the command."""
    stop_signal, parent, user, *command = sys.argv[1:]
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":  # after the change of user, which would reset it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != int(parent):  # it died before it could be waited for
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - that is what this is for


if __name__ == "__main__":
    main()
