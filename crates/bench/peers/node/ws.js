// ws, on Node: one process, one thread for JavaScript.
//
// Settings: `perMessageDeflate` for those that offer it, each message compressed on its own and from the first byte on
// (the default leaves out what is shorter than 1 KiB), no tracking of clients besides our own; everything else as it
// comes. Messages to all are sent as its documentation shows, in a loop over the clients.
const { createServer } = require("node:http");
const { WebSocketServer } = require("ws");
const { rooms, published, port } = require("./shared.js");

const sockets = new WebSocketServer({
  noServer: true,
  clientTracking: false,
  perMessageDeflate: {
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
    threshold: 0,
  },
});

function join(room, socket) {
  room.members ??= new Set();
  room.members.add(socket);
  socket.on("close", () => room.members.delete(socket));
  socket.on("message", (data) => {
    const count = published(data.toString("latin1"));
    if (count === 0) return socket.send(data, { binary: false });
    for (let turn = 0; turn < count; turn++) {
      const message = Buffer.from(room.message());
      for (const member of room.members) member.send(message, { binary: false });
    }
  });
}

const server = createServer();
server.on("upgrade", (request, stream, head) => {
  sockets.handleUpgrade(request, stream, head, (socket) => {
    // A client that leaves is no event here.
    socket.on("error", () => {});
    const room = rooms[request.url];
    if (room) join(room, socket);
    else socket.on("message", (data) => socket.send(data, { binary: false }));
  });
});
server.listen(port(), "127.0.0.1", 1024, () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
