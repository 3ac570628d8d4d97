import { createServer } from 'node:net';
import { exitWhenAsked, listening } from './server.ts';

/**
 * The server behind the measured one: answers every request with 1 kB of JSON and the headers that an Express app sends.
 * It writes HTTP by itself, because it shares a core with the load: node:http would be the first to be full.
 */
const body = JSON.stringify({ id: 7, text: 'x'.repeat(1024 - '{"id":7,"text":""}'.length) });
const answer = Buffer.from(
  [
    'HTTP/1.1 200 OK',
    'X-Powered-By: Express',
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${body.length}`,
    'ETag: W/"400-2jmj7l5rSw0yVb/vlWAYkK/YBwk"',
    `Date: ${new Date().toUTCString()}`,
    'Connection: keep-alive',
    'Keep-Alive: timeout=65',
    '',
    body,
  ].join('\r\n'),
);

const END = Buffer.from('\r\n\r\n');

const server = createServer((socket) => {
  socket.setNoDelay(true);
  let rest: Buffer | undefined;
  socket.on('data', (chunk: Buffer) => {
    const bytes = rest ? Buffer.concat([rest, chunk]) : chunk;
    let from = 0;
    for (let end = bytes.indexOf(END); end >= 0; end = bytes.indexOf(END, from)) {
      from = end + END.length;
      socket.write(answer);
    }
    rest = from < bytes.length ? bytes.subarray(from) : undefined;
  });
  socket.on('error', () => socket.destroy());
});
process.stdout.write(`${await listening(server)}\n`);
exitWhenAsked();
