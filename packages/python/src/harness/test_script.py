"""Turns a test script into cases: by syntax tree, before it is run."""
import ast

_EQUAL, _CASE = "__pawl_equal__", "__pawl_case__"
_SHOWN_CHARACTERS = 120


def compile_tests(source):
    """
    Compiles a test script so that it calls `__pawl_case__(name)` as a context around each assertion at its top level,
    and `__pawl_equal__(left, right)` for each `assert left == right`. Returns the code, and whether it asserts anything
    at all. Raises SyntaxError, or ValueError for a NUL.
    """
    tree = compile(source, "tests.py", "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    asserts = any(_asserts(node) for node in tree.body)
    tree = _Comparisons().visit(tree)
    tree.body = _with_cases(tree.body, source)
    ast.fix_missing_locations(tree)
    return compile(tree, "tests.py", "exec", dont_inherit=True), asserts


class _Comparisons(ast.NodeTransformer):
    def visit_Assert(self, node):
        self.generic_visit(node)
        test = node.test
        if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
            called = ast.Call(ast.Name(_EQUAL, ast.Load()), [test.left, test.comparators[0]], [])
            node.test = ast.copy_location(called, test)
        return node


def _with_cases(statements, source):
    wrapped = []
    for node in statements:
        if isinstance(node, (ast.If, ast.For, ast.While)):
            node.body = _with_cases(node.body, source)
            node.orelse = _with_cases(node.orelse, source)
        elif isinstance(node, (ast.Assert, ast.Try, ast.With)) or _is_check(node):
            if _asserts(node):
                call = ast.Call(ast.Name(_CASE, ast.Load()), [ast.Constant(_name_of(node, source))], [])
                node = ast.copy_location(ast.With([ast.withitem(call)], [node]), node)
        wrapped.append(node)
    return wrapped


def _is_check(node):
    """`check(condition, message)` as a statement."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and _called_name(node.value) == "check"


def _called_name(call):
    return getattr(call.func, "id", None) or getattr(call.func, "attr", "")


def _asserts(tree):
    return any(
        isinstance(node, (ast.Assert, ast.Raise))
        or (isinstance(node, ast.Call) and _called_name(node).startswith(("check", "assert", "raises", "fail")))
        for node in ast.walk(tree)
    )


def _name_of(node, source):
    message = node.msg if isinstance(node, ast.Assert) else None
    if _is_check(node) and len(node.value.args) > 1:
        message = node.value.args[1]
    if isinstance(message, ast.Constant) and isinstance(message.value, str) and message.value:
        return message.value[:_SHOWN_CHARACTERS]
    shown = getattr(node, "test", None) or (node.value if isinstance(node, ast.Expr) else None)
    if isinstance(shown, ast.Call) and _called_name(shown) == _EQUAL:
        return " == ".join(_text_of(side, source) for side in shown.args)[:_SHOWN_CHARACTERS]
    text = _text_of(shown, source) if shown is not None else ""
    return text[:_SHOWN_CHARACTERS] if text and "\n" not in text else "line %d" % node.lineno


def _text_of(node, source):
    return ast.get_source_segment(source, node) or ""
