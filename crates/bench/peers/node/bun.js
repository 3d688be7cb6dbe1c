// Bun, whose sockets are uWebSockets': one process.
//
// Settings: messages to all by its topics, compressed where a client offers that (`perMessageDeflate`, one compressor for
// all connections); no `idleTimeout`, which other servers do not have; everything else as it comes.
const { rooms, published, port } = require("./shared.js");

const server = Bun.serve({
  port: port(),
  hostname: "127.0.0.1",
  fetch(request, server) {
    const path = new URL(request.url).pathname;
    if (server.upgrade(request, { data: { path } })) return undefined;
    return new Response("", { status: 404 });
  },
  websocket: {
    idleTimeout: 0,
    perMessageDeflate: { compress: "shared", decompress: "shared" },
    open(socket) {
      if (rooms[socket.data.path]) socket.subscribe(socket.data.path);
    },
    message(socket, text) {
      const { path } = socket.data;
      const room = rooms[path];
      const count = room ? published(text) : 0;
      if (count === 0) return void socket.send(text);
      for (let turn = 0; turn < count; turn++) {
        server.publish(path, room.message(), true);
      }
    },
  },
});
console.log(`http://127.0.0.1:${server.port}/`);
