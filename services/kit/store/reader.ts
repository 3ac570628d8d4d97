import type { Knex } from 'knex';
import { type Applied, NOTHING_APPLIED } from './types.ts';

/** Reads in one transaction. `applied` is its first read: with that the moment is fixed which all others see. */
export async function readIn<T>(
  snapshot: Knex.Transaction,
  work: (db: Knex, applied: Applied) => Promise<T>,
): Promise<T> {
  try {
    return await work(snapshot, await appliedIn(snapshot));
  } finally {
    await snapshot.commit();
  }
}

async function appliedIn(db: Knex): Promise<Applied> {
  const row = await db('banyan_meta').where({ key: 'applied' }).first<{ value: string } | undefined>('value');
  return row ? (JSON.parse(row.value) as Applied) : NOTHING_APPLIED;
}
