"""Python's WebSocket servers for our client: websockets with and without compression, and Tornado.

    python servers.py

Prints `NAME ws://HOST:PORT` for each server, serves until its standard input ends, and does what `/ws-talk` of the
conformance server does on every path.
"""

import asyncio
import json
import sys

import tornado.httpserver
import tornado.netutil
import tornado.web
import tornado.websocket
from websockets.asyncio.server import serve

PROTOCOLS = ["squall.echo", "squall.chat"]
LIMIT = 64 << 20


def lines(count, size):
    return [f"{number} ".ljust(size, "x") for number in range(count)]


def chosen(offered):
    return next((name for name in offered if name in PROTOCOLS), None)


async def talk(ws):
    async for message in ws:
        word, _, rest = message.partition(" ") if isinstance(message, str) else (None, None, None)
        if word == "close":
            code, _, reason = rest.partition(" ")
            await ws.close(int(code), reason)
        elif word == "ping":
            await (await ws.ping(rest))
            await ws.send("pong " + rest)
        elif word == "send":
            count, size = map(int, rest.split(" "))
            for line in lines(count, size):
                await ws.send(line)
        elif word == "parts":
            await ws.send(iter(rest.split(" ")))
        elif word == "who":
            compressed = bool(ws.protocol.extensions)
            await ws.send(json.dumps({"protocol": ws.subprotocol, "compressed": compressed}))
        else:
            await ws.send(message)


class Talk(tornado.websocket.WebSocketHandler):
    pinged = None

    def select_subprotocol(self, subprotocols):
        return chosen(subprotocols)

    def get_compression_options(self):
        return {}

    async def on_message(self, message):
        word, _, rest = message.partition(" ") if isinstance(message, str) else (None, None, None)
        if word == "close":
            code, _, reason = rest.partition(" ")
            self.close(int(code), reason)
        elif word == "ping":
            self.pinged = rest
            self.ping(rest.encode())
        elif word == "send":
            count, size = map(int, rest.split(" "))
            for line in lines(count, size):
                await self.write_message(line)
        elif word == "who":
            compressed = "permessage-deflate" in self.request.headers.get("Sec-WebSocket-Extensions", "")
            await self.write_message({"protocol": self.selected_subprotocol, "compressed": compressed})
        else:
            await self.write_message(message, binary=isinstance(message, bytes))

    def on_pong(self, data):
        if self.pinged is not None and data.decode() == self.pinged:
            self.write_message("pong " + self.pinged)
            self.pinged = None


async def websockets_server(compression):
    return await serve(
        talk,
        "127.0.0.1",
        0,
        compression=compression,
        max_size=LIMIT,
        select_subprotocol=lambda _, offered: chosen(offered),
    )


async def main():
    kept = []
    for name, compression in [("websockets", None), ("websockets-deflate", "deflate")]:
        server = await websockets_server(compression)
        kept.append(server)
        print(f"{name} ws://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    application = tornado.web.Application([(r"/.*", Talk)], websocket_max_message_size=LIMIT)
    [socket] = tornado.netutil.bind_sockets(0, "127.0.0.1")
    server = tornado.httpserver.HTTPServer(application)
    server.add_socket(socket)
    print(f"tornado-deflate ws://127.0.0.1:{socket.getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
