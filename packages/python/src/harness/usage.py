"""What the processes of a box use, and how to end them, as /proc tells of them."""
import os
import signal
import time

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")
# As the sizes of /tmp in box.py.
_MAX_FILES, _MAX_FILES_BYTES = 2_048, 16 << 20


def usage_of_tree(proc_fd, pidfd, enough_bytes):
    """
    CPU time in milliseconds, memory in bytes, and the processes of a box: its first process and everything below it.
    Files that are mapped, such as the interpreter, don't count.

    Memory that several processes share would be counted for each; so if the simple sum is over `enough_bytes`, the
    kernel is asked for the exact shares, which takes longer.
    """
    pids = tree_below(proc_fd, _pid_behind(proc_fd, pidfd))
    cpu_ticks = 0
    for pid in pids:
        fields = read_text(proc_fd, pid + "/stat").rpartition(")")[2].split()
        if len(fields) > 14:
            # utime, stime, and those of children that were waited for
            cpu_ticks += sum(int(field) for field in fields[11:15])
    simple_bytes = [_sum_of(proc_fd, pid + "/status", ("RssAnon:", "RssShmem:")) for pid in pids]
    memory_bytes = sum(simple_bytes)
    if memory_bytes > enough_bytes:
        shares = [_sum_of(proc_fd, pid + "/smaps_rollup", ("Pss_Anon:", "Pss_Shmem:")) for pid in pids]
        # Nothing is said of a process that has hidden itself.
        memory_bytes = sum(share or simple for share, simple in zip(shares, simple_bytes))
    return cpu_ticks * 1000 // _TICKS_PER_S, memory_bytes, pids


def _sum_of(proc_fd, path, names):
    """The sum of some lines of a file like `status`, in bytes."""
    return sum(
        int(line.split()[1]) * 1024 for line in read_text(proc_fd, path).splitlines() if line.startswith(names)
    )


def _pid_behind(proc_fd, pidfd):
    """The process id as that /proc numbers it, which may be another than in the worker's own namespace."""
    for line in read_text(proc_fd, "self/fdinfo/%d" % pidfd).splitlines():
        if line.startswith("Pid:"):
            return line.split()[1]
    return "0"


def tree_below(proc_fd, root):
    """A process and all its descendants, as texts."""
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        try:
            fd = os.open(pid + "/task", os.O_RDONLY, dir_fd=proc_fd)
        except OSError:
            continue
        try:
            threads = os.listdir(fd)
        except OSError:
            threads = []
        finally:
            os.close(fd)
        for thread in threads:
            waiting += read_text(proc_fd, "%s/task/%s/children" % (pid, thread)).split()
    return found


def fits(folder):
    """Whether a folder holds no more than a run's own `/tmp` would, where it has one."""
    files, size = 0, 0
    for root, folders, names in os.walk(folder):
        files += len(folders) + len(names)
        for name in names:
            try:
                size += os.lstat(os.path.join(root, name)).st_size
            except OSError:
                pass
        if files > _MAX_FILES or size > _MAX_FILES_BYTES:
            return False
    return True


def kill_tree(proc_fd, root_pid, spared):
    """
    Kills everything below a process, where no namespace does it, except the trees of `spared`. Repeats until nothing
    is left: a process that forks meanwhile is met again below the one it is orphaned to.
    """
    root = str(root_pid)
    for _ in range(100):
        keep = {pid for each in spared if each is not None for pid in tree_below(proc_fd, str(each))}
        left = [pid for pid in tree_below(proc_fd, root) if pid != root and pid not in keep]
        alive = [pid for pid in left if read_text(proc_fd, pid + "/stat").rpartition(")")[2].split()[:1] not in ([], ["Z"])]
        if not alive:
            return
        for pid in alive:
            try:
                os.kill(int(pid), signal.SIGKILL)
            except OSError:
                pass
        time.sleep(0.001)


def read_text(proc_fd, path):
    """A small file of /proc as text; nothing if its process is gone."""
    try:
        fd = os.open(path, os.O_RDONLY, dir_fd=proc_fd)
    except OSError:
        return ""
    try:
        return os.read(fd, 65536).decode("latin-1")
    except OSError:
        return ""
    finally:
        os.close(fd)
