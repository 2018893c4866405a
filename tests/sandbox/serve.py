"""Serve the double until Ctrl-C, so that anyone can try check, upload, train and voices without an account."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from sandbox.account import Account
from sandbox.server import Double

PORT = 8765


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--training-s", type=float, default=20.0, help="how long a training takes here")
    given = parser.parse_args()
    server = Double(given.port, Account(given.training_s))
    print("A double of Cartesia's interface; what is sent to it stays here and is forgotten. In another terminal:\n")
    print(f"    export CARTESIA_BASE_URL={server.url} CARTESIA_API_KEY=sk_car_sandbox\n", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print("forgotten")


if __name__ == "__main__":
    main()
