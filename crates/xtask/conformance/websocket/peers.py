"""Python's WebSocket clients against the conformance server: websockets, aiohttp, Tornado.

    python peers.py ws://HOST:PORT [wss://HOST:PORT CA_FILE]

Prints `ok NAME` or `FAIL NAME: why` for each case.
"""

import asyncio
import json
import ssl
import sys

import aiohttp
import tornado.httpclient
import tornado.websocket
import websockets
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

TEXT = "Grüße, 世界, 🦑 – " * 20
LARGE = bytes(range(256)) * 4096
PROTOCOLS = ["squall.chat", "squall.echo"]
PATIENCE = 20
CASES = []


def case(function):
    CASES.append(function)
    return function


def same(found, expected):
    if found != expected:
        raise AssertionError(f"expected {expected!r:.200}, found {found!r:.200}")


def lines(count, size):
    return [f"{number} ".ljust(size, "x") for number in range(count)]


# websockets


@case
async def websockets_echo(place):
    async with connect(place.url("/ws"), ssl=place.tls, max_size=None, compression=None) as ws:
        for message in [TEXT, b"\x00\xff", "", b"", LARGE, "x" * len(LARGE)]:
            await ws.send(message)
            same(await ws.recv(), message)


@case
async def websockets_fragments(place):
    async with connect(place.url("/ws"), ssl=place.tls) as ws:
        await ws.send(iter(["Gr", "ü", "", "ße"]))
        same(await ws.recv(), "Grüße")
        await ws.send(LARGE[at : at + 1000] for at in range(0, 100_000, 1000))
        same(await ws.recv(), LARGE[:100_000])


@case
async def websockets_ping(place):
    async with connect(place.url("/ws-talk"), ssl=place.tls) as ws:
        await asyncio.wait_for(await ws.ping(b"p" * 125), PATIENCE)
        await ws.send("ping are you there")
        same(await ws.recv(), "pong are you there")


@case
async def websockets_closes(place):
    for code, reason in [(1000, ""), (1001, "gone"), (3000, "ü"), (4999, "r" * 123)]:
        async with connect(place.url("/ws"), ssl=place.tls) as ws:
            await ws.close(code, reason)
            same((ws.protocol.close_rcvd.code, ws.protocol.close_rcvd_then_sent), (code, False))


@case
async def websockets_is_closed(place):
    for code, reason in [(1000, "bye"), (1012, ""), (4001, "why ü")]:
        async with connect(place.url("/ws-talk"), ssl=place.tls) as ws:
            await ws.send(f"close {code} {reason}")
            try:
                await ws.recv()
                raise AssertionError("it was not closed")
            except ConnectionClosed as closed:
                same((closed.rcvd.code, closed.rcvd.reason), (code, reason))


@case
async def websockets_subprotocol(place):
    for offered, chosen in [(PROTOCOLS, PROTOCOLS[0]), (["other"], None), (["other", "squall.echo"], "squall.echo")]:
        async with connect(place.url("/ws-talk"), ssl=place.tls, subprotocols=offered) as ws:
            same(ws.subprotocol, chosen)
            await ws.send("who")
            same(json.loads(await ws.recv())["protocol"], chosen)


@case
async def websockets_compression(place):
    for compression in ["deflate", None]:
        async with connect(place.url("/ws-talk"), ssl=place.tls, compression=compression, max_size=None) as ws:
            same(len(ws.protocol.extensions), int(compression is not None))
            await ws.send("who")
            same(json.loads(await ws.recv())["compressed"], compression is not None)
            for message in [TEXT, LARGE, "", TEXT, LARGE[:65536]]:
                await ws.send(message)
                same(await ws.recv(), message)


@case
async def websockets_bits(place):
    from websockets.extensions.permessage_deflate import ClientPerMessageDeflateFactory

    for server_bits, client_bits, server_off, client_off in [
        (9, 9, False, False),
        (15, 15, True, True),
        (10, None, True, False),
        (None, 9, False, True),
    ]:
        factory = ClientPerMessageDeflateFactory(
            server_max_window_bits=server_bits,
            client_max_window_bits=client_bits,
            server_no_context_takeover=server_off,
            client_no_context_takeover=client_off,
        )
        async with connect(place.url("/ws"), ssl=place.tls, extensions=[factory], compression=None) as ws:
            same(len(ws.protocol.extensions), 1)
            for message in [TEXT, LARGE[:100_000], TEXT, TEXT * 50]:
                await ws.send(message)
                same(await ws.recv(), message)


@case
async def websockets_many(place):
    async with connect(place.url("/ws-talk"), ssl=place.tls, max_queue=None) as ws:
        await ws.send("send 5000 100")
        for line in lines(5000, 100):
            same(await ws.recv(), line)


@case
async def websockets_origin(place):
    for origin, good in [(place.origin, True), ("https://example.com", False), ("null", False)]:
        try:
            async with connect(place.url("/ws"), ssl=place.tls, origin=origin) as ws:
                await ws.send("in")
                same((await ws.recv(), good), ("in", True))
        except InvalidStatus as refused:
            same((refused.response.status_code, good), (403, False))


@case
async def websockets_hundred_at_once(place):
    async def one(number):
        async with connect(place.url("/ws"), ssl=place.tls) as ws:
            for turn in range(10):
                await ws.send(f"{number} {turn}")
                same(await ws.recv(), f"{number} {turn}")

    await asyncio.gather(*(one(number) for number in range(100)))


# aiohttp


def aiohttp_ws(session, place, path, **options):
    return session.ws_connect(place.url(path), ssl=place.tls or True, max_msg_size=0, **options)


@case
async def aiohttp_echo(place):
    async with aiohttp.ClientSession() as session, aiohttp_ws(session, place, "/ws") as ws:
        await ws.send_str(TEXT)
        same(await ws.receive_str(), TEXT)
        for message in [b"\x00\xff", b"", LARGE]:
            await ws.send_bytes(message)
            same(await ws.receive_bytes(), message)


@case
async def aiohttp_fragments_and_ping(place):
    async with aiohttp.ClientSession() as session, aiohttp_ws(session, place, "/ws", autoping=False) as ws:
        await ws.ping(b"now")
        answer = await ws.receive()
        same((answer.type, bytes(answer.data)), (aiohttp.WSMsgType.PONG, b"now"))


@case
async def aiohttp_compression(place):
    for window in [0, 9, 15]:
        async with aiohttp.ClientSession() as session, aiohttp_ws(session, place, "/ws-talk", compress=window) as ws:
            await ws.send_str("who")
            same(json.loads(await ws.receive_str())["compressed"], window > 0)
            for _ in range(3):
                await ws.send_str(TEXT * 100)
                same(await ws.receive_str(), TEXT * 100)
            await ws.send_bytes(LARGE)
            same(await ws.receive_bytes(), LARGE)


@case
async def aiohttp_subprotocol_and_close(place):
    async with aiohttp.ClientSession() as session:
        async with aiohttp_ws(session, place, "/ws-talk", protocols=PROTOCOLS) as ws:
            same(ws.protocol, PROTOCOLS[0])
            await ws.send_str("close 4002 enough")
            closing = await ws.receive()
            same((closing.type, closing.data, closing.extra), (aiohttp.WSMsgType.CLOSE, 4002, "enough"))
        async with aiohttp_ws(session, place, "/ws-talk") as ws:
            await ws.close(code=3001, message=b"bye")
            same(ws.close_code, 3001)


# Tornado


def tornado_ws(place, path, **options):
    request = tornado.httpclient.HTTPRequest(place.url(path), ca_certs=place.ca, headers=options.pop("headers", {}))
    return tornado.websocket.websocket_connect(request, max_message_size=1 << 26, **options)


@case
async def tornado_echo(place):
    for options in [None, {}]:
        ws = await tornado_ws(place, "/ws", compression_options=options)
        for message in [TEXT, "", TEXT * 1000]:
            await ws.write_message(message)
            same(await ws.read_message(), message)
        for message in [b"\x00\xff", b"", LARGE]:
            await ws.write_message(message, binary=True)
            same(await ws.read_message(), message)
        ws.close()


@case
async def tornado_ping(place):
    ws = await tornado_ws(place, "/ws-talk", ping_interval=0.05, ping_timeout=0.05)
    await asyncio.sleep(0.3)
    await ws.write_message("ping x")
    same(await ws.read_message(), "pong x")
    ws.close()


@case
async def tornado_close_and_subprotocol(place):
    ws = await tornado_ws(place, "/ws-talk", subprotocols=["squall.echo"])
    same(ws.selected_subprotocol, "squall.echo")
    await ws.write_message("close 4003 because")
    same(await ws.read_message(), None)
    same((ws.close_code, ws.close_reason), (4003, "because"))


@case
async def tornado_many(place):
    ws = await tornado_ws(place, "/ws-talk")
    await ws.write_message("send 1000 1000")
    for line in lines(1000, 1000):
        same(await ws.read_message(), line)
    ws.close()


class Place:
    """Where the server is."""

    def __init__(self, base, ca):
        self.base = base
        self.ca = ca
        self.tls = ssl.create_default_context(cafile=ca) if ca else None
        self.origin = base.replace("ws", "http", 1)

    def url(self, path):
        return self.base + path


async def main():
    places = [Place(sys.argv[1], None)]
    if len(sys.argv) > 3:
        places.append(Place(sys.argv[2], sys.argv[3]))
    for place in places:
        scheme = place.base.split(":")[0]
        for function in CASES:
            name = f"{function.__name__} {scheme}"
            try:
                await asyncio.wait_for(function(place), PATIENCE)
                print(f"ok {name}")
            except Exception as err:
                print(f"FAIL {name}: {type(err).__name__} {err}".replace("\n", " "))


asyncio.run(main())
