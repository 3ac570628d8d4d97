import { createHash } from 'node:crypto';
import { serviceFault } from '../../errors.ts';
import type { Table } from '../../table.ts';
import { claimsOf } from '../claims.ts';
import type { StoreOrigin } from '../types.ts';
import { COLLATION, type Session } from './session.ts';

/** InnoDB's limit for the key of an index, and what a character can take of it. */
const KEY_BYTES = 3072;
const CHARACTER_BYTES = 4;

const FORM = `ENGINE = InnoDB ROW_FORMAT = DYNAMIC CHARACTER SET utf8mb4 COLLATE ${COLLATION}`;
const DDL_MS = 3_600_000;

export function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** Characters that a text of the key may have: what is longer is refused, never cut. */
export function keyLengthOf(table: Table): number {
  return lengthIn(table, table.key);
}

/** Makes what is not there yet. @throws BNY-SERVICE-STORE-LOG, BNY-SERVICE-STORE-SCHEMA */
export async function prepare(session: Session, database: string, origin: StoreOrigin): Promise<void> {
  const db = quote(database);
  const ddl = (sql: string) => session.query(sql, [], DDL_MS);
  await ddl(`CREATE DATABASE IF NOT EXISTS ${db} CHARACTER SET utf8mb4 COLLATE ${COLLATION}`);
  await ddl(`CREATE TABLE IF NOT EXISTS ${db}.banyan_meta (
    \`key\` VARCHAR(20) PRIMARY KEY, value LONGTEXT NOT NULL) ${FORM}`);
  await ddl(`CREATE TABLE IF NOT EXISTS ${db}.banyan_cursors (
    topic VARCHAR(255), \`partition\` INT, \`offset\` BIGINT NOT NULL, id LONGTEXT NOT NULL,
    PRIMARY KEY (topic, \`partition\`)) ${FORM}`);
  await checkClaims(session, database, origin);
  for (const table of origin.projection.tables.values()) await ddl(createTable(db, table));
  await refuseUniqueIndexes(session, database);
  const starts = origin.projection.topics.flatMap((topic) =>
    Array.from({ length: origin.partitions[topic] ?? 1 }, (_, partition) => [topic, partition, -1, '']),
  );
  await session.transaction(async () => {
    await session.query(`INSERT IGNORE INTO ${db}.banyan_cursors VALUES ?`, [starts]);
    const claims = claimsOf(origin).map(({ key, value }) => [key, value]);
    await session.query(`INSERT IGNORE INTO ${db}.banyan_meta VALUES ?`, [claims]);
  });
}

/** False while the store is still being made. @throws BNY-SERVICE-STORE-LOG, BNY-SERVICE-STORE-SCHEMA */
export async function checkClaims(session: Session, database: string, origin: StoreOrigin): Promise<boolean> {
  const rows = await session.query(`SELECT \`key\`, value FROM ${quote(database)}.banyan_meta`);
  const found = new Map(rows.map(({ key, value }) => [key as string, value as string]));
  const claims = claimsOf(origin);
  for (const { key, value, code } of claims) {
    const other = found.get(key);
    if (other === undefined || other === value) continue;
    const cure = `Run DROP DATABASE ${quote(database)} and restart the service: the store is rebuilt from the log.`;
    throw serviceFault(code, { found: `${other} in database ${database}`, needed: value, cure });
  }
  return claims.every(({ key }) => found.has(key));
}

/** An upsert would take a row that such an index finds for the one that is meant. */
async function refuseUniqueIndexes(session: Session, database: string): Promise<void> {
  const [found] = await indexesIn(session, database, "non_unique = 0 AND index_name <> 'PRIMARY'");
  if (found === undefined) return;
  throw serviceFault('BNY-SERVICE-STORE-SCHEMA', {
    found: `the unique index ${found} in database ${database}`,
    needed: 'no unique index besides the primary keys',
    cure: 'Drop that index and restart the service.',
  });
}

async function indexesIn(session: Session, database: string, where: string): Promise<string[]> {
  const rows = await session.query(
    `SELECT DISTINCT table_name AS t, index_name AS i FROM information_schema.STATISTICS
     WHERE table_schema = ? AND ${where}`,
    [database],
  );
  return rows.map(({ t, i }) => `${t}.${i}`);
}

function createTable(db: string, table: Table): string {
  const types = { integer: 'BIGINT', real: 'DOUBLE', text: 'LONGTEXT', json: 'LONGTEXT' } as const;
  const definitions = table.columns.map(({ name, base, nullable }) => {
    const long = types[base] === 'LONGTEXT';
    const type = long && table.key.includes(name) ? `VARCHAR(${keyLengthOf(table)})` : types[base];
    return `${quote(name)} ${type}${nullable ? '' : ' NOT NULL'}`;
  });
  return `CREATE TABLE IF NOT EXISTS ${db}.${quote(table.name)} (
    ${definitions.join(', ')}, PRIMARY KEY (${table.key.map(quote).join(', ')})) ${FORM}`;
}

export async function createIndexes(session: Session, database: string, { projection }: StoreOrigin): Promise<void> {
  const there = new Set(await indexesIn(session, database, 'non_unique = 1'));
  for (const table of projection.tables.values()) {
    for (const columns of table.indexes) {
      const name = indexName(table, columns);
      if (there.has(`${table.name}.${name}`)) continue;
      const on = `${quote(database)}.${quote(table.name)} (${indexParts(table, columns)})`;
      await session.query(`CREATE INDEX ${quote(name)} ON ${on}`, [], DDL_MS);
    }
  }
}

/** A name of theirs is 64 characters long at most. */
function indexName({ name }: Table, columns: readonly string[]): string {
  const whole = `${name}_${columns.join('_')}`;
  return whole.length <= 64 ? whole : createHash('sha256').update(whole).digest('hex');
}

/** Of a long text an index holds the beginning: enough to find by, where all of it need not fit. */
function indexParts(table: Table, columns: readonly string[]): string {
  const length = lengthIn(table, columns);
  const partOf = (name: string) => {
    if (textsOf(table, [name]).length === 0) return quote(name);
    return `${quote(name)}(${table.key.includes(name) ? Math.min(length, keyLengthOf(table)) : length})`;
  };
  return columns.map(partOf).join(', ');
}

function lengthIn(table: Table, columns: readonly string[]): number {
  const texts = textsOf(table, columns).length;
  const rest = KEY_BYTES - (columns.length - texts) * 8;
  return texts === 0 ? 0 : Math.floor(rest / CHARACTER_BYTES / texts);
}

function textsOf(table: Table, columns: readonly string[]): string[] {
  const isText = (name: string) =>
    table.columns.some((column) => column.name === name && ['text', 'json'].includes(column.base));
  return columns.filter(isText);
}
