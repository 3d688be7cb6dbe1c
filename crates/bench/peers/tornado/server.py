"""Tornado: an application served by its HTTPServer on uvloop, one process.

Settings: uvloop as the event loop, the default log level of a program without `parse_command_line` (no
access log), no `debug`, `json` with the separators of serde_json; everything else as it comes. WebSockets are not
compressed: it passes over `server_no_context_takeover` in an offer, so that each connection would have a compressor of
its own.
"""

import argparse
import asyncio
import dataclasses
import json
import pathlib

import tornado.httpserver
import tornado.web
import tornado.websocket
import uvloop
from tornado.netutil import bind_sockets


class Plaintext(tornado.web.RequestHandler):
    def get(self):
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish(b"Hello, World!")


@dataclasses.dataclass
class Post:
    id: int
    room: str
    text: str
    author: str | None = None
    sent: int | None = None
    reply_to: int | None = None


class Messages(tornado.web.RequestHandler):
    def post(self):
        post = Post(**json.loads(self.request.body))
        receipt = {"id": post.id, "length": len(post.text.encode())}
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(receipt, separators=(",", ":")))


class Json(tornado.web.RequestHandler):
    def reply(self, value):
        self.set_header("Content-Type", "application/json")
        self.finish(json.dumps(value, separators=(",", ":"), ensure_ascii=False))

    def get(self):
        self.reply({"message": "Hello, World!"})

    def post(self):
        self.reply(json.loads(self.request.body))


class Item(tornado.web.RequestHandler):
    def get(self, item):
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        self.finish("item %d" % int(item))


class Echo(tornado.websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


class Broadcast(tornado.websocket.WebSocketHandler):
    """A path whose connections all get the same messages."""

    def initialize(self, room):
        self.room = room

    def open(self):
        self.room.members.add(self)

    def on_close(self):
        self.room.members.discard(self)

    def on_message(self, message):
        if not message.startswith("publish:"):
            self.write_message(message)
            return
        for _ in range(int(message.removeprefix("publish:"))):
            text = self.room.message()
            for member in self.room.members:
                member.write_message(text)


class Room:
    def __init__(self, file):
        peers = pathlib.Path(__file__).parent.parent
        self.template = (peers / file).read_text()
        self.next = 0
        self.members = set()

    def message(self):
        text = self.template.replace("0" * 16, "%016x" % self.next, 1)
        self.next += 1
        return text


async def main(arguments):
    routes = [
        ("/plaintext", Plaintext),
        ("/json", Json),
        ("/messages", Messages),
        ("/echo", Echo),
        ("/broadcast", Broadcast, {"room": Room("broadcast.txt")}),
        ("/broadcast-json", Broadcast, {"room": Room("broadcast.json")}),
    ]
    routes += [(r"/route/%d/item/([0-9]+)" % n, Item) for n in range(arguments.routes)]
    application = tornado.web.Application(routes, log_function=lambda handler: None)
    sockets = bind_sockets(arguments.port, "127.0.0.1", backlog=1024)
    tornado.httpserver.HTTPServer(application).add_sockets(sockets)
    print("http://127.0.0.1:%d/" % sockets[0].getsockname()[1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--routes", type=int, default=0)
    uvloop.run(main(parser.parse_args()))
