import sys


def add(input, _context=None):
    return input["a"] + input["b"]


if __name__ == "__main__":
    print(add({"a": int(sys.argv[1]), "b": int(sys.argv[2])}))
