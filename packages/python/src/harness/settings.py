"""How the boxes of one worker are built."""
import os
import sys

from harness import kernel, seccomp


class Settings:
    """`kind` is the sandbox: `bubblewrap`, `landlock` or `none`; `proc_fd` an open /proc, or None."""

    def __init__(self, kind, proc_fd):
        self.kind = kind
        self.proc_fd = proc_fd
        # Asked before there is a namespace in which nobody is mapped to anybody.
        self.uid, self.gid = os.getuid(), os.getgid()
        self.linux = sys.platform == "linux"
        # Each run in process, mount, user and IPC namespaces of its own, below the worker's.
        self.namespaces = kind == "bubblewrap"
        self.seccomp = None if kind == "none" else seccomp.filter_program()

    def landlock_rules(self, folder):
        readable = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", sys.base_prefix, sys.base_exec_prefix]
        devices = ["/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom"]
        rules = [(path, kernel.LANDLOCK_READ if os.path.isdir(path) else 0b100) for path in readable]
        return [*rules, *((path, kernel.LANDLOCK_DEVICE) for path in devices), (folder, kernel.LANDLOCK_WRITE)]

    def process_limit(self, processes):
        """RLIMIT_NPROC for a program that may have `processes` processes and threads, its own included."""
        if self.namespaces:
            # The grader counts too.
            return processes + 1
        # Without a namespace all that this user runs counts, the program that is waiting already among it.
        return processes + self._running() - 1

    def _running(self):
        if self.proc_fd is None:
            return 1
        count = 0
        for pid in os.listdir(self.proc_fd):
            if pid.isdigit():
                try:
                    if os.stat(pid, dir_fd=self.proc_fd).st_uid == self.uid:
                        count += _threads_of(self.proc_fd, pid)
                except OSError:
                    pass
        return count


def _threads_of(proc_fd, pid):
    fd = os.open(pid + "/task", os.O_RDONLY, dir_fd=proc_fd)
    try:
        return len(os.listdir(fd))
    finally:
        os.close(fd)
