// Chromium's WebSocket against the conformance server, on a page of that server.
//
//     node browser.mjs CHROMIUM http://HOST:PORT
//
// The browser is driven through its debugging pipe: JSON messages with a NUL after each. Prints `ok NAME` or `FAIL NAME: why`
// for each case.

import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// Without a screen, without the sandbox (which a container cannot have), and without calls home.
const FLAGS = [
  '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-dev-shm-usage', '--no-first-run',
  '--disable-background-networking', '--disable-component-update', '--disable-sync', '--remote-debugging-pipe',
];

/** The cases: they run inside the page. */
const cases = {
  async browser_text() {
    const ws = await open('/ws');
    for (const text of ['Grüße, 世界, 🦑', '', 'x'.repeat(1 << 20)]) {
      ws.send(text);
      same(await next(ws), text);
    }
    same(await closed(ws, 1000, ''), '1000  true');
  },

  async browser_binary() {
    const ws = await open('/ws');
    for (const length of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
      const bytes = Uint8Array.from({ length }, (_, at) => at);
      ws.send(bytes);
      const back = new Uint8Array(await next(ws));
      same(back.length, length);
      same(back.every((byte, at) => byte === at % 256), true);
    }
    ws.send(new Blob(['a blob']));
    same(new TextDecoder().decode(await next(ws)), 'a blob');
    same(await closed(ws), '1005  true');
  },

  async browser_is_compressed() {
    const ws = await open('/ws-talk');
    same(ws.extensions.startsWith('permessage-deflate'), true);
    ws.send('who');
    same(JSON.parse(await next(ws)).compressed, true);
    for (let turn = 0; turn < 20; turn++) {
      const text = `turn ${turn} `.repeat(1 << turn % 15);
      ws.send(text);
      same(await next(ws), text);
    }
    await closed(ws);
  },

  async browser_closes() {
    for (const [code, reason] of [[1000, 'bye'], [3000, 'ü'], [4999, 'r'.repeat(123)]]) {
      const ws = await open('/ws');
      const words = await closed(ws, code, reason);
      same([`${code} ${reason} true`, `${code}  true`].includes(words) || words, true);
    }
  },

  async browser_is_closed() {
    for (const [code, reason] of [[1000, 'bye'], [1001, ''], [4001, 'why ü']]) {
      const ws = await open('/ws-talk');
      ws.send(`close ${code} ${reason}`);
      same(await end(ws), `${code} ${reason} true`);
    }
  },

  async browser_subprotocol() {
    const ws = await open('/ws-talk', ['other', 'squall.chat']);
    same(ws.protocol, 'squall.chat');
    await closed(ws);
  },

  async browser_answers_pings() {
    const ws = await open('/ws-talk');
    ws.send('ping x');
    same(await next(ws), 'pong x');
    await closed(ws);
  },

  async browser_gets_many() {
    const ws = await open('/ws-talk');
    ws.send('send 3000 100');
    for (let number = 0; number < 3000; number++) same(await next(ws), `${number} `.padEnd(100, 'x'));
    await closed(ws);
  },

  async browser_fifty_at_once() {
    const all = await Promise.all(Array.from({ length: 50 }, () => open('/ws')));
    all.forEach((ws, number) => ws.send(`${number}`));
    const answers = await Promise.all(all.map(next));
    answers.forEach((answer, number) => same(answer, `${number}`));
    await Promise.all(all.map((ws) => closed(ws)));
  },
};

/** The same, for a page of another origin: it must not get in. */
const strangers = {
  async browser_is_kept_out_of_other_origins() {
    const ws = new WebSocket(base + '/ws');
    const came = await new Promise((resolve) => {
      ws.onopen = () => resolve('in');
      ws.onclose = (event) => resolve(`${event.code} ${event.wasClean}`);
    });
    same(came, '1006 false');
  },
};

/** What the cases share, as text for the page. */
const HELPERS = `
  const same = (found, expected) => {
    if (found !== expected) throw new Error('expected ' + String(expected).slice(0, 200) + ', found ' + String(found).slice(0, 200));
  };
  const open = (path, protocols = []) => new Promise((resolve, reject) => {
    const ws = new WebSocket(base + path, protocols);
    ws.binaryType = 'arraybuffer';
    ws.inbox = [];
    ws.waiting = [];
    ws.onmessage = ({ data }) => (ws.waiting.length ? ws.waiting.shift()(data) : ws.inbox.push(data));
    ws.ended = new Promise((done) => {
      ws.onclose = (event) => {
        done(event.code + ' ' + event.reason + ' ' + event.wasClean);
        reject(new Error('closed with ' + event.code));
      };
    });
    ws.onopen = () => resolve(ws);
  });
  const next = (ws) => ws.inbox.length ? Promise.resolve(ws.inbox.shift())
    : Promise.race([new Promise((resolve) => ws.waiting.push(resolve)), ws.ended.then((words) => { throw new Error('ended: ' + words); })]);
  const end = (ws) => ws.ended;
  const closed = (ws, ...words) => { ws.close(...words); return ws.ended; };
`;

class Browser {
  constructor(program) {
    this.profile = mkdtempSync(join(tmpdir(), 'squall-browser-'));
    const flags = [...FLAGS, `--user-data-dir=${this.profile}`, 'about:blank'];
    this.process = spawn(program, flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] });
    this.process.on('exit', () => this.fail(new Error('the browser has ended')));
    this.last = 0;
    this.waiting = new Map();
    this.loaded = () => {};
    let text = '';
    this.process.stdio[4].setEncoding('utf8').on('data', (part) => {
      const messages = (text + part).split('\0');
      text = messages.pop();
      messages.map((message) => JSON.parse(message)).forEach((message) => this.take(message));
    });
  }

  take(message) {
    if (message.method === 'Page.loadEventFired') this.loaded();
    const waiting = this.waiting.get(message.id);
    this.waiting.delete(message.id);
    if (message.error) waiting?.reject(new Error(message.error.message));
    else waiting?.resolve(message.result);
  }

  fail(err) {
    for (const waiting of this.waiting.values()) waiting.reject(err);
  }

  call(method, params = {}) {
    const id = ++this.last;
    this.process.stdio[3].write(JSON.stringify({ id, method, params, sessionId: this.session }) + '\0');
    return new Promise((resolve, reject) => this.waiting.set(id, { resolve, reject }));
  }

  async attach() {
    const { targetId } = await this.call('Target.createTarget', { url: 'about:blank' });
    const { sessionId } = await this.call('Target.attachToTarget', { targetId, flatten: true });
    this.session = sessionId;
    await this.call('Page.enable');
  }

  async go(url) {
    const loaded = new Promise((resolve) => { this.loaded = resolve; });
    await this.call('Page.navigate', { url });
    await loaded;
  }

  /** Runs a function in the page; what it throws is thrown here. */
  async run(run, base) {
    const expression = `(async () => { const base = ${JSON.stringify(base)}; ${HELPERS} await (${run.toString().replace(/^async \w+/, 'async function')})(); })()`;
    const answer = await this.call('Runtime.evaluate', { expression, awaitPromise: true });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? answer.exceptionDetails.text);
  }

  async end() {
    const gone = new Promise((resolve) => this.process.on('exit', resolve));
    this.process.kill('SIGKILL');
    await gone;
    // Its own processes may still write there for a moment.
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  }
}

const [program, url] = process.argv.slice(2);
const base = url.replace('http', 'ws');
const late = setTimeout(() => {
  console.log('FAIL the browser: it takes more than 100 seconds');
  process.exit(1);
}, 100_000);
const browser = new Browser(program);
await browser.attach();
// The name is another one, and so is the origin.
for (const [page, set] of [[url, cases], [url.replace('127.0.0.1', 'localhost'), strangers]]) {
  await browser.go(page + '/');
  for (const [name, run] of Object.entries(set)) {
    try {
      await browser.run(run, base);
      console.log(`ok ${name}`);
    } catch (err) {
      console.log(`FAIL ${name}: ${String(err.message).split('\n')[0]}`);
    }
  }
}
clearTimeout(late);
await browser.end();
