import { type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { ROUTER_ERRORS, type RouterErrorCode } from './errors.ts';

const STATUS = {
  'BNY-ROUTER-NOT-CANONICAL': 400,
  'BNY-ROUTER-HOST': 400,
  'BNY-ROUTER-METHOD': 405,
  'BNY-ROUTER-UNREACHABLE': 502,
  'BNY-ROUTER-HELD': 503,
  'BNY-ROUTER-TIMEOUT': 504,
} as const satisfies Partial<Record<RouterErrorCode, number>>;

/** An error of the router's own that a client may see. */
export type ProblemCode = keyof typeof STATUS;

/** Closes the connection, because what is left of the request on it is not worth reading. */
export function sendProblem(res: ServerResponse, code: ProblemCode): void {
  const status = STATUS[code];
  res.writeHead(status, STATUS_CODES[status], { ...problemHeaders(code), Connection: 'close' });
  res.end(problemBody(code));
}

/** The same for a connection that Node has handed over. From then on nothing of Node's limits how long it stays open. */
export function endWithProblem(socket: Duplex, code: ProblemCode): void {
  const lines = Object.entries(problemHeaders(code)).map(([name, value]) => `${name}: ${value}\r\n`);
  const status = `${STATUS[code]} ${STATUS_CODES[STATUS[code]]}`;
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('')}Connection: close\r\n\r\n${problemBody(code)}`, () =>
    socket.destroy(),
  );
}

export function statusOf(code: ProblemCode): number {
  return STATUS[code];
}

function problemHeaders(code: ProblemCode) {
  return {
    'Content-Type': 'application/problem+json',
    'Content-Length': Buffer.byteLength(problemBody(code)),
    'Cache-Control': 'no-store',
    ...(code === 'BNY-ROUTER-HELD' && { 'Retry-After': '1' }),
  };
}

/** RFC 9457. The text is of the catalogue only: nothing of the request is repeated to whoever reads the answer. */
function problemBody(code: ProblemCode): string {
  const { means, cure } = ROUTER_ERRORS[code];
  return JSON.stringify({ type: 'about:blank', title: means, status: STATUS[code], code, detail: cure });
}
