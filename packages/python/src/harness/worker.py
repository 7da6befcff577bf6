"""The worker: takes requests from the runner, has each run in a box of its own, and says what became of it."""
import os
import shutil
import signal
import socket
import struct
import tempfile

from harness import fork_server, kernel
from harness.link import FrameReader
from harness.settings import Settings
from harness.usage import kill_tree
from harness.watch import Watch

_READY_TIMEOUT_S = 10.0


def main(kind, proc_fd, folder):
    settings = Settings(kind, proc_fd)
    if settings.linux:
        # Should the fork server be gone, what it had adopted comes here, and is known.
        kernel.adopt_orphans()
    server = _ForkServer(settings)

    import pawl_worker

    boxes = _Boxes(server, settings, folder)
    pawl_worker.serve({"execute": boxes.execute}, name="pawl-sandbox", interrupt=False, init=boxes.prepare)
    os._exit(0)


class _ForkServer:
    """The process that forks boxes; see fork_server.py."""

    def __init__(self, settings):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                ours.close()
                _keep_only(theirs, settings)
                fork_server.serve(theirs, settings)
            finally:
                os._exit(70)
        theirs.close()
        self._orders = ours

    def order(self, fds):
        """Asks for a box with these descriptors."""
        socket.send_fds(self._orders, [b"b"], fds)


def _keep_only(orders, settings):
    """Away with the worker's channel: no box may have it."""
    nothing = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1):
        os.dup2(nothing, fd)
    kept = {orders.fileno(), settings.proc_fd, 0, 1, 2}
    for fd in range(3, max(fd for fd in kept if fd is not None) + 64):
        if fd not in kept:
            try:
                os.close(fd)
            except OSError:
                pass


class Box:
    """One built box, and this process's ends of its streams."""

    def __init__(self, server, settings):
        self.control, control = socket.socketpair()
        stdin, self.stdin = os.pipe()
        self.stdout, stdout = os.pipe()
        self.stderr, stderr = os.pipe()
        if settings.linux:
            self.control.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        server.order([control.fileno(), stdin, stdout, stderr])
        control.close()
        for fd in (stdin, stdout, stderr):
            os.close(fd)
        self.pid = None
        self.pidfd = None

    def await_ready(self):
        """Waits until the box is built. Its process id comes from the kernel, as it is numbered here."""
        self.control.settimeout(_READY_TIMEOUT_S)
        data, ancillary, _flags, _address = self.control.recvmsg(65536, socket.CMSG_SPACE(12))
        (told,) = FrameReader(4096).feed(data) or [{}]
        if "ready" not in told:
            raise RuntimeError("The sandbox could not be built (%s)." % (told.get("fault", "its process ended"),))
        self.pid = told["ready"]
        for level, kind, payload in ancillary:
            if level == socket.SOL_SOCKET and kind == getattr(socket, "SCM_CREDENTIALS", None):
                self.pid = struct.unpack("3i", payload)[0]
        if hasattr(os, "pidfd_open"):
            self.pidfd = os.pidfd_open(self.pid)
        self.control.setblocking(False)

    def kill(self):
        try:
            if self.pidfd is not None:
                signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
            elif self.pid is not None:
                # Where there is no handle on a process: the session that the box made for itself.
                os.killpg(self.pid, signal.SIGKILL)
        except OSError:
            pass

    def close(self):
        self.control.close()
        for fd in (self.stdin, self.stdout, self.stderr, self.pidfd):
            if fd is not None:
                os.close(fd)
        self.stdin = self.stdout = self.stderr = self.pidfd = None


class _Boxes:
    """One box is always built ahead: the next request finds a warm interpreter waiting."""

    def __init__(self, server, settings, folder):
        self._server = server
        self._settings = settings
        self._folder = folder
        self._next = None

    def prepare(self):
        """Before the runner is told that this worker is ready: a sandbox that can't be built is a failed start."""
        try:
            self._next = Box(self._server, self._settings)
            self._next.await_ready()
        except Exception as error:
            raise SystemExit("The sandbox does not start: %s" % (error,))

    def execute(self, request, context):
        box, self._next = self._next, None
        folder = self._make_folder()
        try:
            if box.pid is None:
                box.await_ready()
            # Built while this one runs.
            self._next = Box(self._server, self._settings)
            return Watch(box, self._settings, request, folder, context).run()
        except Exception:
            # The state of the fork server is unknown now: a new worker does better than this one would.
            if self._next is None:
                os._exit(70)
            raise
        finally:
            box.kill()
            if not self._settings.namespaces and self._settings.proc_fd is not None:
                spared = [] if self._next is None else [self._next_pid()]
                kill_tree(self._settings.proc_fd, self._server.pid, spared)
            box.close()
            if folder != "/tmp":
                shutil.rmtree(folder, ignore_errors=True)

    def _next_pid(self):
        try:
            if self._next.pid is None:
                self._next.await_ready()
        except Exception:
            os._exit(70)
        return self._next.pid

    def _make_folder(self):
        if self._settings.namespaces:
            return "/tmp"
        return tempfile.mkdtemp(prefix="run-", dir=self._folder)
