import { controlEvent, latestEvent, MAX_APPEND_BYTES, MAX_APPEND_EVENTS, type NewEvent } from '../../log/index.ts';
import type { Appender } from './appender.ts';
import { type Parking, RESUME } from './parking.ts';
import type { SeedChunk } from './seeder.ts';
import { EMITTER, type EmitterState, type SeededTable } from './state.ts';
import type { Translator } from './translate.ts';

/** Kept free in the last append of a seed, for the records that tell of its end. */
const RECORDS = { events: 2, bytes: 2000 };
const NONE = { events: 0, bytes: 0 };

/**
 * Appends a chunk at its high watermark, in slices that each carry the progress up to their last row. Returns why the
 * domain must be parked, if its capture throws.
 */
export async function appendChunk(
  chunk: SeedChunk,
  appender: Appender,
  translator: Translator,
): Promise<Parking | undefined> {
  const time = new Date().toISOString();
  await appender.send();
  const reserved = chunk.lastTable && chunk.tableDone ? RECORDS : NONE;
  const limit = { events: MAX_APPEND_EVENTS - reserved.events, bytes: MAX_APPEND_BYTES - reserved.bytes };
  let slice: NewEvent[] = [];
  let bytes = 0;
  let rows = 0;
  let lastKey: SeededTable['lastKey'];
  for (const row of chunk.rows) {
    let events: NewEvent[];
    try {
      events = translator.seed(row, chunk.run, appender.state, time);
    } catch (error) {
      await append(slice, rows, lastKey, false);
      const cause = `seed of ${row.table} ${JSON.stringify(row.key)}: ${(error as Error).message}`;
      return { domain: chunk.domain, cause, cure: RESUME(chunk.domain), reseed: false };
    }
    const size = events.reduce((sum, event) => sum + event.data.length, 0);
    if (slice.length + events.length > limit.events || bytes + size > limit.bytes) {
      await append(slice, rows, lastKey, false);
      [slice, bytes, rows] = [[], 0, 0];
    }
    slice.push(...events);
    bytes += size;
    rows++;
    lastKey = row.key;
  }
  await append(slice, rows, chunk.upTo, chunk.tableDone);
  return undefined;

  async function append(
    events: NewEvent[],
    count: number,
    lastKey: SeededTable['lastKey'],
    done: boolean,
  ): Promise<void> {
    const { state, records } = progressed(appender.state, chunk, count, lastKey, done);
    await appender.addWhole([...events, ...records], state);
    await appender.send();
  }
}

/** The state after `rows` more rows, and what to tell: progress, or that the whole domain is seeded. */
function progressed(
  state: EmitterState,
  chunk: SeedChunk,
  rows: number,
  lastKey: SeededTable['lastKey'],
  done: boolean,
) {
  const { domain, table, run } = chunk;
  const seed = state.seeds[domain];
  if (!seed) return { state, records: [] };
  const known = seed.tables[table] ?? { lastKey: undefined, rows: 0, done: false };
  const updated = { lastKey: lastKey ?? known.lastKey, rows: known.rows + rows, done };
  const tables = { ...seed.tables, [table]: updated };
  if (!chunk.lastTable || !done) {
    return { state: { ...state, seeds: { ...state.seeds, [domain]: { ...seed, tables } } }, records: [] };
  }
  const { [domain]: _, ...others } = state.seeds;
  const total = Object.values(tables).reduce((sum, entry) => sum + entry.rows, 0);
  const finished = {
    domain,
    run,
    table,
    rows: total,
    estimate: total,
    rowsPerSecond: 0,
    state: 'done' as const,
    reason: null,
  };
  return {
    state: { ...state, seeds: others },
    records: [
      controlEvent('DomainSeeded', { domain, run, rows: total }, EMITTER),
      latestEvent('EtlProgress', `etl:${domain}`, finished, EMITTER),
    ],
  };
}
