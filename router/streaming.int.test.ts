import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable, type Writable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { ask, gate, sendRaw, testbed, until } from './test-bed.ts';

const CHUNK = Buffer.alloc(65_536, 'x');
const TOTAL = 64 * 1024 * 1024;
/** What the kernels' and streams' own buffers on the way may hold; far from the whole body. */
const BOUND = TOTAL / 2;

/** A body that counts what has been taken from it. */
function counted() {
  const body = { taken: 0, stream: new Readable({ read }) };
  function read(this: Readable) {
    body.taken += CHUNK.length;
    this.push(body.taken > TOTAL ? null : CHUNK);
  }
  return body;
}

/** Waits until a count stands still. */
async function settled(count: () => number): Promise<number> {
  let before = -1;
  await until(async () => {
    const still = count() === before;
    before = count();
    await new Promise((resolve) => setTimeout(resolve, 200));
    return still && count() === before;
  });
  return before;
}

async function lengthOf(stream: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of stream) length += chunk.length;
  return length;
}

function get(port: number, path: string, method = 'GET') {
  const req = http.request({ host: '127.0.0.1', port, path, method, agent: false });
  const answer = new Promise<IncomingMessage>((resolve, reject) => req.once('response', resolve).once('error', reject));
  return { req, answer };
}

describe('a large body', () => {
  it('on its way to the monolith waits where the monolith does not read', async () => {
    const arrived = gate();
    const reads = gate();
    await using bed = await testbed({
      onMonolith: async (req, res) => {
        arrived.open();
        await reads.opened;
        res.end(`${await lengthOf(req)}`);
      },
    });
    const body = counted();
    const { req, answer } = get(bed.port, '/upload', 'POST');
    body.stream.pipe(req as Writable);
    await arrived.opened;
    expect(await settled(() => body.taken)).toBeLessThan(BOUND);
    reads.open();
    const text = (await (await answer).toArray()).join('');
    expect(Number(text)).toBe(TOTAL);
  });

  it.each(['/download', '/orders/1'])('of %s waits where the client does not read', async (path) => {
    const body = counted();
    const send = (_req: IncomingMessage, res: ServerResponse) => void body.stream.pipe(res);
    await using bed = await testbed({ onMonolith: send, onService: send });
    const { req, answer } = get(bed.port, path);
    req.end();
    const response = await answer;
    expect(await settled(() => body.taken)).toBeLessThan(BOUND);
    expect(await lengthOf(response)).toBe(TOTAL);
  });
});

describe('an answer', () => {
  it.each(['/feed', '/orders/1'])('of events comes from %s one by one', async (path) => {
    const got = gate();
    const send = async (_req: IncomingMessage, res: ServerResponse) => {
      res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: 1\n\n');
      await got.opened;
      res.end('data: 2\n\n');
    };
    await using bed = await testbed({ onMonolith: send, onService: send });
    const { req, answer } = get(bed.port, path);
    req.end();
    const events: string[] = [];
    for await (const chunk of (await answer).setEncoding('utf8')) {
      events.push(chunk);
      got.open();
    }
    expect(events).toEqual(['data: 1\n\n', 'data: 2\n\n']);
  });

  it('keeps its status line and headers, except what concerned one connection only or is the router’s to say', async () => {
    const raw = ['HTTP/1.1 203 Somewhat', 'Set-Cookie: a=1', 'Set-Cookie: b=2', 'X-Odd: \xe9', 'Content-Length: 2'];
    const private_ = [
      'Connection: close, X-Private',
      'X-Private: 1',
      'Keep-Alive: timeout=9',
      'Proxy-Authenticate: x',
      'Banyan-Served-By: me',
    ];
    await using bed = await testbed({
      onMonolith: (req) => req.socket.end(Buffer.from(`${[...raw, ...private_].join('\r\n')}\r\n\r\nhi`, 'latin1')),
    });
    const answer = await sendRaw(bed.port, 'GET / HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n\r\n');
    const [head = '', body] = answer.split('\r\n\r\n');
    expect(head.split('\r\n').filter((line) => !line.startsWith('Date'))).toEqual([
      ...raw,
      'Banyan-Served-By: monolith;domain=-;reason=unlisted',
      'Connection: close',
    ]);
    expect(body).toBe('hi');
  });

  it.each([204, 304])('of status %s has no body', async (status) => {
    await using bed = await testbed({ onMonolith: (_req, res) => res.writeHead(status, { etag: '"1"' }).end() });
    expect(await ask(bed.port, '/')).toMatchObject({ status, body: '', headers: { etag: '"1"' } });
  });

  it('that breaks off is not made to look whole', async () => {
    await using bed = await testbed({
      onMonolith: (_req, res) => {
        res.write('half');
        setTimeout(() => res.destroy(), 20);
      },
    });
    await expect(ask(bed.port, '/')).rejects.toThrow('aborted');
  });

  it('of several requests on one connection comes in their order', async () => {
    await using bed = await testbed({
      onMonolith: (req, res) => setTimeout(() => res.end(req.url), req.url === '/1' ? 50 : 0),
    });
    const one = (target: string, close = '') => `GET ${target} HTTP/1.1\r\nHost: shop\r\n${close}\r\n`;
    const answers = await sendRaw(bed.port, one('/1') + one('/2') + one('/3', 'Connection: close\r\n'));
    expect(answers.match(/\r\n\r\n\S*?(?=HTTP|$)/g)).toHaveLength(3);
    expect(answers.indexOf('/1')).toBeLessThan(answers.indexOf('/2'));
  });
});

describe('a client that leaves', () => {
  it.each(['/slow', '/orders/1'])('before the answer of %s stops the server that works on it', async (path) => {
    const stopped = gate();
    const arrived = gate();
    const work = (_req: IncomingMessage, res: ServerResponse) => {
      res.once('close', stopped.open);
      arrived.open();
    };
    await using bed = await testbed({ onMonolith: work, onService: work });
    const { req, answer } = get(bed.port, path);
    answer.catch(() => {});
    req.end();
    await arrived.opened;
    req.destroy();
    await stopped.opened;
    expect([...bed.monolith.seen, ...bed.service.seen]).toHaveLength(1);
  });

  it('in the middle of an answer stops the server that gives it', async () => {
    const stopped = gate();
    await using bed = await testbed({
      onMonolith: (_req, res) => {
        res.once('close', stopped.open);
        res.write('half');
      },
    });
    const { req, answer } = get(bed.port, '/');
    req.end();
    (await answer).once('data', () => req.destroy()).on('error', () => {});
    await stopped.opened;
  });

  it('in the middle of a body lets the server know', async () => {
    const stopped = gate();
    await using bed = await testbed({ onMonolith: (req) => req.once('error', stopped.open).resume() });
    const { req, answer } = get(bed.port, '/', 'POST');
    answer.catch(() => {});
    req.write('half');
    await until(() => bed.monolith.seen.length === 1);
    req.destroy();
    await stopped.opened;
  });
});
