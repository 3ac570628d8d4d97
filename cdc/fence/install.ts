import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import { cdcFault } from '../errors.ts';
import { quoteText } from '../schema/install.ts';
import { quoteName } from '../values/select.ts';
import { lockHolders } from './holders.ts';
import { dropSql, type Inspection, inspect } from './inspect.ts';
import { ownershipTable } from './row.ts';
import type { Fence } from './triggers.ts';

/** One statement, and the table that it locks. */
export interface Step {
  sql: string;
  table: string;
}

const LOCK_WAIT_S = 1;
const ATTEMPTS = 5;
const PAUSE_MS = 500;

/** How a session begins that makes or drops a fence: it waits briefly, as others wait behind it, and quotes as we do. */
export const SESSION = `SET SESSION lock_wait_timeout = ${LOCK_WAIT_S}, innodb_lock_wait_timeout = ${LOCK_WAIT_S}, sql_mode = ''`;

export const LOCKING = `Each waits for the transactions that are open on its table, ${ATTEMPTS} times ${LOCK_WAIT_S} s at most, and new statements on that table wait behind it`;

/** The row first: without one the triggers would let nobody write. What stands as it should is left. */
export function installSteps(fence: Fence, { row, differences }: Inspection): Step[] {
  const table = ownershipTable(fence.banyanSchema);
  const insert = `INSERT IGNORE INTO ${table} (domain, owner, epoch) VALUES (${quoteText(fence.domain)}, 'monolith', 0)`;
  const steps = differences.flatMap(({ sql, table: on }) => sql.map((statement) => ({ sql: statement, table: on })));
  return row ? steps : [{ sql: insert, table: 'ownership' }, ...steps];
}

/** The row stays: its epoch goes on when the fence is put up again. */
export function removeSteps(fence: Fence, { ours }: Inspection): Step[] {
  return ours.map(({ name, table }) => ({ sql: dropSql(fence, name), table }));
}

/** @throws BNY-CDC-FENCE saying how far it has come */
export async function putUp(connection: Connection, fence: Fence, steps: readonly Step[]): Promise<void> {
  await carryOut(connection, fence, steps);
  const { row, differences } = await inspect(connection, fence);
  if (row && differences.length === 0) return;
  throw cdcFault('BNY-CDC-FENCE', {
    found: `changed by others meanwhile: ${[...(row ? [] : ['no row']), ...differences.map(({ found }) => found)].join('; ')}`,
    needed: 'nobody else who changes these triggers',
  });
}

/**
 * `holder`: a connection of its own, which keeps the row as it is meanwhile: dropping a trigger ends a transaction.
 *
 * @throws BNY-CDC-FENCE when a service owns the domain, or saying how far it has come
 */
export async function takeDown(
  connection: Connection,
  holder: Connection,
  fence: Fence,
  steps: readonly Step[],
): Promise<void> {
  await query(holder, SESSION);
  await query(holder, 'START TRANSACTION');
  try {
    const sql = `SELECT owner, epoch FROM ${ownershipTable(fence.banyanSchema)} WHERE domain = ? LOCK IN SHARE MODE`;
    const [row] = await query(holder, { sql, rowsAsArray: false }, [fence.domain]);
    if (row?.['owner'] === 'service') {
      const found = `${fence.domain} is owned by its service (epoch ${row['epoch']}): without its fence two would write`;
      throw cdcFault('BNY-CDC-FENCE', {
        found,
        needed: 'a domain that the monolith owns',
        cure: 'Move its writes back.',
      });
    }
    await carryOut(connection, fence, steps);
  } finally {
    await query(holder, 'ROLLBACK');
  }
}

async function carryOut(connection: Connection, fence: Fence, steps: readonly Step[]): Promise<void> {
  await query(connection, SESSION);
  for (const step of steps) {
    try {
      await insist(connection, step);
    } catch (cause) {
      const found = [await reasonOf(connection, fence, step, cause), await progressOf(connection, fence)].join('; ');
      const needed = isLocked(cause) ? 'a moment at which nobody uses the table' : 'statements that the server accepts';
      throw cdcFault('BNY-CDC-FENCE', { found, needed, cause });
    }
  }
}

const LOCK_TIMED_OUT = 1205;

function isLocked(error: unknown): boolean {
  return (error as { errno?: number }).errno === LOCK_TIMED_OUT;
}

async function insist(connection: Connection, { sql }: Step): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await query(connection, sql);
      return;
    } catch (error) {
      if (!isLocked(error) || attempt === ATTEMPTS) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

async function reasonOf(connection: Connection, { schema }: Fence, { table }: Step, error: unknown): Promise<string> {
  const name = `${quoteName(schema)}.${quoteName(table)}`;
  if (!isLocked(error)) return `${name}: ${(error as Error).message}`;
  const holders = await lockHolders(connection, schema, table).catch((denied: Error) => denied.message);
  return `${name} is locked, ${holders}`;
}

/** How far the fence stands by now. A half-fenced table refuses some writes and lets others by. */
async function progressOf(connection: Connection, fence: Fence): Promise<string> {
  try {
    const { differences, tables } = await inspect(connection, fence);
    const stands = [...tables.keys()].map((table) => {
      const left = differences.filter((difference) => difference.table === table).length;
      return `${table} ${left === 0 ? 'whole' : left < 3 ? 'HALF' : 'none'}`;
    });
    return `the fence stands: ${stands.join(', ')}`;
  } catch (error) {
    return `how far the fence stands could not be read: ${(error as Error).message}`;
  }
}
