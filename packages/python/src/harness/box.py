"""
The inside of one run: two processes that share nothing but a socket.

The **grader** is built first. Where there are namespaces it is process 1 of its own, which no signal from inside can
reach. It forks the **program** process before anything of the request is known, so that the tests, which the grader
gets later, are in no memory of the program's.
"""
import os
import resource
import signal
import socket

from harness import grader, kernel, program
from harness.link import Link

# Values between the program and the tests; what the worker sends may hold code, stdin and files.
MAX_VALUE_BYTES = 4 << 20
MAX_REQUEST_BYTES = 32 << 20

_TMP_OPTIONS = "size=16m,nr_inodes=2k,mode=700"
_SHM_OPTIONS = "size=4m,nr_inodes=64,mode=700"
# Of the grader, in bytes, on top of what the program may use.
_GRADER_MEMORY_BYTES = 512 << 20


_NAMESPACES = kernel.CLONE_NEWUSER | kernel.CLONE_NEWPID | kernel.CLONE_NEWNS | kernel.CLONE_NEWIPC


def fork(fds, settings):
    """Forks a box. `fds`: its control socket, stdin, stdout, stderr."""
    if settings.namespaces:
        pid = kernel.fork_into(_NAMESPACES)
    else:
        pid = os.fork()
    if pid != 0:
        return
    control = Link(fds[0], MAX_REQUEST_BYTES)
    try:
        _build(control, fds, settings)
    except BaseException as error:
        control.send({"fault": "%s: %s" % (type(error).__name__, error)})
    finally:
        os._exit(70)


def _build(link_to_worker, fds, settings):
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    # Where the processor is shared among sessions first, each run has one share, however many processes it starts.
    os.setsid()
    if settings.namespaces:
        _settle_in_namespaces(settings)
    if settings.linux and not settings.namespaces:
        kernel.die_with_parent(signal.SIGKILL)
        kernel.adopt_orphans()
    # Python's own handler would make even process 1 killable from inside.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.nice(5)
    link_to_worker.fd, stdin, stdout, stderr = _keep_only(fds)
    if settings.kind != "none":
        kernel.drop_privileges()
        kernel.filter_system_calls(settings.seccomp)
    ours, theirs = (end.detach() for end in socket.socketpair())
    pid = os.fork()
    if pid == 0:
        _become_program(theirs, (stdin, stdout, stderr), settings)
    for fd in (theirs, stdin, stdout, stderr):
        os.close(fd)
    if settings.linux:
        kernel.let_inspect(False)
        _set_limit(resource.RLIMIT_AS, _GRADER_MEMORY_BYTES)
    _set_limit(resource.RLIMIT_CORE, 0)
    grader.supervise(
        link_to_worker, Link(ours, MAX_REQUEST_BYTES), MAX_VALUE_BYTES, pid, settings
    )


def _become_program(link_fd, stdio, settings):
    for target, fd in enumerate(stdio):
        os.dup2(fd, target)
    os.dup2(link_fd, 3, inheritable=False)
    os.closerange(4, _highest_fd())
    if settings.linux:
        # The worker asks the kernel how much memory is the program's own.
        kernel.let_inspect(True)
        if not settings.namespaces:
            kernel.die_with_parent(signal.SIGKILL)
    program.run(Link(3, MAX_REQUEST_BYTES), MAX_VALUE_BYTES, settings)


def _settle_in_namespaces(settings):
    same = "%d %d 1"
    maps = (("setgroups", "deny"), ("uid_map", same % ((settings.uid,) * 2)), ("gid_map", same % ((settings.gid,) * 2)))
    for name, text in maps:
        fd = os.open("self/" + name, os.O_WRONLY, dir_fd=settings.proc_fd)
        os.write(fd, text.encode("ascii"))
        os.close(fd)
    kernel.mount_tmpfs("/tmp", _TMP_OPTIONS)
    kernel.mount_tmpfs("/dev/shm", _SHM_OPTIONS)
    os.chdir("/tmp")


def _keep_only(fds):
    """Closes all but `fds`, which get the lowest numbers above the standard ones; those are /dev/null."""
    high = [os.dup2(fd, _highest_fd() - 10 + index) for index, fd in enumerate(fds)]
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(nothing, fd)
    kept = [os.dup2(fd, 3 + index, inheritable=False) for index, fd in enumerate(high)]
    os.closerange(3 + len(kept), _highest_fd())
    return kept


def _highest_fd():
    return min(resource.getrlimit(resource.RLIMIT_NOFILE)[0], 1024)


def _set_limit(what, value):
    _soft, hard = resource.getrlimit(what)
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(what, (value, value))
