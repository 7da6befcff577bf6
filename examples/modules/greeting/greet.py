"""Says hello: python3 greet.py --name=Ada --times=2 --style=loud --farewell"""

import argparse

parser = argparse.ArgumentParser()
parser.add_argument("--name", required=True)
parser.add_argument("--times", type=int, default=1)
parser.add_argument("--style", choices=["plain", "loud", "formal"], default="plain")
parser.add_argument("--title", default="")
parser.add_argument("--farewell", action="store_true")
args = parser.parse_args()

greeting = f"Hello {args.title} {args.name}" if args.style == "formal" else f"Hello {args.name}"
for _ in range(args.times):
    print(greeting.upper() + "!" if args.style == "loud" else greeting, flush=True)
if args.farewell:
    print("Goodbye", flush=True)
