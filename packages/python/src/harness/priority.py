"""
Which program the processor serves first: one that has used little of it so far, so that short programs, which is what
most are, stay short while others compute.
"""
import os

from harness.usage import read_text

# From here on a program gives way, in milliseconds of processor time.
SHORT_CPU_MS = 100
# Of those that give way. A fresh process has 5, a fresh session 0.
_NICE, _SESSION_NICE = 15, 10


def give_way(proc_fd, pids):
    """
    Lets these processes, and so all that they start, give way to others. Call it again while they run: a kernel that
    shares the processor among sessions first (autogroup) takes no more than ten changes of one a second.
    """
    level = len(_ids(proc_fd, "self")) - 1
    for pid in pids:
        ids = _ids(proc_fd, pid)
        if level < len(ids):
            try:
                os.setpriority(os.PRIO_PROCESS, ids[level], _NICE)
            except OSError:
                # It ended.
                pass
    _set_session(proc_fd, pids, _SESSION_NICE)


def let_die(proc_fd, pids):
    """Takes back what can be taken back without rights: what is killed needs the processor once more, to end."""
    _set_session(proc_fd, pids, 0)


def _ids(proc_fd, pid):
    """What a process is called, from that /proc's namespace down to its own. None once it has ended."""
    for line in read_text(proc_fd, pid + "/status").splitlines():
        if line.startswith("NSpid:"):
            return [int(each) for each in line.split()[1:]]
    return []


def _set_session(proc_fd, pids, nice):
    """A process's own niceness counts within its session; among sessions, that of the session, which they share here."""
    for pid in pids:
        told = read_text(proc_fd, pid + "/autogroup")
        if told == "":
            continue
        if told.endswith(" nice %d\n" % nice):
            return
        try:
            fd = os.open(pid + "/autogroup", os.O_WRONLY, dir_fd=proc_fd)
        except OSError:
            # The grader's own is hidden.
            continue
        try:
            os.write(fd, b"%d" % nice)
            return
        except OSError:
            # It is not its turn yet.
            return
        finally:
            os.close(fd)
