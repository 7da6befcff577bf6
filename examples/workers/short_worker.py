import json, os, sys, traceback

channel = os.fdopen(3 if os.environ.get("PAWL_CHANNEL") == "fd3" else os.dup(1), "wb")
os.dup2(2, 1)  # whatever prints from here on goes to stderr: stdout may be the channel
limit = 2**26

def divide(input, progress):
    progress(0.5)
    return input["a"] / input["b"]

TASKS = {"divide": divide, "echo": lambda input, progress: input}

def send(**message):
    frame = json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False).encode() + b"\n"
    if len(frame) > limit + 1:
        raise ValueError(f"{len(frame) - 1} bytes are over the limit of {limit}")
    channel.write(frame)
    channel.flush()

def refuse(id, code, message, **data):
    send(id=id, error={"code": code, "message": message[:2000], **data})

def run(id, task, input):
    code = -32000  # the task failed
    try:
        result = TASKS[task](input, lambda value: send(method="progress", params={"id": id, "value": value}))
        code = -32005  # the result can't be sent
        send(id=id, result=result)
    except Exception as error:
        refuse(id, code, str(error), data={"name": type(error).__name__, "stack": traceback.format_exc()[-8000:]})

send(method="hello", params={
    "protocol": {"min": 1, "max": 1}, "name": "divider", "language": "python", "version": "1.0.0",
    "pid": os.getpid(), "tasks": list(TASKS), "features": ["progress"]})

for line in sys.stdin.buffer:  # ends when the host is gone
    try:
        message = json.loads(line) if len(line) <= limit + 1 and line.endswith(b"\n") else None
    except (ValueError, RecursionError):
        continue
    if not isinstance(message, dict) or message.get("jsonrpc") != "2.0":
        continue
    id, method, params = message.get("id"), message.get("method"), message.get("params") or {}
    if method == "welcome":
        limit = params["maxMessageBytes"]
    elif method in ("shutdown", "refuse"):
        sys.exit(params.get("reason"))  # a reason goes to stderr, with exit code 1
    elif type(id) is not int or not isinstance(method, str):
        continue  # a notification of a later version, or cancel, which comes too late here
    elif method == "ping":
        send(id=id, result={"pid": os.getpid()})
    elif method != "run":
        refuse(id, -32601, f"There is no method {method} here.")
    elif type(params) is not dict or type(params.get("task")) is not str:
        refuse(id, -32602, "A run needs a task.")
    elif params["task"] not in TASKS:
        refuse(id, -32003, f"No task {params['task']}. There are: {', '.join(TASKS)}.")
    else:
        run(id, params["task"], params.get("input"))
