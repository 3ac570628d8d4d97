import { readdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type { EventLog } from '../../../log/index.ts';
import type { Lease } from '../store/types.ts';
import { rebuild } from './replay.ts';
import { Bed, event, faulty, inBatchesOf, NOTES, note, notes, tag } from './test-support.ts';

/** A bed whose live store `1` has applied all of the log but the last note. */
async function bedWithLiveStore(): Promise<Bed> {
  const bed = await Bed.make();
  await bed.append('1', [...notes(1, 4), event('notes', 'NoteErased', { id: 2 }), tag(1), tag(3, 'blue')]);
  await bed.catchUp(bed.open('1'));
  await bed.append('2', [note(5)]);
  return bed;
}

async function rebuilt(
  bed: Bed,
  { log = bed.log, signal = bed.signal }: { log?: EventLog; signal?: AbortSignal } = {},
) {
  const lease = (await bed.stores.lease('2')) as Lease;
  const options = { log, domain: NOTES, stores: bed.stores, name: '2', lease, live: '1', actor: 'test' };
  try {
    return await bed.keep(rebuild(options, signal));
  } finally {
    await lease.release();
  }
}

/** A log that breaks when the first batch is asked for. */
function breaking(log: EventLog, how: () => void): EventLog {
  return faulty(log, {
    read(from, options) {
      how();
      return log.read(from, options);
    },
  });
}

const files = (bed: Bed) => readdir(dirname(bed.path('1')));
const frozenIn = async (bed: Bed) => (await files(bed)).filter((name) => name.includes('frozen'));
const filesOf = async (bed: Bed, store: string) =>
  (await files(bed)).filter((name) => name.startsWith(`notes.${store}.`) && !name.endsWith('.lock'));

const INDEXES = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";

describe('a rebuild', () => {
  it('tells the hash of two equal stores, at the cursors of the live one', async () => {
    await using bed = await bedWithLiveStore();
    const result = await rebuilt(bed);
    const next = bed.open('2');
    expect(result).toEqual({ hash: await bed.open('1').hash() });
    expect(result).toEqual({ hash: await next.hash() });
    expect(await next.cursors()).toEqual(await bed.open('1').cursors());
    expect(bed.notesIn('2')).toEqual([1, 3, 4]);
    expect(await frozenIn(bed)).toEqual([]);
  });

  it('leaves the indexes to the end, and has them then', async () => {
    await using bed = await bedWithLiveStore();
    const during: unknown[] = [];
    const watched = breaking(bed.log, () => during.push(bed.sql('2', INDEXES)));
    await rebuilt(bed, { log: watched });
    expect(during).toEqual([[]]);
    expect(bed.sql('2', INDEXES)).toEqual([['notes_text']]);
  });

  it('is as fresh as the store that it was compared with', async () => {
    await using bed = await bedWithLiveStore();
    await rebuilt(bed);
    expect(await bed.open('2').applied()).toEqual(await bed.open('1').applied());
  });

  it.each([
    ['equal', 'SELECT 1', { hash: expect.any(String) }],
    ['not equal', 'DELETE FROM notes WHERE id = 1', { differences: [expect.objectContaining({ key: [1] })] }],
  ])('compares as of one moment, whatever is applied to the live store meanwhile: %s', async (_, edit, expected) => {
    await using bed = await bedWithLiveStore();
    bed.sql('1', edit);
    const live = bed.open('1');
    const meanwhile = faulty(bed.log, {
      async *read(from, options) {
        await bed.catchUp(live);
        yield* bed.log.read(from, options);
      },
    });
    expect(await rebuilt(bed, { log: meanwhile })).toEqual(expected);
    expect(bed.notesIn('1')).toContain(5);
  });

  it('says how far it is, and that it is through', async () => {
    await using bed = await bedWithLiveStore();
    await rebuilt(bed, { log: inBatchesOf(3, bed.log) });
    expect(await bed.latest('ReplayProgress')).toEqual([{ domain: 'notes', store: '2', events: 7, total: 7 }]);
  });
});

describe('a rebuild beside a live store that has been edited', () => {
  it.each([
    ["UPDATE notes SET text = 'x' WHERE id = 3", [{ table: 'notes', key: [3], kind: 'different', columns: ['text'] }]],
    ['DELETE FROM notes WHERE id = 1', [{ table: 'notes', key: [1], kind: 'extra', columns: [] }]],
    [
      "INSERT INTO tags VALUES (7, 'a', 1), (7, 'b', 1)",
      [
        { table: 'tags', key: [7, 'a'], kind: 'missing', columns: [] },
        { table: 'tags', key: [7, 'b'], kind: 'missing', columns: [] },
      ],
    ],
    [
      "UPDATE tags SET weight = 5 WHERE name = 'blue'",
      [{ table: 'tags', key: [3, 'blue'], kind: 'different', columns: ['weight'] }],
    ],
  ])('names what differs: %s', async (edit, differences) => {
    await using bed = await bedWithLiveStore();
    bed.sql('1', edit);
    expect(await rebuilt(bed)).toEqual({ differences });
    expect(await frozenIn(bed)).toEqual([]);
    expect(await filesOf(bed, '2')).toEqual([]);
    expect((await bed.control()).of('notes').store.live).toBe('1');
  });

  it('calls a row different, not missing, however many others differ', async () => {
    await using bed = await Bed.make();
    await bed.append('1', notes(1, 40));
    await bed.catchUp(bed.open('1'));
    bed.sql('1', "UPDATE notes SET text = printf('%02d', 99 - id)");
    const result = await rebuilt(bed);
    const different = { table: 'notes', key: [expect.any(Number)], kind: 'different', columns: ['text'] };
    expect(result).toEqual({ differences: Array.from({ length: 10 }, () => different) });
  });
});

describe('a rebuild that does not get through', () => {
  it('leaves nothing behind when it is interrupted, and the next one works', async () => {
    await using bed = await bedWithLiveStore();
    const stop = new AbortController();
    const log = breaking(bed.log, () => stop.abort());
    await expect(rebuilt(bed, { log, signal: stop.signal })).rejects.toMatchObject({ name: 'AbortError' });
    expect(await frozenIn(bed)).toEqual([]);
    expect(await filesOf(bed, '2')).toEqual([]);
    expect(await rebuilt(bed)).toHaveProperty('hash');
  });

  it('begins anew where a killed one left its files', async () => {
    await using bed = await bedWithLiveStore();
    const killed = bed.open('2');
    await bed.catchUp(killed);
    await killed.close();
    bed.sql('2', "UPDATE notes SET text = 'half'");
    bed.sql('1.sqlite.frozen-2', 'CREATE TABLE half (id INTEGER)');
    await rebuilt(bed);
    expect(await bed.open('2').hash()).toBe(await bed.open('1').hash());
  });

  it('leaves nothing behind when the log breaks', async () => {
    await using bed = await bedWithLiveStore();
    const log = breaking(bed.log, () => {
      throw new Error('broken');
    });
    await expect(rebuilt(bed, { log })).rejects.toThrow('broken');
    expect(await frozenIn(bed)).toEqual([]);
    expect(await filesOf(bed, '2')).toEqual([]);
  });

  it('leaves nothing behind when the live store is of another version of the projection', async () => {
    await using bed = await bedWithLiveStore();
    bed.sql('1', "UPDATE banyan_meta SET value = 'another' WHERE key = 'schema'");
    await expect(rebuilt(bed)).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-SCHEMA' });
    expect(await frozenIn(bed)).toEqual([]);
  });
});
