import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { ExecutionResult } from '../execution-result.ts';
import type { ExecutionRequest } from '../execution-request.ts';
import type { SandboxCheck } from './sandbox.ts';

/**
 * Tries to get out of a sandbox, in every way that one check needs, by a program that is run in it.
 * @param execute runs a program in the sandbox that is probed
 * @param folder where to put a file that it must not be able to read
 */
export async function probeSandbox(
  execute: (request: ExecutionRequest) => Promise<ExecutionResult>,
  folder: string,
): Promise<readonly SandboxCheck[]> {
  const canary = createServer((socket) => void socket.destroy());
  await new Promise<void>((resolve) => canary.listen(0, '127.0.0.1', resolve));
  const file = join(folder, 'canary');
  await writeFile(file, 'canary', { mode: 0o644 });
  try {
    const address = canary.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const known = `PORT, HOST_PID, CANARY = ${port}, ${process.pid}, ${JSON.stringify(file)}`;
    const [escapes, memory] = await Promise.all([
      execute({ code: `${known}\n${ESCAPES}`, limits: { wallMs: 10_000 } }),
      execute({ code: MEMORY_BOMB, limits: { wallMs: 10_000, memoryBytes: 96 * 1024 * 1024 } }),
    ]);
    return [...readChecks(escapes), memoryCheck(memory)];
  } finally {
    await new Promise((resolve) => void canary.close(resolve));
  }
}

function readChecks(result: ExecutionResult): readonly SandboxCheck[] {
  const properties = ['network', 'files', 'processes', 'environment', 'kernel'] as const;
  let told: Partial<Record<string, unknown>> = {};
  try {
    told = JSON.parse(result.output) as typeof told;
  } catch {
    // Then nothing was shown to be contained.
  }
  return properties.map((property) => {
    const ways = told[property];
    if (!Array.isArray(ways)) {
      return {
        property,
        contained: false,
        detail: `The probe told nothing: ${result.errors ?? result.output}`,
      };
    }
    const contained = ways.length === 0;
    return { property, contained, detail: contained ? CONTAINED[property] : `It could ${ways.join(', ')}.` };
  });
}

const CONTAINED = {
  network: 'It could open no socket, nor reach this machine.',
  files: 'It could read no file of this machine, nor write outside its own folder.',
  processes: 'It could see, signal and trace no other process, and not start more than its limit.',
  environment: 'It saw no variable and no descriptor of this service.',
  kernel: 'It could make no namespace, mount nothing, keep no keyring, and use no memory outside its limit.',
} as const;

function memoryCheck({ status, output }: ExecutionResult): SandboxCheck {
  const contained = status === 'memory-limit' && !output.includes('allocated');
  const detail = contained
    ? 'It was ended when it used more memory than its limit.'
    : `It was not kept to its memory: ${status} ${output}`;
  return { property: 'memory', contained, detail };
}

const MEMORY_BOMB = `
blocks = [b"x" * (8 << 20) for _ in range(40)]
print("allocated", len(blocks))
`;

/** Prints for each property the ways out that were found. */
const ESCAPES = String.raw`
import ctypes, errno, json, os, socket, sys

libc = ctypes.CDLL(None, use_errno=True)
found = {"network": [], "files": [], "processes": [], "environment": [], "kernel": []}

def attempt(name, what, fn):
    try:
        if fn() is not False:
            found[name].append(what)
    except (OSError, ValueError, AttributeError):
        pass

def connect():
    with socket.socket() as client:
        client.settimeout(1)
        client.connect(("127.0.0.1", PORT))

attempt("network", "connect to this machine", connect)
for family in ("AF_INET", "AF_INET6", "AF_NETLINK", "AF_VSOCK", "AF_PACKET"):
    number = getattr(socket, family, None)
    if number is not None:
        attempt("network", "open a socket of " + family, lambda: socket.socket(number, socket.SOCK_DGRAM).close())

for path in (CANARY, "/etc/passwd", "/etc/hostname", "/proc/1/environ", "/proc/self/mem", "/sys/kernel", "/var/log"):
    attempt("files", "read " + path, lambda: os.listdir(path) != [] if os.path.isdir(path) else bool(open(path, "rb").read(1)))
for folder in ("/", "/usr", "/usr/lib", "/etc", "/dev", "/var/tmp", "/proc", "/run"):
    def write():
        with open(os.path.join(folder, "pawl-probe"), "w") as file:
            file.write("x")
        os.unlink(os.path.join(folder, "pawl-probe"))
    attempt("files", "write to " + folder, write)

attempt("processes", "signal the service", lambda: os.kill(HOST_PID, 0))
attempt("processes", "signal its parent", lambda: os.kill(os.getppid(), 19) if os.getppid() not in (0, 1) else False)
attempt("processes", "see processes", lambda: any(name.isdigit() for name in os.listdir("/proc")))
attempt("processes", "trace its parent", lambda: libc.ptrace(0x4206, os.getppid(), 0, 0) == 0)

def fork_beyond_limit():
    import resource, signal
    limit = resource.getrlimit(resource.RLIMIT_NPROC)[0]
    if limit == resource.RLIM_INFINITY or limit > 4096:
        return True
    children = []
    try:
        for _ in range(limit + 1):
            pid = os.fork()
            if pid == 0:
                signal.pause()
            children.append(pid)
        return True
    except OSError:
        return False
    finally:
        for pid in children:
            os.kill(pid, 9)
            os.waitpid(pid, 0)

attempt("processes", "start processes beyond its limit", fork_beyond_limit)

allowed = {"PATH", "HOME", "TMPDIR", "LANG", "LC_CTYPE", "__CF_USER_TEXT_ENCODING"}
found["environment"] += ["see the variable " + name for name in sorted(set(os.environ) - allowed)]
for fd in range(4, 64):
    attempt("environment", "use descriptor %d" % fd, lambda: os.fstat(fd))

def call(*args):
    ctypes.set_errno(0)
    return libc.syscall(*args) >= 0

x86 = os.uname().machine == "x86_64"
attempt("kernel", "make a user namespace", lambda: call(272 if x86 else 97, 0x10000000))
attempt("kernel", "mount a file system", lambda: libc.mount(b"tmpfs", b"/tmp", b"tmpfs", 0, None) == 0)
attempt("kernel", "use a keyring", lambda: call(248 if x86 else 217, b"user", b"pawl-probe", b"x", 1, ctypes.c_int(-4)))
attempt("kernel", "make memory that no limit counts", lambda: call(29 if x86 else 194, 0, 4096, 0o1600))
attempt("kernel", "make files without a file system", lambda: os.close(os.memfd_create("pawl-probe")))
print(json.dumps(found))
`;
