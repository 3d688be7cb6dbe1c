// Node's clients against the conformance server.
//
//     node clients.mjs http://HOST:PORT [CA_FILE]
//
// Prints `ok NAME` or `FAIL NAME: why` for each case. `undici` comes from the folder that NODE_PATH names.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { createRequire } from 'node:module';
import net from 'node:net';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';

const undici = createRequire(import.meta.url)('undici');

const base = process.argv[2];
const ca = process.argv[3] && readFileSync(process.argv[3]);
const { request: ask, Agent } = ca ? https : http;
const hello = 'Hello, World!';
const large = Buffer.alloc(1 << 20, Uint8Array.from({ length: 256 }, (_, byte) => byte));
const lines = Array.from({ length: 50 }, (_, number) => `piece ${number}\n`);

const numbers = (count) => Array.from({ length: count }, (_, number) => number);

// One request of node's own client; `write` sends the body.
async function own(path, options = {}, write = (request) => request.end()) {
  const request = ask(base + path, { ca, ...options });
  const arrived = once(request, 'response');
  write(request);
  const [answer] = await arrived;
  return { answer, body: await text(answer) };
}

const cases = {
  async http_keeps_its_connection() {
    const agent = new Agent({ keepAlive: true, maxSockets: 1, ca });
    const sockets = new Set();
    for (const number of numbers(20)) {
      const { answer, body } = await own('/', { agent, method: 'POST' }, (request) => {
        request.on('socket', (socket) => sockets.add(socket));
        request.end(String(number));
      });
      assert.deepEqual([answer.statusCode, body], [200, String(number)]);
    }
    agent.destroy();
    assert.equal(sockets.size, 1);
  },

  async http_many_at_once() {
    const agent = new Agent({ keepAlive: true, maxSockets: 50, ca });
    const answers = await Promise.all(numbers(200).map((number) => own(`/slow?ms=${number % 10}`, { agent })));
    agent.destroy();
    assert.deepEqual(answers.map(({ body }) => body), numbers(200).map((number) => `this took ${number % 10} ms\n`));
  },

  async http_chunked_upload_with_trailers() {
    const { body } = await own('/inspect', { method: 'POST', headers: { Trailer: 'X-Sum' } }, (request) => {
      for (const line of lines) request.write(line);
      request.addTrailers({ 'X-Sum': '42' });
      request.end();
    });
    const seen = JSON.parse(body);
    assert.equal(Buffer.from(seen.body, 'base64').toString(), lines.join(''));
    assert.deepEqual(seen.trailers, [['x-sum', '42']]);
  },

  async http_expects_to_continue() {
    let continued = false;
    const headers = { Expect: '100-continue', 'Content-Length': large.length };
    const { body } = await own('/inspect', { method: 'PUT', headers }, (request) => {
      request.flushHeaders();
      request.on('continue', () => {
        continued = true;
        request.end(large);
      });
    });
    assert.ok(continued);
    assert.ok(Buffer.from(JSON.parse(body).body, 'base64').equals(large));
  },

  async http_head_and_options() {
    const { answer, body } = await own('/plaintext', { method: 'HEAD' });
    assert.deepEqual([answer.headers['content-length'], body], ['13', '']);
    const star = await own('', { method: 'OPTIONS', path: '*' });
    assert.equal(star.answer.statusCode, 200);
  },

  async http_offers_an_upgrade_that_is_not_taken() {
    const { answer, body } = await own('/plaintext', { headers: { Connection: 'Upgrade', Upgrade: 'chat/9' } });
    assert.deepEqual([answer.statusCode, body], [200, hello]);
  },

  async http_odd_header_fields() {
    const headers = { 'X-Long': 'x'.repeat(8000), 'X-Odd': 'é', 'X-Empty': '' };
    const seen = JSON.parse((await own('/inspect', { headers })).body);
    const fields = Object.fromEntries(seen.headers);
    assert.deepEqual([fields['x-long'].length, fields['x-odd'], fields['x-empty']], [8000, 'é', '']);
  },

  async http_aborts() {
    for (const _ of numbers(20)) {
      const request = ask(`${base}/slow?ms=10000`, { ca });
      request.on('error', () => {});
      request.end();
      await once(request, 'socket');
      request.destroy();
    }
    assert.equal((await own('/plaintext')).body, hello);
  },

  async fetch_json() {
    const answer = await undici.fetch(`${base}/json`);
    assert.equal(answer.headers.get('content-type'), 'application/json');
    assert.deepEqual(await answer.json(), { message: hello });
  },

  async fetch_streams_up() {
    const body = Readable.toWeb(Readable.from(lines.map((line) => Buffer.from(line))));
    const answer = await undici.fetch(`${base}/`, { method: 'POST', body, duplex: 'half' });
    assert.equal(await answer.text(), lines.join(''));
  },

  async fetch_streams_down() {
    const answer = await undici.fetch(`${base}/stream?n=5000`);
    assert.equal((await answer.text()).split('\n').length, 5001);
  },

  async fetch_form() {
    const body = new undici.FormData();
    body.append('file', new Blob([large]), 'large.bin');
    const seen = await (await undici.fetch(`${base}/inspect`, { method: 'POST', body })).json();
    assert.ok(Buffer.from(seen.body, 'base64').includes(large));
  },

  async fetch_range_and_conditions() {
    const page = `${base}/static/large.bin`;
    const part = await undici.fetch(page, { headers: { Range: 'bytes=1-3' } });
    assert.deepEqual([part.status, [...(await part.bytes())]], [206, [1, 2, 3]]);
    const known = await undici.fetch(page, { headers: { 'If-None-Match': part.headers.get('etag') } });
    assert.deepEqual([known.status, await known.text()], [304, '']);
  },

  async fetch_is_called_off() {
    const asked = undici.fetch(`${base}/slow?ms=10000`, { signal: AbortSignal.timeout(100) });
    await assert.rejects(asked, { name: 'TimeoutError' });
    assert.equal(await (await undici.fetch(`${base}/plaintext`)).text(), hello);
  },

  async undici_pipelines() {
    const client = new undici.Client(base, { pipelining: 16, connect: { ca } });
    const asked = numbers(200).map((number) => client.request({ path: `/inspect?${number}`, method: 'GET' }));
    const seen = await Promise.all(asked.map(async (answer) => (await (await answer).body.json()).target));
    assert.deepEqual(seen, numbers(200).map((number) => `/inspect?${number}`));
    await client.close();
  },

  async undici_pool() {
    const pool = new undici.Pool(base, { connections: 20, connect: { ca } });
    const asked = numbers(300).map(async (number) => {
      const { body } = await pool.request({ path: '/', method: 'PUT', body: String(number) });
      return Number(await body.text());
    });
    assert.deepEqual(await Promise.all(asked), numbers(300));
    await pool.close();
  },

  async a_half_closed_connection_gets_its_answer() {
    if (ca) return;
    const { hostname, port } = new URL(base);
    const socket = net.connect(Number(port), hostname);
    socket.end('GET /plaintext HTTP/1.1\r\nHost: a\r\n\r\n');
    assert.ok((await text(socket)).endsWith(`\r\n\r\n${hello}`));
  },
};

undici.setGlobalDispatcher(new undici.Agent({ connect: { ca } }));
for (const [name, run] of Object.entries(cases)) {
  try {
    await run();
    console.log(`ok ${name}`);
  } catch (err) {
    console.log(`FAIL ${name}: ${err}`.replaceAll('\n', ' '));
  }
}
process.exit();
