import { execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CONTRACT_TOPICS, testEventLog } from '../contract.ts';
import { handlesOf } from '../test-support.ts';
import { openSqliteLog } from './log.ts';

let folder: string;
let files = 0;
const newFile = () => join(folder, `log-${files++}.sqlite`);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'banyan-log-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

testEventLog('the SQLite log', async () => {
  const options = { file: newFile(), topics: CONTRACT_TOPICS };
  const log = openSqliteLog(options);
  return { log, reopen: async () => openSqliteLog(options), dispose: () => log.close() };
});

testEventLog('the SQLite log with a thread for its writers', async () => {
  const options = { file: newFile(), topics: CONTRACT_TOPICS, writerThread: true };
  const log = openSqliteLog(options);
  return { log, reopen: async () => openSqliteLog(options), dispose: () => log.close() };
});

describe('the SQLite log', () => {
  it('keeps commits through a power loss: synchronous is FULL on a WAL file', async () => {
    const { connect } = await import('./schema.ts');
    const db = connect(newFile());
    expect(db.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(db.pragma('synchronous', { simple: true })).toBe(2);
    db.close();
  });

  it('answers an append whose thread ends meanwhile, and every later one', async () => {
    const log = openSqliteLog({ file: newFile(), topics: CONTRACT_TOPICS, writerThread: true });
    const writer = await log.writer('emitter');
    const underWay = writer.append([], {}).catch((error: Error) => error.message);
    await writer.close();
    expect(await underWay).toEqual("the log writer's thread has ended");
    await expect(writer.append([], {})).rejects.toThrow('has ended');
    await log.close();
  });

  it('refuses another number of partitions for a topic that exists', async () => {
    const file = newFile();
    await openSqliteLog({ file, topics: { orders: { partitions: 2 } } }).close();
    expect(() => openSqliteLog({ file, topics: { orders: { partitions: 3 } } })).toThrow('BNY-LOG-PARTITIONS');
    expect(handlesOf(file)).toEqual([]);
  });

  it('names what is wrong with a file that is no log, and leaves it alone', async () => {
    const file = newFile();
    await writeFile(file, 'this is not a database, and longer than a header'.repeat(100));
    expect(() => openSqliteLog({ file, topics: CONTRACT_TOPICS })).toThrow('BNY-LOG-DAMAGED');
    expect(handlesOf(file)).toEqual([]);
  });

  // Only root can make a disk small enough to fill; scripts/test on a fresh Debian runs as root.
  (process.getuid?.() === 0 ? it : it.skip)(
    'raises a full disk, appends nothing of what did not fit, and goes on',
    async () => {
      const disk = await mkdtemp(join(tmpdir(), 'banyan-small-disk-'));
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]);
      try {
        const log = openSqliteLog({ file: join(disk, 'log.sqlite'), topics: CONTRACT_TOPICS });
        const event = {
          topic: 'orders',
          key: 'a',
          type: 'Happened',
          version: 1,
          time: '',
          origin: 'monolith',
          epoch: 0,
        };
        const events = Array.from({ length: 900 }, (_, i) => ({
          ...event,
          id: `e${i}`,
          data: JSON.stringify('x'.repeat(1000)),
        }));
        const writer = await log.writer('emitter');
        await writer.append(events.slice(0, 2), { position: '1' });
        await expect(writer.append(events.slice(2), { position: '2' })).rejects.toMatchObject({
          code: 'BNY-LOG-FULL',
        });
        expect(await log.ends(['orders'])).toEqual({ orders: [1] });
        expect(await log.checkpoint('emitter')).toMatchObject({ state: { position: '1' } });
        execFileSync('mount', ['-o', 'remount,size=64m', disk]);
        await (await log.writer('emitter')).append(events.slice(2), { position: '2' });
        expect(await log.ends(['orders'])).toEqual({ orders: [899] });
        await log.close();
      } finally {
        execFileSync('umount', ['--lazy', disk]);
        await rm(disk, { recursive: true });
      }
    },
  );

  it('refuses a writer whose last checkpoint is not the newest: a restored file, say', async () => {
    const file = newFile();
    const log = openSqliteLog({ file, topics: CONTRACT_TOPICS });
    const writer = await log.writer('emitter');
    await writer.append([], { position: '1' });
    const { connect } = await import('./schema.ts');
    const db = connect(file);
    db.exec('UPDATE writers SET number = 7');
    db.close();
    await expect(writer.append([], { position: '2' })).rejects.toMatchObject({ code: 'BNY-LOG-CONFLICT' });
    expect((await log.writer('emitter')).checkpoint).toMatchObject({ number: 7, state: { position: '1' } });
    await log.close();
  });

  it('copies itself while it is in use', async () => {
    const log = openSqliteLog({ file: newFile(), topics: CONTRACT_TOPICS });
    const writer = await log.writer('emitter');
    await writer.append([], { position: '9' });
    const copy = newFile();
    await log.backup(copy);
    const restored = openSqliteLog({ file: copy, topics: CONTRACT_TOPICS });
    expect(await restored.checkpoint('emitter')).toEqual(await log.checkpoint('emitter'));
    expect(await restored.identity()).toBe(await log.identity());
  });
});
