"""The Autobahn test suite, as kosoku runs it, against a WebSocket server or client.

    python autobahn.py server ws://HOST:PORT/PATH [PATTERN...]
    python autobahn.py client PROGRAM [ARGUMENT...]

A server has to echo every message. A client is given `ws://HOST:PORT` as its last argument: it asks `/getCaseCount`,
echoes on `/runCase?case=N&agent=NAME` for each, and says `/updateReports?agent=NAME` at the end. With patterns, such as
`9.*`, only the cases that match one are run.

Prints `ok NAME` or `FAIL NAME: why` for each case. The verdict has to be OK, of the exchange and of the closing; of the
cases below the suite expects less.
"""

import asyncio
import importlib
import os
import sys

from kosoku import FailureError, _caseindex, run_fuzzingclient, run_fuzzingserver

# The suite only tells what an end does here, for the standard leaves it open: close frames behind a message that is too
# large to have been sent (7.1.6), and close codes that nobody has registered (7.13.*).
INFORMATIONAL = {"7.1.6", "7.13.1", "7.13.2"}
# These send a good message and a bad frame in pieces and want the echo of the first before the close. Whether the end has
# read the first before the second has come is a matter of time.
SWINGING = {"3.4", "4.1.5"}
# Cases at a time.
PARALLEL = 8
# Seconds that all cases may take.
PATIENCE = 900


def take_plain_texts():
    """Lets the cases about compression take text that an end has sent as it is, which it may (RFC 7692 section 6): kosoku
    hands its bytes to them as the letters of a `str`."""
    _caseindex.initialize_shims()
    cases = importlib.import_module("case12_x_x")
    judge = cases.onMessage

    def on_message(self, message, binary):
        return judge(self, message.encode("latin-1") if isinstance(message, str) else message, binary)

    for case in cases.Case12_X_X + cases.Case13_X_X:
        case.onMessage = on_message


def complaint(result):
    case, behaviour, closing = result.case_id, result.behavior.value, result.behavior_close.value
    good = {"OK"}
    if case in INFORMATIONAL:
        good.add("INFORMATIONAL")
    if case in SWINGING:
        good.add("NON-STRICT")
    closings = {"OK", "INFORMATIONAL"} if case in INFORMATIONAL else {"OK"}
    if behaviour in good and closing in closings:
        return None
    return f"{behaviour}, closing {closing}, {result.result} {result.result_close}"


async def collected(results):
    try:
        return await results
    except FailureError as failure:
        return failure.results


async def test_server(url, chosen):
    return await collected(run_fuzzingclient(url, chosen or None, concurrency=PARALLEL))


async def test_client(command):
    async with run_fuzzingserver(host="127.0.0.1", port=0) as server:
        url = f"ws://127.0.0.1:{server.port}"
        client = await asyncio.create_subprocess_exec(*command, url)
        try:
            code = await asyncio.wait_for(client.wait(), PATIENCE)
        finally:
            if client.returncode is None:
                client.kill()
        if code != 0:
            print(f"FAIL the client: it ended with exit code {code}")
            return []
        return await asyncio.wait_for(collected(server.get_result()), 20)


async def main():
    what, *rest = sys.argv[1:]
    take_plain_texts()
    if what == "server":
        results = await asyncio.wait_for(test_server(rest[0], rest[1:]), PATIENCE)
    else:
        results = await test_client(rest)
    for result in results:
        why = complaint(result)
        print(f"ok {result.case_id}" if why is None else f"FAIL {result.case_id}: {why}")


asyncio.run(main())
# Threads of kosoku may still run, and would abort an interpreter that ends in order.
sys.stdout.flush()
os._exit(0)
