import { setTimeout as sleep } from 'node:timers/promises';
import { debeziumFault } from './errors.ts';
import type { ConnectOptions } from './options.ts';

const DEADLINE_MS = 10_000;
/** Connect's answers while its workers agree on who does what. */
const isBusy = ({ status, body }: Answer) =>
  status === 409 || (status === 500 && /rebalance is expected/.test(messageOf(body)));
const PATIENCE_MS = 30_000;

export interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: Connect's JSON; what is used of it is checked where it is used
  body: any;
}

const NOT_JSON = { message: 'an answer that is not JSON' };
/** Of a proxy, or of another server at the address: nothing that it says is about connectors. */
const isForeign = ({ status, body }: Answer) => status === 401 || status === 403 || body === NOT_JSON;

/** One request to Connect's REST interface. @throws BNY-CDC-CONNECT-UNREACHABLE when it does not answer itself, or with a 5xx */
export async function ask({ url }: ConnectOptions, method: string, path: string, body?: object): Promise<Answer> {
  const unreachable = (found: string, cause?: unknown) =>
    debeziumFault('BNY-CDC-CONNECT-UNREACHABLE', { found: `${method} ${url}${path}: ${found}`, cause });
  for (const deadline = Date.now() + PATIENCE_MS; ; await sleep(200)) {
    let answer: Response;
    let text: string;
    try {
      answer = await fetch(`${url}${path}`, {
        method,
        headers: { accept: 'application/json', 'content-type': 'application/json' },
        signal: AbortSignal.timeout(DEADLINE_MS),
        ...(body && { body: JSON.stringify(body) }),
      });
      text = await answer.text();
    } catch (cause) {
      throw unreachable(reasonOf(cause as Failure), cause);
    }
    const told = { status: answer.status, body: parse(text) };
    const busy = isBusy(told);
    if (busy && Date.now() < deadline) continue;
    if (busy || isForeign(told) || told.status >= 500) throw unreachable(`${told.status} ${messageOf(told.body)}`);
    return told;
  }
}

interface Failure {
  name: string;
  message: string;
  cause?: { code?: string };
}

function reasonOf(error: Failure): string {
  return error.name === 'TimeoutError'
    ? `no answer within ${DEADLINE_MS / 1000} s`
    : (error.cause?.code ?? error.message);
}

function parse(text: string): Answer['body'] {
  try {
    return text === '' ? undefined : JSON.parse(text);
  } catch {
    return NOT_JSON;
  }
}

export function messageOf(body: Answer['body']): string {
  return String(body?.message ?? '').slice(0, 1000);
}
