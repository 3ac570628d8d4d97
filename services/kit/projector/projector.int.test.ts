import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import type { EventLog } from '../../../log/index.ts';
import { defineEvents } from '../events.ts';
import { defineProjection, ignore, type Projection } from '../projection.ts';
import { NOTHING_APPLIED } from '../store/types.ts';
import type { Progress } from './projector.ts';
import {
  Bed,
  event,
  faulty,
  gated,
  inBatchesOf,
  note,
  notes,
  notesProjection,
  PARKED,
  tag,
  until,
} from './test-support.ts';

/** Every write of a note, in order: what was rolled back is not in it. */
const AUDIT = `
  CREATE TABLE written (id INTEGER);
  CREATE TRIGGER inserted AFTER INSERT ON notes BEGIN INSERT INTO written VALUES (NEW.id); END;
  CREATE TRIGGER updated AFTER UPDATE ON notes BEGIN INSERT INTO written VALUES (NEW.id); END;`;

const writtenIn = (bed: Bed) => bed.sql('1', 'SELECT id FROM written ORDER BY rowid').flat();

describe('a commit of a projector', () => {
  it.each([
    ['its cursor', "BEFORE UPDATE ON banyan_cursors BEGIN SELECT RAISE(ABORT, 'broken'); END"],
    ['one of its rows', "BEFORE INSERT ON notes WHEN NEW.id = 4 BEGIN SELECT RAISE(ABORT, 'broken'); END"],
  ])('writes nothing at all when %s cannot be written, and a new run goes on there', async (_, trigger) => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    bed.sql('1', AUDIT);
    await bed.append('1', notes(1, 2));
    await bed.catchUp(store);
    await bed.append('2', notes(3, 5));
    bed.sql('1', `CREATE TRIGGER fault ${trigger}`);
    await expect(bed.catchUp(store)).rejects.toThrow('broken');
    expect(bed.notesIn('1')).toEqual([1, 2]);
    expect((await store.cursors())['notes']).toMatchObject([{ offset: 1 }]);
    expect((await store.applied()).position).toBe('1');
    bed.sql('1', 'DROP TRIGGER fault');
    await bed.catchUp(bed.open('1'));
    expect(writtenIn(bed)).toEqual([1, 2, 3, 4, 5]);
    expect((await store.applied()).position).toBe('2');
  });

  it('is not repeated by a new run when the reply to it got lost', async () => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    bed.sql('1', AUDIT);
    await bed.append('1', notes(1, 2));
    const deaf = faulty(store, {
      async commit(...batch) {
        await store.commit(...batch);
        throw new Error('lost after the commit');
      },
    });
    await expect(bed.catchUp(deaf)).rejects.toThrow('lost');
    await bed.append('2', notes(3, 3));
    await bed.catchUp(bed.open('1'));
    expect(writtenIn(bed)).toEqual([1, 2, 3]);
  });

  it('is refused to the second of two projectors, with its rows', async () => {
    await using bed = await Bed.make();
    await bed.append('1', [note(1)]);
    const turn = Promise.withResolvers<void>();
    const second = bed.project(bed.open('1'), {
      log: gated(bed.log, () => turn.promise),
      projection: notesProjection((text) => `${text}, by the second`),
    });
    await bed.catchUp(bed.open('1'));
    turn.resolve();
    await expect(second).rejects.toMatchObject({ code: 'BNY-SERVICE-STORE-TAKEN' });
    expect(bed.sql('1', 'SELECT text FROM notes')).toEqual([['text 1']]);
  });
});

/** A projector that follows the log, and what it told last. */
function following(bed: Bed, log: EventLog = bed.log) {
  const store = bed.open('1');
  const told: Progress[] = [];
  void bed.project(store, { log, onProgress: (progress) => told.push(progress) }).catch(() => undefined);
  return { store, told, hasApplied: (events: number) => until(() => told.at(-1)?.events === events) };
}

describe('the applied position', () => {
  it.each([
    ['of the same topic', { notes: [1], tags: [0] }],
    ['of another topic', { notes: [2], tags: [-1] }],
  ])('stays where it was while an event %s is missing that the checkpoint covers', async (_, before) => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    await bed.append('1', [...notes(1, 3), tag(1)]);
    await bed.project(store, { until: before });
    expect(await store.applied()).toEqual(NOTHING_APPLIED);
    await bed.append('2', [], { freshAt: 7 });
    await bed.catchUp(store);
    expect(await store.applied()).toEqual({ position: '2', freshAt: 7 });
  });

  it('follows checkpoints without events', async () => {
    await using bed = await Bed.make();
    const { store, hasApplied } = following(bed);
    await bed.append('1', [note(1)]);
    await hasApplied(1);
    for (const position of ['2', '3']) {
      await bed.append(position, []);
      await until(async () => (await store.applied()).position === position);
    }
    await bed.append('3', [], { freshAt: 7 });
    await until(async () => (await store.applied()).freshAt === 7);
  });

  it('does not pass the parking of a topic that is read, and moves on when it has ended', async () => {
    await using bed = await Bed.make();
    const { store, hasApplied } = following(bed);
    await bed.append('1', [note(1)]);
    await hasApplied(1);
    await bed.append('2', [tag(1)], { parked: { notes: PARKED } });
    await hasApplied(2);
    await bed.append('3', [tag(2)], { parked: { notes: PARKED } });
    await hasApplied(3);
    expect((await store.applied()).position).toBe('1');
    await bed.append('4', [note(2)]);
    await until(async () => (await store.applied()).position === '4');
  });

  it('passes the parking of a topic that is not read', async () => {
    await using bed = await Bed.make();
    const { store, hasApplied } = following(bed);
    await bed.append('1', [note(1)], { parked: { others: PARKED } });
    await hasApplied(1);
    expect((await store.applied()).position).toBe('1');
  });

  it.each([
    ['as fast as', 2],
    ['faster than', 3],
  ])('moves on while the log grows %s it is read', async (_, each) => {
    await using bed = await Bed.make();
    let looks = 0;
    const growing = faulty(inBatchesOf(2, bed.log), {
      async checkpoint(writer) {
        if (looks < 60) await bed.append(String(++looks).padStart(2, '0'), notes(1, each));
        return bed.log.checkpoint(writer);
      },
    });
    const { told } = following(bed, growing);
    await until(() => looks === 60);
    expect(new Set(told.map(({ applied }) => applied.position)).size).toBeGreaterThan(5);
    expect(told.filter(({ applied, events }) => Number(applied.position) * each > events)).toEqual([]);
  });
});

describe('a projector with an end', () => {
  it('stops at exactly that end, though the log goes on', async () => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    await bed.append('1', [...notes(1, 4), tag(1), tag(2)]);
    await bed.project(store, { until: { notes: [2], tags: [0] } });
    expect(await store.cursors()).toMatchObject({ notes: [{ offset: 2 }], tags: [{ offset: 0 }] });
    expect(bed.notesIn('1')).toEqual([1, 2, 3]);
    expect(bed.sql('1', 'SELECT note FROM tags')).toEqual([[1]]);
  });

  it('reads nothing of a topic whose end is before its first event', async () => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    await bed.append('1', [note(1), tag(1)]);
    await bed.project(store, { until: { notes: [0], tags: [-1] } });
    expect(await store.cursors()).toMatchObject({ notes: [{ offset: 0 }], tags: [{ offset: -1, id: '' }] });
  });
});

/** The next version of the service: it knows more events, and applies none of them wrongly. */
function laterProjection(): Projection {
  const row = z.object({ id: z.int(), text: z.string() });
  const later = defineEvents('notes', {
    NoteWritten: { schema: row, version: 2, upcast: { 1: (data) => data } },
    NoteErased: z.object({ id: z.int() }),
    NoteLost: z.object({}),
  });
  return defineProjection({ notes: { from: 'notes', columns: { id: 'integer', text: 'text' }, key: ['id'] } }, (on) => [
    on(later, { NoteWritten: ({ data }, db) => db.notes.put(data), NoteErased: ignore, NoteLost: ignore }),
  ]);
}

function brittleProjection(): Projection {
  const upcast = {
    1: () => {
      throw new TypeError('no such field');
    },
  };
  const brittle = defineEvents('notes', {
    NoteWritten: { schema: z.object({ id: z.int(), text: z.string() }), version: 2, upcast },
    NoteErased: z.object({ id: z.int() }),
  });
  return notesProjection((text) => text, brittle as never);
}

describe('an event that cannot be applied', () => {
  it.each([
    ['is of an unknown type', event('notes', 'NoteLost', {}), 'BNY-SERVICE-UNKNOWN-EVENT'],
    ['is of an unknown version', event('notes', 'NoteErased', {}, 2), 'BNY-SERVICE-UNKNOWN-EVENT'],
    ['holds a row that does not fit', event('notes', 'NoteWritten', { id: 3 }), 'BNY-SERVICE-PROJECTION'],
    ['holds no JSON', { ...note(3), data: '{"id":' }, 'BNY-SERVICE-PROJECTION'],
  ])('stops the projector there when it %s: named, and nothing of its batch applied', async (_, wrong, code) => {
    await using bed = await Bed.make();
    const store = bed.open('1');
    await bed.append('1', [note(1)]);
    await bed.catchUp(store);
    await bed.append('2', [note(2), wrong, note(4)]);
    const named = { code, message: expect.stringMatching(/notes offset 2/) };
    await expect(bed.catchUp(store)).rejects.toMatchObject(named);
    await expect(bed.catchUp(bed.open('1'))).rejects.toMatchObject(named);
    expect(bed.notesIn('1')).toEqual([1]);
    expect(await store.cursors()).toMatchObject({ notes: [{ offset: 0 }] });
    expect((await store.applied()).position).toBe('1');
  });

  it('is named when its upcast throws', async () => {
    await using bed = await Bed.make();
    const projection = brittleProjection();
    await bed.append('1', [event('notes', 'NoteErased', { id: 9 }), note(1)]);
    await expect(bed.catchUp(bed.open('1', projection), { projection })).rejects.toMatchObject({
      code: 'BNY-SERVICE-PROJECTION',
      message: expect.stringMatching(/NoteWritten at notes offset 1.*no such field/),
    });
  });

  it('is applied by a service that knows it, without a gap', async () => {
    await using bed = await Bed.make();
    const projection = laterProjection();
    const older = defineProjection(
      { notes: { from: 'notes', columns: { id: 'integer', text: 'text' }, key: ['id'] } },
      (on) => [on(olderEvents, { NoteWritten: ({ data }, db) => db.notes.put(data), NoteErased: ignore })],
    );
    await bed.append('1', [note(1), event('notes', 'NoteLost', {}), note(2)]);
    await expect(bed.catchUp(bed.open('1', older), { projection: older })).rejects.toThrow('UNKNOWN-EVENT');
    await bed.catchUp(bed.open('1', projection), { projection });
    expect(bed.notesIn('1')).toEqual([1, 2]);
  });
});

const olderEvents = defineEvents('notes', {
  NoteWritten: z.object({ id: z.int(), text: z.string() }),
  NoteErased: z.object({ id: z.int() }),
});
