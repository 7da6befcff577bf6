"""
The filter that stands between a submitted program and the kernel, as a classic BPF program.

Refused are the calls that reach out of a namespace or around a resource limit: debugging other processes, keyrings,
mounts and namespaces, kernel interfaces, memory that no limit counts (System V, message queues, memfd), host-wide
`sync`, every `socket`, and all calls newer than the list below knows.
"""
import errno
import os
import struct

# name: (x86_64, aarch64); None where the architecture has no such call.
_REFUSED = {
    # Other processes' memory, descriptors and registers
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "process_madvise": (440, 440), "process_mrelease": (448, 448),
    # Keyrings, which namespaces don't part
    "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    # Mounts and namespaces
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    # Wide doors into the kernel
    "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426), "io_uring_register": (427, 427),
    # The machine as a whole
    "create_module": (174, None), "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106),
    "kexec_load": (246, 104), "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224),
    "swapoff": (168, 225), "quotactl": (179, 60), "quotactl_fd": (443, 443), "acct": (163, 89), "syslog": (103, 116),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171),
    "sethostname": (170, 161), "setdomainname": (171, 162), "vhangup": (153, 58), "nfsservctl": (180, 42),
    "lookup_dcookie": (212, 18), "_sysctl": (156, None), "uselib": (134, None), "sync": (162, 81),
    "syncfs": (306, 267),
    # Files without a path
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "fanotify_init": (300, 262),
    "fanotify_mark": (301, 263),
    # Memory that RLIMIT_AS does not count, or that moves others' pages
    "shmget": (29, 194), "shmat": (30, 196), "shmctl": (31, 195), "shmdt": (67, 197), "semget": (64, 190),
    "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgsnd": (69, 189),
    "msgrcv": (70, 188), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "mbind": (237, 235), "set_mempolicy": (238, 237),
    "get_mempolicy": (239, 236), "migrate_pages": (256, 238), "move_pages": (279, 239),
    "set_mempolicy_home_node": (450, 450),
    # Odd modes of the processor
    "personality": (135, 92), "iopl": (172, None), "ioperm": (173, None), "modify_ldt": (154, None),
}
# Looked at with their arguments.
_CLONE, _CLONE3, _SOCKET, _IOCTL, _PRLIMIT = (56, 220), (435, 435), (41, 198), (16, 29), (302, 261)
_SETSID = (112, 157)
_LAST_KNOWN_CALL = 462
# CLONE_NEWNS, -CGROUP, -UTS, -IPC, -USER, -PID, -NET
_NEW_NAMESPACES = 0x7E020000
_TIOCSTI, _TIOCLINUX = 0x5412, 0x541C

_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}

# Instructions and offsets of linux/filter.h and struct seccomp_data.
_LOAD, _JUMP_EQUAL, _JUMP_GREATER, _JUMP_SET, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
_NUMBER, _ARCH, _ARG0, _ARG1 = 0, 4, 16, 24
_ALLOW, _KILL_PROCESS, _FAIL = 0x7FFF0000, 0x80000000, 0x00050000


def filter_program():
    """The filter for this machine, ready for `kernel.filter_system_calls`."""
    machine = os.uname().machine
    if machine not in _ARCHITECTURES:
        raise SystemExit("There is no system call filter for %s, only for %s." % (machine, " and ".join(_ARCHITECTURES)))
    column, arch = _ARCHITECTURES[machine]
    program = [
        (_LOAD, 0, 0, _ARCH),
        (_JUMP_EQUAL, 1, 0, arch),
        # 32-bit calls have other numbers.
        (_RETURN, 0, 0, _KILL_PROCESS),
        (_LOAD, 0, 0, _NUMBER),
        (_JUMP_GREATER, 0, 1, _LAST_KNOWN_CALL),
        (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
        # glibc falls back to clone, whose flags a filter can see.
        *_answer(_CLONE3[column], errno.ENOSYS),
        *_answer(_SOCKET[column], errno.EAFNOSUPPORT),
        # As if it were done: a kernel that shares the processor among sessions gives a box one share, not one for each.
        *_answer(_SETSID[column], 0),
        *_answer_if(_CLONE[column], _ARG0, _JUMP_SET, (_NEW_NAMESPACES,)),
        *_answer_if(_IOCTL[column], _ARG1, _JUMP_EQUAL, (_TIOCSTI, _TIOCLINUX)),
        *_answer_unless_zero(_PRLIMIT[column], _ARG0),
    ]
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            program += _answer(numbers[column], errno.EPERM)
    program.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(struct.pack("=HBBI", *instruction) for instruction in program)


def _answer(number, error):
    return [(_JUMP_EQUAL, 0, 1, number), (_RETURN, 0, 0, _FAIL | error)]


def _answer_if(number, argument, jump, values):
    """Refuses a call whose argument (its lower half, in which all these values lie) matches one of `values`."""
    checks = []
    for value in values:
        checks += [(jump, 0, 1, value), (_RETURN, 0, 0, _FAIL | errno.EPERM)]
    return [(_JUMP_EQUAL, 0, len(checks) + 2, number), (_LOAD, 0, 0, argument), *checks, (_LOAD, 0, 0, _NUMBER)]


def _answer_unless_zero(number, argument):
    refusal = [(_JUMP_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _FAIL | errno.EPERM)]
    return [(_JUMP_EQUAL, 0, len(refusal) + 2, number), (_LOAD, 0, 0, argument), *refusal, (_LOAD, 0, 0, _NUMBER)]
