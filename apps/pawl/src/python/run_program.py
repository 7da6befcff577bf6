"""Tasks of a single-use worker that runs one submitted program, as `python3 main.py` would in an empty folder."""
import builtins
import os
import sys

from pawl_worker import Cancelled


def execute(input):
    """Runs `input["code"]` as `__main__` and gives its exit code. What it prints goes to stdout and stderr."""
    exit_code = _exit_code_of(_run_main, input["code"])
    _finish(_join_threads)
    _finish(_run_exit_functions)
    return {"exitCode": exit_code}


def _run_main(code):
    with open("main.py", "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(code)
    for name in ("PAWL_WORKER_ID", "PAWL_PARENT_PID"):
        os.environ.pop(name, None)
    main = type(sys)("__main__")
    main.__file__ = "main.py"
    main.__builtins__ = builtins
    sys.modules["__main__"] = main
    sys.argv = ["main.py"]
    # In place of the folder of this file. Absolute, because the program may change its working folder.
    sys.path[0] = os.getcwd()
    exec(compile(code, "main.py", "exec", dont_inherit=True), main.__dict__)


def _exit_code_of(run, code):
    try:
        run(code)
        return 0
    except Cancelled:
        raise
    except SystemExit as exit:
        return _requested_exit_code(exit.code)
    except BaseException as error:
        _print_exception(error)
        return 1


def _requested_exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    try:
        sys.stderr.write("%s\n" % (code,))
    except Exception:
        pass
    return 1


def _join_threads():
    threading = sys.modules.get("threading")
    if threading is not None:
        # Besides waiting for threads it ends those of executors, which would wait for work for ever.
        threading._shutdown()


def _run_exit_functions():
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()


def _finish(step):
    """A step of the interpreter's own end: what fails in it is printed and changes no exit code."""
    try:
        step()
    except Cancelled:
        raise
    except BaseException as error:
        _print_exception(error)


def _print_exception(error):
    _drop_own_frames(error)
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except Cancelled:
        raise
    except BaseException as hook_error:
        _drop_own_frames(hook_error)
        hook_error.__context__ = None
        _write("Error in sys.excepthook:\n")
        sys.__excepthook__(type(hook_error), hook_error, hook_error.__traceback__)
        _write("\nOriginal exception was:\n")
        sys.__excepthook__(type(error), error, error.__traceback__)
    if isinstance(error, EOFError):
        _write("A program has no input here: input() can't be answered.\n")


def _drop_own_frames(error):
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    error.__traceback__ = traceback


def _write(text):
    try:
        sys.stderr.write(text)
    except Exception:
        pass
