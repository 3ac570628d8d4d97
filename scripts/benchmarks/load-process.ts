import { connect, type Socket } from 'node:net';
import { quantile } from '../lib/statistics.ts';

/** A load like wrk's, for machines without it: every connection sends its next request when the answer is complete. */
export interface LoadOptions {
  url: string;
  cookie?: string;
  seconds: number;
  connections: number;
}

export interface LoadResult {
  requestsPerSecond: number;
  p99Ms: number;
}

const { url, cookie, seconds, connections } = JSON.parse(process.argv[2] ?? '') as LoadOptions;
const { hostname, port, host, pathname } = new URL(url);
const headers = [`Host: ${host}`, ...(cookie === undefined ? [] : [`Cookie: ${cookie}`])];
const request = Buffer.from(`GET ${pathname} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`);
const times: number[] = [];
const sockets = Array.from({ length: connections }, () => keepAsking(connect(Number(port), hostname)));
const started = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const result: LoadResult = {
  requestsPerSecond: (times.length / (performance.now() - started)) * 1000,
  p99Ms: quantile(times, 0.99),
};
for (const socket of sockets) socket.destroy();
process.stdout.write(`${JSON.stringify(result)}\n`);

function keepAsking(socket: Socket): Socket {
  let sentAt = 0;
  let text = '';
  const ask = () => {
    sentAt = performance.now();
    text = '';
    socket.write(request);
  };
  socket.setEncoding('latin1').setNoDelay(true);
  socket.on('connect', ask);
  socket.on('data', (chunk: string) => {
    text += chunk;
    const head = text.indexOf('\r\n\r\n');
    if (head < 0) return;
    const length = Number(/^content-length: (\d+)/im.exec(text.slice(0, head))?.[1]);
    if (!text.startsWith('HTTP/1.1 200') || Number.isNaN(length)) throw new Error(`answered ${text.slice(0, head)}`);
    if (text.length < head + 4 + length) return;
    times.push(performance.now() - sentAt);
    ask();
  });
  return socket;
}
