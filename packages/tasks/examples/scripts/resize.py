import sys

name = sys.argv[1]
with open(f"{name}.tmp", "w") as file:
    file.write(name)
if name == "broken":
    sys.exit(f"error: {name} is no picture")
print(f"resized {name}")
