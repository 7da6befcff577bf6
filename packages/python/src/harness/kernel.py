"""The Linux system calls that Python has no function for."""
import ctypes
import os
import signal
import struct

CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000

_MS_NOSUID, _MS_NODEV = 2, 4

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_CAPBSET_DROP = 1, 4, 24
_PR_SET_SECCOMP, _PR_SET_CHILD_SUBREAPER, _PR_SET_NO_NEW_PRIVS = 22, 36, 38
_SECCOMP_MODE_FILTER = 2
_LAST_CAPABILITY = 63

# Landlock's calls have the same numbers on every architecture.
_SYS_LANDLOCK_CREATE_RULESET, _SYS_LANDLOCK_ADD_RULE, _SYS_LANDLOCK_RESTRICT_SELF = 444, 445, 446
_LANDLOCK_RULE_PATH_BENEATH = 1
# All file rights of version 5, both TCP rights (version 4), both scopes (version 6: abstract sockets, signals).
_LANDLOCK_ALL_FILES, _LANDLOCK_ALL_TCP, _LANDLOCK_ALL_SCOPES = (1 << 16) - 1, 3, 3
# Execute, read a file, list a folder.
LANDLOCK_READ = 0b1101
# Everything but making devices (6, 11) and ioctl on them (15).
LANDLOCK_WRITE = _LANDLOCK_ALL_FILES & ~(1 << 6) & ~(1 << 11) & ~(1 << 15)
# What a rule for a single file may say: write, read, truncate.
LANDLOCK_DEVICE = 0b110 | 1 << 14

_libc = ctypes.CDLL(None, use_errno=True)
# Keeps the interpreter's lock during the call, so that a forked child finds it held by its one thread.
_locked_libc = ctypes.PyDLL(None, use_errno=True)
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}.get(os.uname().machine)


def _checked(result, what):
    if result < 0:
        error = ctypes.get_errno()
        raise OSError(error, "%s: %s" % (what, os.strerror(error)))
    return result


def _prctl(option, *values):
    words = [ctypes.c_ulong(value) for value in values] + [ctypes.c_ulong(0)] * (4 - len(values))
    _checked(_libc.prctl(option, *words), "prctl %d" % option)


def fork_into(namespaces):
    """
    As `os.fork`, with the child in new namespaces: process 1 of its own where a PID namespace is among them. `unshare`
    would take a fork more, for it puts only the next child into it. Call it from a process with a single thread.
    """
    return _checked(_locked_libc.syscall(_SYS_CLONE, namespaces | signal.SIGCHLD, 0, 0, 0, 0), "clone")


def mount_tmpfs(folder, options):
    flags = ctypes.c_ulong(_MS_NOSUID | _MS_NODEV)
    _checked(_libc.mount(b"tmpfs", folder.encode(), b"tmpfs", flags, options.encode("ascii")), "mount " + folder)


def die_with_parent(signal_number):
    _prctl(_PR_SET_PDEATHSIG, signal_number)


def adopt_orphans():
    """Whoever loses its parent below this process becomes a child of it."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def let_inspect(allowed):
    """Whether processes of the same user may look into this one through /proc, or attach to it."""
    _prctl(_PR_SET_DUMPABLE, int(allowed))


def drop_privileges():
    """No capability is left, and no program that is started can gain one."""
    zero = ctypes.c_ulong(0)
    for capability in range(_LAST_CAPABILITY + 1):
        # Fails beyond the last one of this kernel; or without the right to, and then there is nothing to drop.
        if _libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), zero, zero, zero) != 0:
            break
    header = struct.pack("=II", 0x20080522, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def filter_system_calls(program):
    """Installs a classic BPF program. Call `drop_privileges` before: the kernel wants no_new_privs."""
    code = ctypes.create_string_buffer(program, len(program))

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("code", ctypes.c_void_p)]

    described = Filter(len(program) // 8, ctypes.addressof(code))
    result = _libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_SECCOMP_MODE_FILTER), ctypes.byref(described), 0, 0)
    _checked(result, "seccomp")


def restrict_files(rules):
    """
    From here on this process reaches only the files below the paths of `rules`, pairs of a path and the rights there;
    no TCP; no signal to, and no abstract socket of, a process that is not restricted the same way.
    """
    handled = struct.pack("=QQQ", _LANDLOCK_ALL_FILES, _LANDLOCK_ALL_TCP, _LANDLOCK_ALL_SCOPES)
    size = ctypes.c_size_t(len(handled))
    ruleset = _checked(_libc.syscall(_SYS_LANDLOCK_CREATE_RULESET, handled, size, ctypes.c_uint(0)), "landlock")
    try:
        for path, rights in rules:
            try:
                fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
            except FileNotFoundError:
                continue
            try:
                rule = struct.pack("=Qi", rights, fd)
                call = (_SYS_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, rule, ctypes.c_uint(0))
                _checked(_libc.syscall(*call), "landlock rule for " + path)
            finally:
                os.close(fd)
        _checked(_libc.syscall(_SYS_LANDLOCK_RESTRICT_SELF, ruleset, ctypes.c_uint(0)), "landlock")
    finally:
        os.close(ruleset)
