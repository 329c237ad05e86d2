"""Answers one JSON command per line of standard input, until it ends."""

import json
import sys
import time


def serve(commands):
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"result": commands[request["command"]](**request["args"])}
        except Exception as error:  # goes to the caller as text
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


def seconds(body):
    start = time.perf_counter()
    body()
    return time.perf_counter() - start
