import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import { cdcFault } from '../errors.ts';
import type { OwnershipRow } from '../switch/step.ts';
import { quoteName } from '../values/select.ts';

/** The row of a domain that its fence reads, with what was written at its last change. */
export interface StoredOwnership extends OwnershipRow {
  switchId: string | undefined;
  /** Table → the id that its next row would have got. */
  nextIds: Readonly<Record<string, string>>;
}

export function ownershipTable(banyanSchema: string): string {
  return `${quoteName(banyanSchema)}.ownership`;
}

const NO_SUCH_TABLE = 1146;

/**
 * Undefined when there is none: then the fence lets nobody write.
 *
 * @throws BNY-CDC-SETTINGS when there is no such table
 */
export async function read(
  connection: Connection,
  domain: string,
  banyanSchema: string,
): Promise<StoredOwnership | undefined> {
  const sql = `SELECT owner, epoch, switch_id, next_ids FROM ${ownershipTable(banyanSchema)} WHERE domain = ?`;
  const [row] = await query(connection, { sql, rowsAsArray: false }, [domain]).catch((cause: unknown) => {
    if ((cause as { errno?: number }).errno !== NO_SUCH_TABLE) throw cause;
    const found = `no table ${ownershipTable(banyanSchema)}`;
    throw cdcFault('BNY-CDC-SETTINGS', { found, needed: 'who owns each domain', cure: 'banyan install --yes', cause });
  });
  if (!row) return undefined;
  return {
    owner: row['owner'],
    epoch: Number(row['epoch']),
    switchId: row['switch_id'] ?? undefined,
    nextIds: JSON.parse(row['next_ids'] ?? '{}'),
  };
}
