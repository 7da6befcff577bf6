"""The process of the submitted program: runs it, then answers the calls of its tests."""
import binascii
import builtins
import errno
import gc
import io
import linecache
import os
import random
import resource
import sys
import threading
import traceback

from harness import answers, kernel, main_sections
from harness.link import LinkClosed

_MAX_MESSAGE_CHARACTERS = 2_000
_OWN_FOLDER = os.path.dirname(os.path.abspath(__file__))


def run(link, max_value_bytes, settings):
    """Waits for the request, runs it, and ends this process. Never returns."""
    try:
        request = link.receive()["start"]
        folder = request["folder"]
        os.chdir(folder)
        _confine(request["limits"], request["processLimit"], folder, settings)
        _forget_the_harness()
        _write_files(request["files"])
        os.environ.clear()
        os.environ.update(request["env"])
        random.seed()
    except LinkClosed:
        os._exit(0)
    except BaseException as error:
        _say("The program could not be started: %s\n" % (error,))
        os._exit(70)
    link.max_bytes = max_value_bytes
    if request["module"] is None:
        exit_code = _run_main(request, link)
    else:
        exit_code = _run_module(request, link)
    os._exit(exit_code)


def _run_main(request, link):
    main = _new_module("__main__", "main.py")
    exit_code, error = _execute(main, request["code"], request["stripInteractive"])
    exit_code = _finish(main, exit_code)
    _report(link, {"ended": error})
    return exit_code


def _run_module(request, link):
    """Imports the code under a name, then answers the tests until they let go of the link."""
    module = _new_module(request["module"], request["module"] + ".py")
    exit_code, error = _execute(module, request["code"], False)
    _report(link, {"loaded": {"error": error, "exitCode": exit_code}})
    if error is None:
        answers.serve(link, module)
    return exit_code


def _new_module(name, file):
    module = type(sys)(name)
    module.__file__ = file
    module.__builtins__ = builtins
    sys.modules[name] = module
    sys.argv = [file]
    return module


def _execute(module, code, strip_interactive):
    """Runs the code in the module's namespace. Returns its exit code, and what ended it if that was an exception."""
    file = module.__file__
    # Editors on Windows write one.
    code = code[1:] if code.startswith("\ufeff") else code
    linecache.cache[file] = (len(code), None, code.splitlines(True), file)
    try:
        # Where tracebacks that Python prints itself look for the lines.
        with open(file, "w", encoding="utf-8", errors="surrogatepass", newline="") as source:
            source.write(code)
    except OSError:
        pass
    try:
        exec(main_sections.compile_program(code, file, strip_interactive), module.__dict__)
        return 0, None
    except SystemExit as exit:
        return _requested_exit_code(exit.code), None
    except BaseException as error:
        _print_exception(error)
        return 1, _describe(error)


def _finish(main, exit_code):
    """What the interpreter does at its end, without tearing down every module: five times faster."""
    for step in (threading._shutdown, _run_exit_functions, main.__dict__.clear, gc.collect):
        try:
            step()
        except SystemExit as exit:
            exit_code = _requested_exit_code(exit.code)
        except BaseException as error:
            _print_exception(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    return exit_code


def _run_exit_functions():
    import atexit

    atexit._run_exitfuncs()


def _requested_exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    _say("%s\n" % (code,))
    return 1


def _confine(limits, process_limit, folder, settings):
    if settings.kind == "landlock":
        kernel.restrict_files(settings.landlock_rules(folder))
    wanted = (
        ("RLIMIT_NPROC", process_limit),
        ("RLIMIT_NOFILE", limits["openFiles"]),
        ("RLIMIT_FSIZE", limits["fileBytes"]),
        # The worker watches the time of all processes together; this is for one that it can't see.
        ("RLIMIT_CPU", -(-limits["cpuMs"] // 1000) + 1),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_STACK", 8 << 20),
        ("RLIMIT_MEMLOCK", 64 << 10),
        ("RLIMIT_AS", limits["memoryBytes"]),
    )
    for name, value in wanted:
        what = getattr(resource, name, None)
        if what is None:
            continue
        _soft, hard = resource.getrlimit(what)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        try:
            resource.setrlimit(what, (value, value))
        except (ValueError, OSError):
            # Some systems know the name and refuse the limit; only without a sandbox is that tolerable.
            if settings.kind != "none":
                raise


def _forget_the_harness():
    """The program's imports are its own and the standard library's."""
    own = os.path.dirname(_OWN_FOLDER)
    sys.path[:] = [os.getcwd()] + [path for path in sys.path if os.path.abspath(path) != own]
    for name in [name for name in sys.modules if name.split(".")[0] in ("harness", "pawl_worker")]:
        del sys.modules[name]
    sys.stdin = io.TextIOWrapper(io.BufferedReader(io.FileIO(0, closefd=False)), "utf-8", "surrogateescape")
    sys.__stdin__ = sys.stdin


def _write_files(files):
    for each in files:
        folder = os.path.dirname(each["path"])
        if folder:
            os.makedirs(folder, exist_ok=True)
        content = each["content"]
        decoded = binascii.a2b_base64(content) if each["encoding"] == "base64" else content.encode("utf-8", "surrogatepass")
        with open(each["path"], "wb") as file:
            file.write(decoded)


def _print_exception(error):
    _drop_own_frames(error)
    hook = sys.excepthook
    try:
        if hook is sys.__excepthook__:
            traceback.print_exception(type(error), error, error.__traceback__)
        else:
            hook(type(error), error, error.__traceback__)
    except BaseException as hook_error:
        _say("Error in sys.excepthook: %s\n" % (type(hook_error).__name__,))
        sys.__excepthook__(type(error), error, error.__traceback__)


def _drop_own_frames(error):
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        frames = error.__traceback__
        while frames is not None and frames.tb_frame.f_code.co_filename.startswith(_OWN_FOLDER):
            frames = frames.tb_next
        error.__traceback__ = frames
        error = error.__cause__ or error.__context__


def _describe(error):
    line = None
    frames = error.__traceback__
    while frames is not None:
        if frames.tb_frame.f_code.co_filename == sys.argv[0]:
            line = frames.tb_lineno
        frames = frames.tb_next
    if isinstance(error, SyntaxError) and line is None:
        line = error.lineno
    try:
        message = str(error)[:_MAX_MESSAGE_CHARACTERS]
    except Exception:
        message = ""
    number = error.errno if isinstance(error, OSError) else None
    return {
        "type": type(error).__name__,
        "message": message,
        "line": line if isinstance(line, int) else None,
        "errno": errno.errorcode.get(number) if isinstance(number, int) else None,
    }


def _report(link, message):
    try:
        link.send(message)
    except (LinkClosed, ValueError):
        pass


def _say(text):
    try:
        sys.stderr.write(text)
    except Exception:
        pass
