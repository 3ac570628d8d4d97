import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import type { Connection } from 'mysql2/promise';
import type { Source, Transaction } from '../cdc/index.ts';
import { comesThrough } from './probe.ts';

const SIGNAL = new AbortController().signal;

/** A server whose stream says what was written, from the second write on. */
function server() {
  const written: number[] = [];
  let heard: () => void = () => undefined;
  const query = async (_: unknown, [beat]: number[]) => {
    written.push(beat as number);
    if (written.length > 1) heard();
    return [{}];
  };
  const connection = { query, destroy: () => undefined } as unknown as Connection;
  async function* read() {
    await new Promise<void>((resolve) => (heard = resolve));
    yield [{ changes: [{ table: 'banyan.heartbeat', after: { beat: written.at(-1) } }] }] as unknown as Transaction[];
  }
  return { written, source: { read } as unknown as Source, connect: async () => connection };
}

describe('the probe of the stream', () => {
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('writes the clock each time, as the emitter does', async () => {
    let now = 0;
    jest.spyOn(Date, 'now').mockImplementation(() => (now += 1000));
    const { written, source, connect } = server();
    expect(await comesThrough(source, connect, 'banyan', SIGNAL)).toBe(true);
    expect(written).toEqual([2000, 3000]);
  });

  // In a process of its own: Jest's does not end by a rejection that nobody handles.
  it('tells of a stream that fails while it connects, and ends nothing else by that', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', FAILING_STREAM]);
    expect(stdout).toBe('purged\n');
  });
});

const FAILING_STREAM = `
  const { comesThrough } = await import('./cli/probe.ts');
  const source = { read: () => (async function* () { throw new Error('purged'); })() };
  const connect = async () => {
    await new Promise((resolve) => setTimeout(resolve, 20));
    return { query: async () => [{}], destroy() {} };
  };
  await comesThrough(source, connect, 'banyan', new AbortController().signal).catch(({ message }) => console.log(message));
`;
