"""A Pawl worker in plain Python: no SDK, only docs/protocol.md. The tests check it with `pawl-conformance`."""
import json, os, sys, threading, time, traceback

if os.environ.get("PAWL_CHANNEL") == "fd3":
    channel = os.fdopen(3, "wb")
else:  # Frames keep stdout; whatever prints from here on goes to stderr.
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

def divide(input, progress):
    progress(value=0.5)
    return input["a"] / input["b"]

def fail(input, progress):
    raise ValueError(input["message"] * input.get("repeat", 1))

TASKS = {
    "divide": divide,
    "echo": lambda input, progress: input,
    "fail": fail,
    "sleep": lambda input, progress: time.sleep(input["ms"] / 1000),
}
runs, writing, limit, draining = {}, threading.Lock(), 67108864, False

def send(**message):
    frame = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False).encode() + b"\n"
    if len(frame) > limit + 1:
        raise ValueError(f"{len(frame) - 1} bytes are over the limit of {limit}")
    with writing:
        channel.write(frame)
        channel.flush()

def refuse(id, code, message, **data):
    send(id=id, error={"code": code, "message": message[:2000], **data})

def run(id, task, input):
    try:
        result = TASKS[task](input, lambda **fields: send(method="progress", params={"id": id, **fields}))
        try:
            send(id=id, result=result)
        except (TypeError, ValueError, RecursionError) as error:
            refuse(id, -32005, f"The result can't be sent: {error}")
    except BaseException as error:
        stack = traceback.format_exc()[-8000:]
        refuse(id, -32000, str(error), data={"name": type(error).__name__, "stack": stack})
    del runs[id]

def drain():
    for thread in list(runs.values()):
        thread.join()
    os._exit(0)

def watch(parent):
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)

threading.Thread(target=watch, args=(os.getppid(),), daemon=True).start()
send(method="hello", params={
    "protocol": {"min": 1, "max": 1}, "name": "plain", "language": "python", "version": "1.0.0",
    "pid": os.getpid(), "tasks": list(TASKS), "features": ["progress", "concurrent"]})

for line in sys.stdin.buffer:  # Tasks run on threads, so this answers pings and notices the end of file meanwhile.
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):  # Blank, or malformed: it costs itself.
        continue
    if len(line) > limit + 1 or line[-1:] != b"\n" or type(message) is not dict or message.get("jsonrpc") != "2.0":
        continue
    id, method, params = message.get("id"), message.get("method"), message.get("params")
    params = params if type(params) is dict else {}
    task = params.get("task")
    if method == "welcome":
        limit = params["maxMessageBytes"]
    elif method == "refuse":
        sys.exit(f"The host refused this worker: {params.get('reason')}")
    elif method == "shutdown":
        draining = True
        threading.Thread(target=drain, daemon=True).start()
    elif type(id) is not int or type(method) is not str:
        continue  # An answer, or a notification that a later version added.
    elif method == "ping":
        send(id=id, result={"pid": os.getpid(), "runsActive": len(runs)})
    elif method != "run":
        refuse(id, -32601, f"There is no method {method} here. There are: run, ping.")
    elif type(task) is not str:
        refuse(id, -32602, "A run needs `task` to be a string.")
    elif task not in TASKS:
        refuse(id, -32003, f"There is no task {task} here. There are: {', '.join(TASKS)}.")
    elif id in runs:
        refuse(id, -32600, f"Request {id} is open already.")
    elif draining:
        refuse(id, -32006, "This worker is draining.")
    else:
        runs[id] = threading.Thread(target=run, args=(id, task, params.get("input")), daemon=True)
        runs[id].start()
os._exit(0)  # The host is gone, and with it the use of what still runs.
