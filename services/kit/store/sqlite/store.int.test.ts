import { writeFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import type { NewEvent } from '../../../../log/index.ts';
import { RESET_TYPE } from '../../../../log/index.ts';
import { handlesOf } from '../../../../log/test-support.ts';
import { Bed, event, NOTES, note, notes, tag } from '../../projector/test-support.ts';
import { random } from '../../test-support.ts';
import { peek, SqliteStore } from './store.ts';

const erased = (id: number) => event('notes', 'NoteErased', { id });
const reset = () => event('notes', RESET_TYPE, {});

/** Notes 1 and 2 are in the store; then `events` come in one batch. */
async function rowsAfter(bed: Bed, ...events: NewEvent[]): Promise<unknown[]> {
  const store = bed.open('1');
  await bed.append('1', notes(1, 2));
  await bed.catchUp(store);
  await bed.append('2', events);
  await bed.catchUp(store);
  return bed.sql('1', 'SELECT id, text FROM notes ORDER BY id');
}

describe('a batch of a store', () => {
  const one = [1, 'text 1'];
  const two = [2, 'text 2'];
  it.each([
    ['removes a row that it puts and then deletes', [note(1, 'x'), erased(1), note(3), erased(3)], [two]],
    ['keeps a row that it deletes and then puts', [erased(1), note(1, 'x')], [[1, 'x'], two]],
    ['keeps after a clear only what it puts then', [note(3), reset(), note(1, 'x')], [[1, 'x']]],
    ['removes after a clear what it deletes again', [reset(), note(1), erased(1)], []],
    ['lets a row alone that it does not name', [erased(7)], [one, two]],
  ])('%s', async (_, events, rows) => {
    await using bed = await Bed.make();
    expect(await rowsAfter(bed, ...events)).toEqual(rows);
  });

  it('fails rather than removing another row that stands in its way', async () => {
    await using bed = await Bed.make();
    bed.open('1');
    bed.sql('1', 'CREATE UNIQUE INDEX only ON notes (text)');
    await expect(rowsAfter(bed, note(3, 'text 1'))).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT_UNIQUE' });
    expect(bed.notesIn('1')).toEqual([1, 2]);
  });

  it('sets every column of a row that is there', async () => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    await bed.append('1', [tag(1, 'red', 1)]);
    await bed.catchUp(store);
    await bed.append('2', [tag(1, 'red', 2), tag(1, 'blue', 3)]);
    await bed.catchUp(store);
    expect(bed.sql('1', 'SELECT * FROM tags ORDER BY name')).toEqual([
      [1, 'blue', 3],
      [1, 'red', 2],
    ]);
  });
});

function shuffled<T>(items: readonly T[], next: () => number): T[] {
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** The hash of a store that is told `events`, in batches of several. */
async function hashAfter(events: readonly NewEvent[], batches: number): Promise<string> {
  await using bed = await Bed.make();
  const store = bed.open('1');
  const size = Math.ceil(events.length / batches);
  for (let i = 0; i < events.length; i += size) {
    await bed.append(String(i), events.slice(i, i + size));
    await bed.catchUp(store);
  }
  return store.hash();
}

describe("a store's hash", () => {
  const events = [...notes(1, 30), ...Array.from({ length: 30 }, (_, i) => tag(i % 7, `tag ${i}`, i))];

  it('is the same for the same rows, in whatever order and batches they came', async () => {
    const first = await hashAfter(events, 1);
    for (const seed of [1, 2, 3]) expect(await hashAfter(shuffled(events, random(seed)), seed)).toBe(first);
    const detour = [note(99), ...events, erased(99), note(5, 'other'), note(5)];
    expect(await hashAfter(detour, 4)).toBe(first);
  });

  it('is another when a row is missing, different, or more', async () => {
    const first = await hashAfter(events, 1);
    expect(await hashAfter(events.slice(1), 1)).not.toBe(first);
    expect(await hashAfter([...events, note(5, 'other')], 1)).not.toBe(first);
    expect(await hashAfter([...events, tag(1, 'more')], 1)).not.toBe(first);
  });
});

describe("a store's file", () => {
  it('is not taken for the store of another log', async () => {
    await using bed = await Bed.make();
    bed.open('1');
    const open = () => new SqliteStore({ ...bed.file('1'), logIdentity: 'another' });
    expect(open).toThrow(expect.objectContaining({ code: 'BNY-SERVICE-STORE-LOG' }));
  });

  it('is not taken for that of another projection', async () => {
    await using bed = await Bed.make();
    bed.open('1');
    const tables = new Map([...NOTES.projection.tables].slice(0, 1));
    const open = () => new SqliteStore({ ...bed.file('1'), projection: { ...NOTES.projection, tables } });
    expect(open).toThrow(expect.objectContaining({ code: 'BNY-SERVICE-STORE-SCHEMA' }));
  });

  it('is let go of by who is refused it', async () => {
    await using bed = await Bed.make();
    await new SqliteStore(bed.file('1')).close();
    const another = { ...bed.file('1'), logIdentity: 'another' };
    expect(() => new SqliteStore(another)).toThrow('BNY-SERVICE-STORE-LOG');
    expect(() => peek(another)).toThrow('BNY-SERVICE-STORE-LOG');
    expect(handlesOf(bed.path('1'))).toEqual([]);
  });

  it('tells how far it is while it is being written, and nothing before it is there', async () => {
    await using bed = await Bed.make();
    bed.open('0');
    expect(peek(bed.file('1'))).toBeUndefined();
    writeFileSync(bed.path('1'), '');
    expect(peek(bed.file('1'))).toBeUndefined();
    await bed.open('1').setApplied({ position: '7', freshAt: 7 });
    bed.hold('1');
    expect(peek(bed.file('1'))).toEqual({ position: '7', freshAt: 7 });
  });
});
