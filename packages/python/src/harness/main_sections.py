"""Leaves out the `if __name__ == "__main__":` sections that would wait for somebody to type."""
import ast


def compile_program(code, file, strip_interactive):
    """
    Compiles a submitted program. With `strip_interactive` a main section that reads input is left out: by syntax tree,
    so that every other line keeps its number. Raises SyntaxError (ValueError for a NUL) as `compile` does.
    """
    if not strip_interactive or "__main__" not in code or "input" not in code and "stdin" not in code:
        return compile(code, file, "exec", dont_inherit=True)
    tree = compile(code, file, "exec", ast.PyCF_ONLY_AST, dont_inherit=True)
    functions = {
        node.name: node
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    }
    tree.body = [
        kept
        for node in tree.body
        for kept in (node.orelse if _is_main_section(node) and _reads_input(node.body, functions) else [node])
    ]
    return compile(tree, file, "exec", dont_inherit=True)


def _is_main_section(node):
    if not isinstance(node, ast.If) or not isinstance(node.test, ast.Compare):
        return False
    test = node.test
    if len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        return False
    sides = (test.left, test.comparators[0])
    names = [side.id for side in sides if isinstance(side, ast.Name)]
    values = [side.value for side in sides if isinstance(side, ast.Constant)]
    return names == ["__name__"] and values == ["__main__"]


def _reads_input(statements, functions):
    """Whether they name `input` or `stdin`, themselves or in a function of the program that they name."""
    seen = set()
    waiting = list(statements)
    while waiting:
        for node in ast.walk(waiting.pop()):
            if isinstance(node, ast.Name):
                name = node.id
            elif isinstance(node, ast.Attribute):
                name = node.attr
            else:
                continue
            if name in ("input", "stdin"):
                return True
            if name in functions and name not in seen:
                seen.add(name)
                waiting.append(functions[name])
    return False
