import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EMITTER } from '../cdc/index.ts';
import type { EventLog, LogWriter } from '../log/index.ts';
import { type Running, startBanyan } from '../scripts/lib/parts.ts';
import { note, until } from '../services/kit/projector/test-support.ts';
import { openLog } from './config/adapters.ts';
import { loadConfig } from './config/load.ts';

const PARTITIONS = 4;
/** Enough that some fall into each partition. */
const KEYS = 30;

/** A processor whose effect at an event is a file by the event's id; it also notes each time at which it was asked to. */
const configOf = (folder: string) => `
  import { appendFile, writeFile } from 'node:fs/promises';
  import { defineProcessor } from '${resolve('services/kit/index.ts')}';
  import { NOTES } from '${resolve('services/kit/projector/test-support.ts')}';
  const worker = defineProcessor({
    name: 'worker', topics: [NOTES.events], from: 'beginning',
    handlers: {
      async NoteWritten({ data, key, partition }, { idempotencyKey }) {
        await writeFile('${folder}/effects/' + idempotencyKey, data.text);
        await appendFile('${folder}/attempts', [idempotencyKey, process.pid, partition, key, data.id].join(' ') + '\\n');
      },
    },
  });
  export default {
    data: '${folder}/data',
    monolith: { url: 'http://127.0.0.1:1', database: { schema: 'none' } },
    domains: [{ ...NOTES, partitions: ${PARTITIONS} }],
    processors: [worker],
  };`;

interface Attempt {
  event: string;
  pid: number;
  partition: number;
  key: string;
  number: number;
}

describe('two `banyan process`', () => {
  let folder: string;
  let log: EventLog;
  let writer: LogWriter;
  const instances: Running[] = [];
  const ids: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-processors-'));
    const file = join(folder, 'banyan.config.ts');
    await writeFile(file, configOf(folder));
    await writeFile(join(folder, 'attempts'), '');
    await mkdir(join(folder, 'effects'));
    log = await openLog(await loadConfig(file, {}));
    writer = await log.writer(EMITTER);
    const start = () => startBanyan(['process', 'worker', '--config', file], process.env);
    instances.push(start(), start());
  });
  afterAll(async () => {
    for (const instance of instances) await instance.stop('SIGKILL');
    await log.close();
    await rm(folder, { recursive: true });
  });

  const add = async () => {
    const events = Array.from({ length: KEYS }, (_, key) => ({ ...note(ids.length + key), key: `note-${key}` }));
    ids.push(...events.map(({ id }) => id));
    await writer.append(events, {});
    await sleep(20);
  };
  const attempts = async (): Promise<Attempt[]> =>
    (await readFile(join(folder, 'attempts'), 'utf8')).split('\n').flatMap((line) => {
      const [event = '', pid, partition, key = '', number] = line.split(' ');
      return event === ''
        ? []
        : [{ event, pid: Number(pid), partition: Number(partition), key, number: Number(number) }];
    });
  /** Who has handled the newest event of each partition. */
  const holders = async () => {
    const newest = new Map((await attempts()).map(({ partition, pid }) => [partition, pid]));
    return Array.from({ length: PARTITIONS }, (_, partition) => newest.get(partition));
  };

  it('share the partitions; one goes on alone when the other is killed; each event has one effect', async () => {
    await until(async () => {
      await add();
      const held = await holders();
      return instances.every(({ pid }) => held.filter((each) => each === pid).length === PARTITIONS / 2);
    });
    const [killed, other] = instances as [Running, Running];
    await killed.stop('SIGKILL');
    await until(async () => {
      await add();
      return (await holders()).every((pid) => pid === other.pid);
    });
    await until(async () => (await readdir(join(folder, 'effects'))).length >= ids.length);
    expect(new Set(await readdir(join(folder, 'effects')))).toEqual(new Set(ids));
    const all = await attempts();
    for (const key of new Set(all.map((each) => each.key))) {
      const numbers = [...new Set(all.filter((each) => each.key === key).map(({ number }) => number))];
      expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    }
    // A second time there is only for what the killed one had not written down as done.
    const again = all.filter(({ event }, i) => all.findIndex((first) => first.event === event) < i);
    expect(again.filter(({ pid }) => pid !== other.pid)).toEqual([]);
  }, 60_000);
});
