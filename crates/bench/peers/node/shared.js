// What the peers of Node and Bun answer: `../../src/wire.rs` says it.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

// A path whose connections all get the same messages.
class Room {
  constructor(file) {
    const text = readFileSync(join(__dirname, "..", file), "utf8");
    [this.before, this.after] = text.split("0000000000000000");
    this.next = 0n;
  }

  // The next message.
  message() {
    const number = (this.next++).toString(16).padStart(16, "0");
    return this.before + number + this.after;
  }
}

exports.rooms = {
  "/broadcast": new Room("broadcast.txt"),
  "/broadcast-json": new Room("broadcast.json"),
};

// How many messages a text asks for; 0 when it asks for none.
exports.published = (text) =>
  text.startsWith("publish:") ? Number(text.slice("publish:".length)) : 0;

exports.port = () => {
  const place = process.argv.indexOf("--port");
  return place < 0 ? 0 : Number(process.argv[place + 1]);
};
