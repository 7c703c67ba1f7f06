"""What the programs here have in common: each line of the standard input says what to do, in JSON; a line answers it."""

import json
import sys


def obey(commands):
    """Has `commands` do what comes, until the input ends."""
    for line in sys.stdin:
        command = json.loads(line)
        try:
            getattr(commands, command["do"])(**command["with"])
            print("done", flush=True)
        except Exception as error:
            print(repr(error), flush=True)
