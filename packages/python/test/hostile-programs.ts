import type { ExecutionStatus } from '../src/index.ts';

/** A program that tries to do harm. Whatever gets out of the sandbox it reports as `OUT: …`. */
export interface HostileProgram {
  readonly title: string;
  readonly code: string;
  /** How it may end. */
  readonly ends: readonly ExecutionStatus[];
  /** What it must have printed, also when it was ended. */
  readonly prints?: string;
  readonly stdin?: string;
}

/** Ways to end a program that would not end. */
const STOPPED: readonly ExecutionStatus[] = ['timeout', 'cpu-limit'];
const ANY_END: readonly ExecutionStatus[] = [
  'ok',
  'failed',
  'killed',
  'process-limit',
  'memory-limit',
  ...STOPPED,
];

/** The attempts of one program, each of which should fail with an OSError. */
function attempts(setUp: string, tries: Readonly<Record<string, string>>): string {
  const functions = Object.entries(tries).map(
    ([name, body]) => `attempt(${JSON.stringify(name)}, lambda: ${body})`,
  );
  return `${ATTEMPT}${setUp}\n${functions.join('\n')}\nprint("tried")`;
}

const ATTEMPT = `import ctypes, os, socket, sys
libc = ctypes.CDLL(None, use_errno=True)
x86 = os.uname().machine == "x86_64"
def call(number, *args):
    ctypes.set_errno(0)
    return libc.syscall(number[0] if x86 else number[1], *args) >= 0
def attempt(name, fn):
    try:
        result = fn()
    except (OSError, ValueError, OverflowError, AttributeError, ImportError):
        return
    if result is not False:
        print("OUT:", name, repr(result)[:80])
`;

export const RESOURCE_PROGRAMS: readonly HostileProgram[] = [
  {
    title: 'forks without end',
    code: 'import os\nwhile True:\n    try: os.fork()\n    except OSError: pass',
    ends: ['timeout', 'cpu-limit', 'process-limit', 'killed', 'failed'],
  },
  {
    title: 'forks until it is refused',
    code: 'import os, time\nfor n in range(500):\n    if os.fork() == 0: time.sleep(60)\nprint("OUT: forked", n)',
    ends: ['process-limit', 'timeout'],
  },
  {
    title: 'starts threads until it is refused',
    code: 'import threading, time\nfor n in range(500): threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\nprint("OUT: threads", n)',
    ends: ['process-limit', ...STOPPED],
  },
  {
    title: 'starts programs until it is refused',
    code: 'import subprocess, sys\nmany = [subprocess.Popen(["/bin/sleep", "60"]) for _ in range(300)]\nprint("OUT: programs")',
    ends: ['process-limit', ...STOPPED],
  },
  {
    title: 'fills its memory',
    code: 'blocks = []\nwhile True: blocks.append(bytearray(1 << 20))',
    ends: ['memory-limit', ...STOPPED],
  },
  {
    title: 'fills memory that is mapped',
    code: 'import mmap\nmaps = []\nfor n in range(100):\n    each = mmap.mmap(-1, 16 << 20)\n    each.write(b"x" * (16 << 20))\n    maps.append(each)\nprint("OUT: mapped")',
    ends: ['memory-limit', ...STOPPED],
  },
  {
    title: 'fills memory with many processes',
    code: 'import os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        block = b"x" * (60 << 20)\n        time.sleep(60)\ntime.sleep(60)',
    ends: ['memory-limit', ...STOPPED],
  },
  {
    title: 'fills memory that its processes share',
    code: 'import mmap, os, time\nfor _ in range(12):\n    if os.fork() == 0:\n        each = mmap.mmap(-1, 60 << 20)\n        each.write(b"x" * (60 << 20))\n        time.sleep(60)\ntime.sleep(60)',
    ends: ['memory-limit', ...STOPPED],
  },
  {
    title: 'unpacks far more than it was sent',
    code: 'import zlib\npacked = zlib.compress(bytes(100 << 20), 9)\nunpacked = [zlib.decompress(packed) for _ in range(20)]\nprint("OUT: unpacked")',
    ends: ['memory-limit', ...STOPPED],
  },
  {
    title: 'uses memory that no limit counts',
    code: attempts('', {
      'System V memory': 'call((29, 194), 0, 1 << 20, 0o1600)',
      'a message queue': 'call((68, 186), 0, 0o1600)',
      'a POSIX queue': 'call((240, 180), b"q", 0o102, 0o600, None)',
      'a file of memory': 'os.memfd_create("x")',
      'a secret file of memory': 'call((447, 447), 0)',
    }),
    ends: ['ok'],
    prints: 'tried',
  },
  { title: 'spins', code: 'while True: pass', ends: STOPPED },
  {
    title: 'spins where no signal handler runs',
    code: 'import re\nre.match("(a+)+$", "a" * 64 + "b")',
    ends: STOPPED,
  },
  {
    title: 'computes with huge numbers',
    code: 'x = 7 ** 7 ** 8\nprint(len(str(x * x)))',
    ends: [...STOPPED, 'memory-limit', 'failed'],
  },
  {
    title: 'spins in many processes',
    code: 'import os\nfor _ in range(3): os.fork()\nwhile True: pass',
    ends: STOPPED,
  },
  {
    title: 'sleeps',
    code: 'import time\nprint("before")\ntime.sleep(1e6)',
    ends: ['timeout'],
    prints: 'before',
  },
  {
    title: 'ignores and blocks every signal',
    code: 'import signal, time\nfor each in range(1, 65):\n    try: signal.signal(each, signal.SIG_IGN)\n    except (OSError, ValueError): pass\nsignal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))\nwhile True:\n    try: time.sleep(1)\n    except BaseException: pass',
    ends: STOPPED,
  },
  {
    title: 'recurses without end',
    code: 'import sys\nsys.setrecursionlimit(10 ** 9)\ndef down(n): return down(n + 1) + 1\ndown(0)',
    ends: ['killed', 'memory-limit', 'failed', ...STOPPED],
  },
  {
    title: 'opens files until it is refused',
    code: 'import os\nwhile True: os.dup(1)',
    ends: ['open-file-limit', ...STOPPED],
  },
  {
    title: 'writes a long file',
    code: 'with open("long", "wb") as file:\n    while True: file.write(bytes(1 << 20))',
    ends: ['file-size-limit'],
  },
  {
    title: 'writes many files',
    code: 'import time\nfor n in range(3000):\n    with open(f"file{n}", "wb") as file: file.write(bytes(1 << 16))\ntime.sleep(60)',
    ends: ['file-size-limit', ...STOPPED],
  },
  {
    title: 'makes a long file of nothing',
    code: 'with open("sparse", "wb") as file: file.truncate(1 << 40)',
    ends: ['file-size-limit'],
  },
  {
    title: 'keeps a thread that never ends',
    code: 'import threading, time\nthreading.Thread(target=time.sleep, args=(1e6,)).start()\nprint("main ends")',
    ends: ['timeout'],
    prints: 'main ends',
  },
];

export const OUTPUT_PROGRAMS: readonly HostileProgram[] = [
  { title: 'prints without end', code: 'while True: print("y" * 100)', ends: ['output-limit'] },
  {
    title: 'prints errors without end',
    code: 'import sys\nwhile True: sys.stderr.write("e" * 1000)',
    ends: ['output-limit'],
  },
  { title: 'prints all at once', code: 'import os\nos.write(1, b"z" * (64 << 20))', ends: ['output-limit'] },
  {
    title: 'prints too much and ends',
    code: 'for n in range(200_000): print("line", n)',
    ends: ['output-limit'],
  },
  {
    title: 'prints what is no UTF-8',
    code: 'import os\nos.write(1, b"a\\xff\\xfe b\\xc3")',
    ends: ['ok'],
    prints: 'a',
  },
  {
    title: 'prints control characters',
    code: 'print("a\\0b\\x1b[31mred\\x07\\u2028z")',
    ends: ['ok'],
    prints: 'red',
  },
  {
    title: 'closes its stdout',
    code: 'import os\nprint("one")\nos.close(1)\nos.close(2)',
    ends: ['ok'],
    prints: 'one',
  },
  {
    title: 'leaves a line open and hangs',
    code: 'print("half a line", end="")\nwhile True: pass',
    ends: STOPPED,
    prints: 'half a line',
  },
  {
    title: 'prints half a character of its own',
    code: 'print("ok")\nprint("\\ud800")',
    ends: ['failed'],
    prints: 'ok',
  },
];

export const LIFE_PROGRAMS: readonly HostileProgram[] = [
  {
    title: 'leaves a daemon behind',
    code: 'import os, time\nif os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0:\n        for fd in range(3): os.close(fd)\n        while True: time.sleep(0.1)\n    os._exit(0)\nos.wait()\nprint("done")',
    ends: ['ok'],
    prints: 'done',
  },
  {
    title: 'leaves a program behind',
    code: 'import subprocess\nsubprocess.Popen(["/bin/sleep", "60"], start_new_session=True)\nprint("done")',
    ends: ['ok'],
    prints: 'done',
  },
  {
    title: 'leaves its process group and hangs',
    code: 'import os, time\nfor _ in range(3):\n    if os.fork() == 0: os.setsid()\nwhile True: time.sleep(1)',
    ends: ['timeout'],
  },
  {
    title: 'signals everybody',
    code: 'import os, signal\nfor pid in (os.getppid(), 1, *range(2, 3000), -1):\n    if pid in (os.getpid(), 0): continue\n    for each in (signal.SIGSTOP, signal.SIGTERM, signal.SIGKILL):\n        try: os.kill(pid, each)\n        except OSError: pass\nprint("done")',
    ends: ANY_END,
  },
  {
    title: 'becomes a shell',
    code: 'import os\nos.execv("/bin/sh", ["sh", "-c", "cat /etc/passwd /etc/shadow && echo OUT: read; echo shell"])',
    ends: ['ok'],
    prints: 'shell',
  },
  {
    title: 'hangs in an exit function',
    code: 'import atexit, time\natexit.register(time.sleep, 1e6)\nprint("end")',
    ends: ['timeout'],
    prints: 'end',
  },
  {
    title: 'hangs in a finaliser',
    code: 'class Endless:\n    def __del__(self):\n        while True: pass\nkept = Endless()\nprint("end")',
    ends: STOPPED,
    prints: 'end',
  },
  {
    title: 'crashes the interpreter',
    code: 'import ctypes\nprint("x")\nctypes.string_at(0)',
    ends: ['killed'],
    prints: 'x',
  },
  {
    title: 'exits with a text',
    code: 'import sys\nprint("x")\nsys.exit("why")',
    ends: ['failed'],
    prints: 'x',
  },
  {
    title: 'exits past everything',
    code: 'import os\nprint("flushed")\nos._exit(0)',
    ends: ['ok'],
    prints: 'flushed',
  },
  {
    title: 'never reads its input',
    code: 'print("not read")',
    ends: ['ok'],
    prints: 'not read',
    stdin: 'x'.repeat(3_000_000),
  },
  { title: 'asks where nobody answers', code: 'input("name? ")', ends: ['failed'] },
];

export const ISOLATION_PROGRAMS: readonly HostileProgram[] = [
  {
    title: 'reads files of the machine',
    code: attempts(
      '',
      Object.fromEntries(
        [
          '/etc/passwd',
          '/etc/shadow',
          '/etc/hostname',
          '/proc/1/environ',
          '/proc/self/mem',
          '/proc/cmdline',
          'CANARY_FILE',
        ].map((path) => [path, `open(${JSON.stringify(path)}, "rb").read(1)`]),
      ),
    ),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'lists folders of the machine',
    code: attempts(
      '',
      Object.fromEntries(
        ['/root', '/home', '/var/log', '/etc/ssl', '/sys', '/proc/self/fd', '/run/systemd'].map((path) => [
          path,
          `bool(os.listdir(${JSON.stringify(path)}))`,
        ]),
      ),
    ),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'writes outside its folder',
    code: attempts(
      '',
      Object.fromEntries(
        [
          '/',
          '/usr',
          '/usr/lib',
          '/usr/local',
          '/bin',
          '/etc',
          '/dev',
          '/var',
          '/var/tmp',
          '/run',
          '/home',
          '/root',
          '/proc',
          '/sys',
          '/pawl',
          '/pawl/harness',
        ].map((path) => [path, `open(${JSON.stringify(`${path}/pawl-hostile`)}, "w")`]),
      ),
    ),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'looks for secrets of the service',
    code: 'import gc, os\nfound = repr(dict(os.environ)) + repr([each for each in gc.get_objects() if isinstance(each, (dict, list)) and len(each) < 100])\nprint("OUT: secret" if "pawl-canary" + "-secret" in found else "none", sorted(os.environ))',
    ends: ['ok', 'failed'],
  },
  {
    title: 'opens sockets',
    code: attempts(
      'def to(family, address):\n    with socket.socket(family) as each:\n        each.settimeout(1)\n        each.connect(address)',
      {
        'this machine': 'to(socket.AF_INET, ("127.0.0.1", CANARY_PORT))',
        'this machine, by IPv6': 'to(socket.AF_INET6, ("::1", CANARY_PORT))',
        'somewhere else': 'to(socket.AF_INET, ("192.0.2.1", 53))',
        'an abstract name': 'to(socket.AF_UNIX, "\\0pawl-canary")',
        docker: 'to(socket.AF_UNIX, "/run/docker.sock")',
        'a datagram': 'socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", ("192.0.2.1", 9))',
        netlink: 'socket.socket(16, socket.SOCK_RAW)',
        'the host of a virtual machine': 'socket.socket(40, socket.SOCK_STREAM)',
        packets: 'socket.socket(17, socket.SOCK_RAW)',
      },
    ),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'makes namespaces and mounts',
    code: attempts('', {
      'a user namespace': 'call((272, 97), 0x10000000)',
      'a clone into one': 'call((56, 220), 0x10000011, 0, 0, 0, 0) or False',
      'a mount': 'libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0',
      'no mount': 'libc.umount2(b"/tmp", 2) == 0',
      'another root': 'libc.chroot(b"/tmp") == 0',
      'a tree': 'call((428, 428), -100, b"/", 1)',
      'a file system': 'call((430, 430), b"tmpfs", 0)',
      'joining one': 'call((308, 268), 0, 0)',
    }),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'looks into other processes',
    code: attempts(
      'parent = os.getppid()\nbuffer = ctypes.create_string_buffer(64)\npidfd = libc.syscall(434, parent, 0)',
      {
        attaching: 'libc.ptrace(16, parent, 0, 0) == 0',
        seizing: 'libc.ptrace(0x4206, parent, 0, 0) == 0',
        'reading memory': 'call((310, 270), parent, buffer, 1, buffer, 1, 0)',
        'writing memory': 'call((311, 271), parent, buffer, 1, buffer, 1, 0)',
        comparing: 'call((312, 272), parent, os.getpid(), 0, 0, 0)',
        'taking a descriptor': 'pidfd >= 0 and any(call((438, 438), pidfd, fd, 0) for fd in range(8))',
        'taking limits': 'call((302, 261), parent, 7, buffer, None) if parent else False',
        'memory by path': 'open("/proc/%d/mem" % parent, "rb")',
      },
    ),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'uses wide doors into the kernel',
    code: attempts('', {
      'a key': 'call((248, 217), b"user", b"pawl", b"x", 1, ctypes.c_int(-4))',
      'a keyring': 'call((250, 219), 0, ctypes.c_int(-4), 1)',
      bpf: 'call((321, 280), 0, None, 0)',
      perf: 'call((298, 241), None, 0, -1, -1, 0)',
      'page faults': 'call((323, 282), 0)',
      'a ring': 'call((425, 425), 8, None)',
      'the log': 'call((103, 116), 10, None, 0)',
      'the clock': '__import__("time").clock_settime(0, 0)',
      'the name': 'socket.sethostname("pawl")',
      'flushing all disks': 'call((306, 267), 1)',
      'another personality': 'call((135, 92), 0x0040000)',
      'a call of tomorrow': 'call((600, 600))',
    }),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'raises its own limits',
    code: `${ATTEMPT}import resource\nfor name in ("AS", "NPROC", "NOFILE", "FSIZE", "CPU", "CORE", "STACK", "MEMLOCK"):\n    what = getattr(resource, "RLIMIT_" + name)\n    if resource.getrlimit(what)[1] == resource.RLIM_INFINITY: print("OUT: unlimited", name)\n    attempt(name, lambda: resource.setrlimit(what, (resource.RLIM_INFINITY,) * 2))\nattempt("nice", lambda: os.nice(-20))\nattempt("real time", lambda: os.sched_setscheduler(0, 1, os.sched_param(50)))\nprint("tried")`,
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'starts programs with more rights',
    code: `${ATTEMPT}import subprocess\nfor words in (["/usr/bin/su", "-c", "id"], ["/usr/bin/sudo", "-n", "id"], ["/usr/bin/mount", "-t", "tmpfs", "x", "/tmp"], ["/usr/bin/unshare", "-Ur", "/usr/bin/id"], ["/usr/bin/bwrap", "--ro-bind", "/", "/", "/usr/bin/id"]):\n    attempt(words[0], lambda: subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True).returncode == 0 or False)\nprint("tried")`,
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'opens devices and terminals',
    code: attempts('import fcntl', {
      memory: 'os.open("/dev/mem", os.O_RDWR)',
      'virtual machines': 'os.open("/dev/kvm", os.O_RDWR)',
      'the log': 'os.open("/dev/kmsg", os.O_RDWR)',
      'a disk': 'os.open("/dev/vda", os.O_RDONLY) or os.open("/dev/sda", os.O_RDONLY)',
      'a new device': 'os.mknod("device", 0o60666, os.makedev(254, 0))',
      'typing at stdin': 'fcntl.ioctl(0, 0x5412, b"x")',
      'typing at stdout': 'fcntl.ioctl(1, 0x5412, b"x")',
    }),
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'uses inherited descriptors',
    code: attempts('', { descriptors: '[fd for fd in range(4, 256) if not os.set_blocking(fd, False)]' }),
    ends: ['ok'],
  },
  {
    title: 'plants links where the service might look',
    code: 'import os\nfor name in ("result.json", "stdout", "stderr", "main.pyc", "__pycache__", "meta"): os.symlink("/etc/passwd", name)\nos.remove("main.py")\nos.symlink("/proc/1/environ", "main.py")\nprint("planted")\nraise ValueError("to show a traceback")',
    ends: ['failed'],
    prints: 'planted',
  },
  {
    title: 'leaves something for the next program',
    code: 'import os\nfor folder in {"/tmp", "/dev/shm", "/var/tmp", "/run", os.getcwd(), os.environ["HOME"]}:\n    path = folder + "/.pawl-marker"\n    if os.path.exists(path): print("OUT: from an earlier program", path)\n    try: open(path, "w").close()\n    except OSError: pass\nprint("tried")',
    ends: ['ok'],
    prints: 'tried',
  },
  {
    title: 'imports packages of the machine',
    code: attempts('', {
      pip: '__import__("pip")',
      'the harness': '__import__("harness")',
      'the SDK': '__import__("pawl_worker")',
    }),
    ends: ['ok'],
    prints: 'tried',
  },
];

export const SOURCE_PROGRAMS: readonly HostileProgram[] = [
  { title: 'holds a NUL', code: 'print("a")\0', ends: ['failed'] },
  { title: 'names an odd encoding', code: '# -*- coding: utf-7 -*-\nprint("x")', ends: ['ok', 'failed'] },
  { title: 'is no Python', code: 'def f(:\n  pass', ends: ['failed'] },
  {
    title: 'is nested too deep',
    code: `x = ${'('.repeat(1_000)}${')'.repeat(1_000)}`,
    ends: ['failed', 'memory-limit', 'killed'],
  },
  { title: 'is a comment', code: '#', ends: ['ok'] },
  {
    title: 'was written on Windows',
    code: '\uFEFFif True:\r\n\tprint("ok")\r\n',
    ends: ['ok'],
    prints: 'ok',
  },
  { title: 'spins in a class body', code: 'class Endless:\n    while True: pass', ends: STOPPED },
  {
    title: 'replaces the exception hook',
    code: 'import sys\nsys.excepthook = lambda *_: print("hooked")\n1 / 0',
    ends: ['failed'],
    prints: 'hooked',
  },
];
