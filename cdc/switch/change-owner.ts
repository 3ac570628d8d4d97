import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import { ownershipTable } from '../fence/row.ts';
import type { OwnershipRow } from './step.ts';

export interface OwnerChange {
  domain: string;
  /** The monolith's schema, and the domain's tables there. */
  schema: string;
  tables: readonly string[];
  banyanSchema: string;
  /** What the row must say; else it is left alone. */
  from: OwnershipRow;
  to: OwnershipRow;
  switchId: string;
}

/** `busy`: a transaction that the fence has let by is open; `outdated`: the row says something else by now. */
export type Changed = 'changed' | 'busy' | 'outdated';

const LOCK_WAIT_TIMEOUT = 1205;

/**
 * Changes who owns a domain: behind every transaction that the fence has let by, before every later one, and with the
 * next id of each table as it is then. It never waits for the row: one that waits would hold up every writer behind it,
 * and could deadlock with them. Whoever asks asks again. An error leaves open whether it was changed: read the row.
 */
export async function changeOwner(connection: Connection, change: OwnerChange): Promise<Changed> {
  const { domain, schema, tables, banyanSchema, from, to, switchId } = change;
  const table = ownershipTable(banyanSchema);
  await query(connection, 'START TRANSACTION');
  try {
    const sql = `SELECT owner, epoch FROM ${table} WHERE domain = ? FOR UPDATE NOWAIT`;
    const [row] = await query(connection, sql, [domain]);
    if (row?.['owner'] !== from.owner || Number(row?.['epoch']) !== from.epoch) return 'outdated';
    const nextIds = JSON.stringify(await nextIdsOf(connection, schema, tables));
    await query(connection, `UPDATE ${table} SET owner = ?, epoch = ?, switch_id = ?, next_ids = ? WHERE domain = ?`, [
      to.owner,
      to.epoch,
      switchId,
      nextIds,
      domain,
    ]);
    await query(connection, 'COMMIT');
    return 'changed';
  } catch (error) {
    if ((error as { errno?: number }).errno === LOCK_WAIT_TIMEOUT) return 'busy';
    throw error;
  } finally {
    // Nothing is left to be undone once it is committed, and nobody to be told where the connection is gone.
    await query(connection, 'ROLLBACK').catch(() => undefined);
  }
}

/** Table → what its next row would get; the highest id that is there says less, as rows may have been deleted. */
async function nextIdsOf(
  connection: Connection,
  schema: string,
  tables: readonly string[],
): Promise<Record<string, string>> {
  const rows = await query(
    connection,
    `SELECT TABLE_NAME AS name, AUTO_INCREMENT AS next FROM information_schema.TABLES
      WHERE TABLE_SCHEMA = ? AND TABLE_NAME IN (?) AND AUTO_INCREMENT IS NOT NULL`,
    [schema, tables],
  );
  return Object.fromEntries(rows.map(({ name, next }) => [name, String(next)]));
}
