// Node's client `ws` against the conformance server.
//
//     node peers.mjs ws://HOST:PORT [wss://HOST:PORT CA_FILE]
//
// Prints `ok NAME` or `FAIL NAME: why` for each case.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// An import would not look into NODE_PATH.
const { WebSocket } = createRequire(import.meta.url)('ws');

const TEXT = 'Grüße, 世界, 🦑 – '.repeat(20);
const LARGE = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)).toString('latin1').repeat(4096);
const BYTES = Buffer.from(LARGE, 'latin1');
const PATIENCE = 20_000;

const cases = {
  async echo(place) {
    for (const perMessageDeflate of [false, true, { serverNoContextTakeover: true, clientNoContextTakeover: true, threshold: 0 }]) {
      const ws = await place.open('/ws', [], { perMessageDeflate });
      assert.equal(ws.extensions.includes('permessage-deflate'), perMessageDeflate !== false);
      for (const message of [TEXT, '', TEXT.repeat(500), BYTES, Buffer.alloc(0), BYTES.subarray(0, 70_000), TEXT]) {
        ws.send(message);
        const [data, isBinary] = await once(ws, 'message');
        assert.equal(isBinary, typeof message !== 'string');
        assert.ok(data.equals(Buffer.from(message)), `${data.length} of ${message.length} bytes`);
      }
      await place.close(ws);
    }
  },

  async windows(place) {
    for (const bits of [9, 10, 15]) {
      const ws = await place.open('/ws', [], {
        perMessageDeflate: { serverMaxWindowBits: bits, clientMaxWindowBits: bits, threshold: 0 },
      });
      for (let turn = 0; turn < 5; turn++) {
        ws.send(TEXT.repeat(100));
        const [data] = await once(ws, 'message');
        assert.ok(data.equals(Buffer.from(TEXT.repeat(100))));
      }
      await place.close(ws);
    }
  },

  async fragments(place) {
    for (const perMessageDeflate of [false, { threshold: 0 }]) {
      const ws = await place.open('/ws', [], { perMessageDeflate });
      ws.send('Gr', { fin: false });
      ws.send('ü', { fin: false });
      ws.ping('between');
      ws.send('ße', { fin: true });
      const [[pong], [data]] = await Promise.all([once(ws, 'pong'), once(ws, 'message')]);
      assert.equal(String(pong), 'between');
      assert.equal(String(data), 'Grüße');
      await place.close(ws);
    }
  },

  async pings(place) {
    const ws = await place.open('/ws-talk');
    ws.ping(BYTES.subarray(0, 125));
    const [pong] = await once(ws, 'pong');
    assert.ok(pong.equals(BYTES.subarray(0, 125)));
    ws.send('ping hello');
    const [[ping], [data]] = await Promise.all([once(ws, 'ping'), once(ws, 'message')]);
    assert.deepEqual([String(ping), String(data)], ['hello', 'pong hello']);
    await place.close(ws);
  },

  async closes(place) {
    for (const [code, reason] of [[1000, ''], [1001, 'gone'], [3000, 'ü'], [4999, 'r'.repeat(123)]]) {
      const ws = await place.open('/ws');
      ws.close(code, reason);
      const [found] = await once(ws, 'close');
      assert.equal(found, code);
    }
    const ws = await place.open('/ws');
    ws.close();
    const [found] = await once(ws, 'close');
    assert.equal(found, 1005);
  },

  async is_closed(place) {
    for (const [code, reason] of [[1000, 'bye'], [1012, ''], [4001, 'why ü']]) {
      const ws = await place.open('/ws-talk');
      ws.send(`close ${code} ${reason}`);
      const [found, words] = await once(ws, 'close');
      assert.deepEqual([found, String(words)], [code, reason]);
    }
  },

  async subprotocol(place) {
    const ws = await place.open('/ws-talk', ['other', 'squall.chat']);
    assert.equal(ws.protocol, 'squall.chat');
    ws.send('who');
    const [data] = await once(ws, 'message');
    assert.equal(JSON.parse(data).protocol, 'squall.chat');
    await place.close(ws);
  },

  async refused(place) {
    for (const [options, status] of [[{ origin: 'http://example.com' }, 403], [{ protocolVersion: 8 }, 426]]) {
      const ws = place.socket('/ws', [], options);
      const [, response] = await once(ws, 'unexpected-response');
      assert.equal(response.statusCode, status);
      ws.on('error', () => {});
      ws.terminate();
    }
  },

  async many(place) {
    const ws = await place.open('/ws-talk');
    let number = 0;
    const all = new Promise((resolve, reject) => {
      ws.on('message', (data) => {
        const wanted = `${number} `.padEnd(200, 'x');
        if (String(data) !== wanted) reject(new Error(`${data} is not ${wanted}`));
        if (++number === 5000) resolve();
      });
    });
    ws.send('send 5000 200');
    await all;
    await place.close(ws);
  },
};

class Place {
  constructor(base, ca) {
    this.base = base;
    this.ca = ca;
  }

  socket(path, protocols = [], options = {}) {
    return new WebSocket(this.base + path, protocols, { ca: this.ca, ...options });
  }

  async open(path, protocols, options) {
    const ws = this.socket(path, protocols, options);
    await once(ws, 'open');
    return ws;
  }

  async close(ws) {
    ws.close(1000);
    const [code] = await once(ws, 'close');
    assert.equal(code, 1000);
  }
}

const [base, secure, ca] = process.argv.slice(2);
const places = [new Place(base)];
if (ca) places.push(new Place(secure, readFileSync(ca)));
for (const place of places) {
  for (const [name, run] of Object.entries(cases)) {
    const full = `ws_${name} ${place.base.split(':')[0]}`;
    const late = new Promise((_, reject) => setTimeout(() => reject(new Error('too slow')), PATIENCE).unref());
    try {
      await Promise.race([run(place), late]);
      console.log(`ok ${full}`);
    } catch (err) {
      console.log(`FAIL ${full}: ${String(err).replaceAll('\n', ' ')}`);
    }
  }
}
process.exit(0);
