"""Executes another program, optionally as another user, with a signal when the parent process dies.

Run by its path, without packages: ``python -I -S launch.py SIGNAL PARENT USER COMMAND...`` (an empty USER keeps the
user). A function between fork and exec would be shorter but is unsafe in a process with threads; the user is changed
here because an unprivileged user can't read an interpreter in root's home.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import sys

__all__: list[str] = []

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Change the user, set the parent-death signal, then execute the command."""
    stop_signal, parent, user, *command = sys.argv[1:]
    if user:
        account = pwd.getpwnam(user)
        os.setgroups([])
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)
    if sys.platform == "linux":  # after the change of user, which would reset it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(stop_signal))
        if os.getppid() != int(parent):  # the parent died before prctl
            sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 - the purpose of this module


if __name__ == "__main__":
    main()
