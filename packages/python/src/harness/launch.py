"""
Starts a worker: `launch.py <sandbox> <options as JSON>`.

Gives up what the service has and a worker must not: descriptors, root's rights. Then becomes the worker itself, or for
bubblewrap the `bwrap` that runs it in a file system of its own.
"""
import json
import os
import resource
import sys

# The range that systemd gives to services without a user of their own: nobody owns anything under these.
_FIRST_UID, _UIDS = 61184, 4336
_CHANNEL = 3
_HARNESS = "/pawl"


def main():
    kind, options = sys.argv[1], json.loads(sys.argv[2])
    os.closerange(_CHANNEL + 1, _descriptor_limit())
    os.umask(0o077)
    sources = _read_sources(options["sdk"])
    proc_fd = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY) if sys.platform == "linux" else None
    folder = options.get("folder")
    if folder is not None:
        folder = os.path.join(folder, str(os.getpid()))
        os.mkdir(folder, 0o700)
    if kind != "none" and os.getuid() == 0:
        # The kernel counts no processes of root against a limit.
        uid = _FIRST_UID + os.getpid() % _UIDS
        if folder is not None:
            os.chown(folder, uid, uid)
        os.setgroups([])
        os.setresgid(uid, uid, uid)
        os.setresuid(uid, uid, uid)
    if kind == "bubblewrap":
        _become_bubblewrap(options, sources, proc_fd)
    sys.path.insert(0, os.path.dirname(os.path.abspath(options["sdk"])))
    sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    _run_worker(kind, proc_fd, folder)


def _run_worker(kind, proc_fd, folder):
    from harness import worker

    worker.main(kind, proc_fd, folder)


def _descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    return 1 << 20 if hard == resource.RLIM_INFINITY else min(hard, 1 << 20)


def _read_sources(sdk):
    """The harness, read while this process may still read all that the service may."""
    folder = os.path.dirname(os.path.abspath(__file__))
    paths = {"pawl_worker.py": sdk}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".py"):
            paths["harness/" + name] = os.path.join(folder, name)
    sources = {}
    for name, path in paths.items():
        with open(path, "rb") as file:
            sources[name] = file.read()
    return sources


def _become_bubblewrap(options, sources, proc_fd):
    arguments = [
        options["bwrap"], "--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts",
        "--unshare-cgroup-try", "--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1",
        "--cap-drop", "ALL", "--clearenv", "--setenv", "PATH", "/usr/bin:/bin", "--setenv", "PAWL_CHANNEL", "fd3",
        "--ro-bind", "/usr", "/usr",
    ]
    for path in ("/bin", "/lib", "/lib64", "/lib32"):
        if os.path.islink(path):
            arguments += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            arguments += ["--ro-bind", path, path]
    for prefix in sorted({sys.base_prefix, sys.base_exec_prefix}):
        if not prefix.startswith("/usr"):
            arguments += ["--ro-bind", prefix, prefix]
    arguments += ["--dev", "/dev", "--remount-ro", "/dev", "--tmpfs", "/tmp"]
    kept = [proc_fd]
    for name, source in sources.items():
        fd = os.memfd_create(name)
        os.write(fd, source)
        os.lseek(fd, 0, os.SEEK_SET)
        kept.append(fd)
        arguments += ["--ro-bind-data", str(fd), "%s/%s" % (_HARNESS, name)]
    start = "import sys; sys.path.insert(0, %r); from harness import worker; worker.main('bubblewrap', %d, None)"
    arguments += ["--remount-ro", "/", "--chdir", "/tmp", "--", sys.executable, "-I", "-S", "-B", "-u", "-X", "utf8"]
    arguments += ["-c", start % (_HARNESS, proc_fd)]
    for fd in kept:
        os.set_inheritable(fd, True)
    os.execv(arguments[0], arguments)


if __name__ == "__main__":
    main()
