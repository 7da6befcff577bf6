"""Tasks of a single-use worker that runs one submitted program, as `python3 main.py` would in an empty folder."""
import sys


def execute(input):
    """Runs `input["code"]` as `__main__` and gives its exit code. What it prints goes to stdout and stderr."""
    with open("main.py", "w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        file.write(input["code"])
    try:
        _run_main(input["code"])
        _end_like_an_interpreter()
    except SystemExit as exit:
        return {"exitCode": _exit_code(exit.code)}
    except Exception as error:
        _print_exception(error)
        return {"exitCode": 1}
    return {"exitCode": 0}


def _run_main(code):
    main = type(sys)("__main__")
    main.__file__ = "main.py"
    main.__builtins__ = __builtins__
    sys.modules["__main__"] = main
    sys.argv = ["main.py"]
    sys.path.insert(0, "")
    exec(compile(code, "main.py", "exec", dont_inherit=True), main.__dict__)


def _end_like_an_interpreter():
    """An interpreter waits for threads, then runs the exit functions."""
    threading = sys.modules.get("threading")
    if threading is not None:
        for thread in threading.enumerate():
            if thread is not threading.main_thread() and not thread.daemon:
                thread.join()
    atexit = sys.modules.get("atexit")
    if atexit is not None:
        atexit._run_exitfuncs()


def _exit_code(code):
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    print(code, file=sys.stderr)
    return 1


def _print_exception(error):
    traceback = error.__traceback__
    # The frames of this file are not the program's.
    while traceback is not None and traceback.tb_frame.f_code.co_filename == __file__:
        traceback = traceback.tb_next
    error.__traceback__ = traceback
    sys.excepthook(type(error), error, traceback)
