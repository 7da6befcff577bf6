"""
A warm interpreter that forks one box after another.

It is forked from the worker before that has read a byte of any request, and never gets one: no box can find the code
or the tests of another run in the memory it inherits.
"""
import array
import gc
import os
import signal
import socket

from harness import box, kernel

# Imported once here instead of in every run: what beginners' programs and tests import most. Each costs every fork
# some time, so that rarer ones are better imported when they are needed.
_PRELOADED = (
    "abc bisect collections contextlib copy dataclasses datetime enum functools heapq io itertools json math operator "
    "random re string threading time traceback typing unittest"
).split()


def serve(orders, settings):
    """Builds a box for every order: one byte with the four descriptors of the box. Ends with the worker."""
    if settings.linux:
        kernel.die_with_parent(signal.SIGKILL)
        kernel.adopt_orphans()
    # The kernel reaps; what a box leaves behind is adopted by this process.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for name in _PRELOADED:
        __import__(name)
    gc.collect()
    # Reference counts would otherwise be the first thing that a fork copies page by page.
    gc.freeze()
    while True:
        fds = array.array("i")
        room = socket.CMSG_LEN(4 * fds.itemsize)
        try:
            data, ancillary, _flags, _address = orders.recvmsg(1, room)
        except InterruptedError:
            continue
        if not data:
            os._exit(0)
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                fds.frombytes(payload)
        box.fork(list(fds), settings)
        for fd in fds:
            os.close(fd)
