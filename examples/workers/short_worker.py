import json, os, sys, time, traceback

if os.environ.get("PAWL_CHANNEL") == "fd3":
    channel = os.fdopen(3, "wb")
else:  # frames keep stdout; whatever prints from here on goes to stderr
    channel = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code

def send(**message):
    channel.write(json.dumps({"jsonrpc": "2.0", **message}, allow_nan=False).encode() + b"\n")
    channel.flush()

def divide(input, progress):
    progress(0.5)
    return input["a"] / input["b"]

TASKS = {"divide": divide}
STARTED = time.monotonic()

def answer(id, method, params):
    if method == "ping":
        return {"pid": os.getpid(), "uptimeMs": round((time.monotonic() - STARTED) * 1000)}
    if method != "run":
        raise RpcError(-32601, f"There is no method {method} here.")
    if params["task"] not in TASKS:
        raise RpcError(-32003, f"No task {params['task']}. There are: {', '.join(TASKS)}.")
    progress = lambda value: send(method="progress", params={"id": id, "value": value})
    return TASKS[params["task"]](params["input"], progress)

send(method="hello", params={
    "protocol": {"min": 1, "max": 1}, "name": "divider", "language": "python", "version": "1.0.0",
    "pid": os.getpid(), "tasks": list(TASKS), "features": ["progress"]})

for line in sys.stdin.buffer:  # ends when the host is gone
    message = json.loads(line) if line.strip() else {}
    id, method = message.get("id"), message.get("method")
    if method in ("shutdown", "refuse"):
        break
    if id is None:
        continue  # welcome, cancel, and whatever a later version adds
    try:
        result = answer(id, method, message.get("params"))
        try:
            send(id=id, result=result)
        except (TypeError, ValueError) as error:
            raise RpcError(-32005, f"The result is not JSON: {error}")
    except RpcError as error:
        send(id=id, error={"code": error.code, "message": str(error)})
    except Exception as error:
        send(id=id, error={"code": -32000, "message": str(error), "data": {
            "name": type(error).__name__, "message": str(error), "stack": traceback.format_exc()}})
