import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EMITTER } from '../cdc/index.ts';
import { startBanyan } from '../scripts/lib/parts.ts';
import { runBanyan } from '../scripts/lib/world.ts';
import { note } from '../services/kit/projector/test-support.ts';
import { openLog } from './config/adapters.ts';
import { loadConfig } from './config/load.ts';

interface Letters {
  letters: { event: { id: string }; error: { code: string; message: string } }[];
}

/** A processor that fails at the notes 1 and 2 for as long as there is a file `broken`. */
const configOf = (folder: string) => `
  import { existsSync } from 'node:fs';
  import { defineProcessor } from '${resolve('services/kit/index.ts')}';
  import { NOTES } from '${resolve('services/kit/projector/test-support.ts')}';
  const worker = defineProcessor({
    name: 'worker', topics: [NOTES.events], from: 'beginning', retries: 0,
    handlers: {
      NoteWritten({ data }) {
        if (data.id < 3 && existsSync('${folder}/broken')) throw new Error('cannot take ' + data.text + ' now');
      },
    },
  });
  export default {
    data: '${folder}/data',
    monolith: { url: 'http://127.0.0.1:1', database: { schema: 'none' } },
    domains: [NOTES],
    processors: [worker],
  };`;

describe('banyan dead', () => {
  let folder: string;
  let file: string;
  let worker: ReturnType<typeof startBanyan>;
  const env = { ...process.env, BANYAN_LOG_LEVEL: 'warn' };
  const banyan = (...args: string[]) => runBanyan([...args, '--config', file], env);
  const list = async () => (await banyan('dead', 'list', 'worker', '--json')).json as Letters;
  const ids: string[] = [];

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-dead-'));
    file = join(folder, 'banyan.config.ts');
    await writeFile(file, configOf(folder));
    await writeFile(join(folder, 'broken'), '');
    const log = await openLog(await loadConfig(file, {}));
    const writer = await log.writer(EMITTER);
    const events = [note(1), note(2), note(1, 'text 1 again'), note(3)].map((event, i) => ({
      ...event,
      key: String([1, 2, 1, 3][i]),
    }));
    ids.push(...events.map(({ id }) => id));
    await writer.append(events, {});
    await log.close();
    worker = startBanyan(['process', 'worker', '--config', file], env);
    for (let tries = 0; (await list()).letters.length < 3; tries++) if (tries > 30) throw new Error(worker.output());
  });
  afterAll(async () => {
    await worker.stop();
    await rm(folder, { recursive: true });
  });

  it('lists what failed and what waits behind it, without the values of the events', async () => {
    const { letters } = await list();
    expect(letters.map(({ event, error }) => [event.id, error.code])).toEqual([
      [ids[0], 'Error'],
      [ids[1], 'Error'],
      [ids[2], 'BNY-SERVICE-BEHIND-DEAD'],
    ]);
    expect(letters[0]?.error.message).toBe('cannot take … now');
    const { stdout } = await banyan('dead', 'list', 'worker');
    expect(stdout.split('\n')[1]).toMatch(/NoteWritten +1 .* Error +cannot take … now/);
  });

  it('shows one with its event', async () => {
    const { json } = await banyan('dead', 'show', 'worker', String(ids[0]), '--json');
    expect(json).toMatchObject({ attempts: 1, event: { id: ids[0], data: { id: 1, text: 'text 1' } } });
    const { code, stderr } = await banyan('dead', 'show', 'worker', 'nobody');
    expect({ code, stderr }).toMatchObject({ code: 64, stderr: expect.stringContaining('banyan dead list worker') });
  });

  it('is counted in the status', async () => {
    const { json, code } = await banyan('status', '--json');
    const { processors } = json as { processors: unknown[] };
    const next = 'banyan dead list worker';
    expect(processors).toEqual([{ processor: 'worker', instances: 1, lag: 0, dead: 3, problem: null, next }]);
    expect(code).toBe(2);
  });

  it('plans a replay with the whole aggregate, and replays nothing before somebody says yes', async () => {
    const { code, stderr } = await banyan('dead', 'replay', 'worker', String(ids[2]));
    expect(code).toBe(2);
    expect(stderr).toMatch(new RegExp(`1\\. hand NoteWritten ${ids[0]} .*\n2\\. hand NoteWritten ${ids[2]} `));
    expect((await list()).letters).toHaveLength(3);
  });

  it('replays them, those that were asked for and then the rest', async () => {
    await rm(join(folder, 'broken'));
    expect((await banyan('dead', 'replay', 'worker', String(ids[0]), '--yes')).code).toBe(0);
    const left = async (count: number) => {
      for (let tries = 0; (await list()).letters.length !== count; tries++) if (tries > 20) throw new Error('too late');
      return (await list()).letters.map(({ event }) => event.id);
    };
    expect(await left(1)).toEqual([ids[1]]);
    const { json } = await banyan('dead', 'replay', 'worker', '--yes', '--json');
    expect(json).toMatchObject({ events: [ids[1]], next_steps: ['banyan dead list worker'] });
    expect(await left(0)).toEqual([]);
  });
});
