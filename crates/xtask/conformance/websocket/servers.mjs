// Node's server `ws` for our client, with and without compression.
//
//     node servers.mjs
//
// Prints `NAME ws://HOST:PORT` for each server, serves until its standard input ends, and does what `/ws-talk` of the
// conformance server does on every path.

import { once } from 'node:events';
import { createRequire } from 'node:module';

// An import would not look into NODE_PATH.
const { WebSocketServer } = createRequire(import.meta.url)('ws');

const PROTOCOLS = ['squall.echo', 'squall.chat'];

const lines = (count, size) => Array.from({ length: count }, (_, number) => `${number} `.padEnd(size, 'x'));

const commands = {
  close(ws, rest) {
    const [code, ...reason] = rest.split(' ');
    ws.close(Number(code), reason.join(' '));
  },
  ping(ws, rest) {
    ws.once('pong', (data) => ws.send(`pong ${data}`));
    ws.ping(rest);
  },
  send(ws, rest) {
    const [count, size] = rest.split(' ').map(Number);
    lines(count, size).forEach((line) => ws.send(line));
  },
  parts(ws, rest) {
    const parts = rest.split(' ');
    parts.forEach((part, at) => ws.send(part, { fin: at === parts.length - 1 }));
  },
  who(ws) {
    ws.send(JSON.stringify({ protocol: ws.protocol || null, compressed: ws.extensions !== '' }));
  },
};

function talk(ws) {
  ws.on('error', () => {});
  ws.on('message', (data, isBinary) => {
    const [word, ...rest] = isBinary ? [] : String(data).split(' ');
    const command = Object.hasOwn(commands, word) && commands[word];
    if (command) command(ws, rest.join(' '));
    else ws.send(data, { binary: isBinary });
  });
}

for (const [name, perMessageDeflate] of [['node', false], ['node-deflate', { threshold: 0 }]]) {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate,
    maxPayload: 64 << 20,
    handleProtocols: (offered) => [...offered].find((one) => PROTOCOLS.includes(one)) ?? false,
  });
  server.on('connection', talk);
  await once(server, 'listening');
  console.log(`${name} ws://127.0.0.1:${server.address().port}`);
}
process.stdin.resume().on('end', () => process.exit(0));
