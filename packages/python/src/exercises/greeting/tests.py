lines = output.strip().splitlines()

assert len(lines) == 1, "prints one line"
assert output.strip() == "Hello, World!"
