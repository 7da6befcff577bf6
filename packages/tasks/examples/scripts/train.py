import sys

for epoch in range(3):
    print(f"epoch {epoch} done")
print("warning: the loss is not falling", file=sys.stderr)
