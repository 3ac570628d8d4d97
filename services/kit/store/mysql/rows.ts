import { createHash } from 'node:crypto';
import type { RowDataPacket } from 'mysql2/promise';
import type { SqlValue, Table } from '../../table.ts';
import type { Difference } from '../types.ts';
import { quote } from './schema.ts';
import type { Session } from './session.ts';

type Row = readonly SqlValue[];

const PAGE = 500;

/** Every row, in key order, each a list of its values in the order of the columns; a page in memory at a time. */
export async function* rowsInOrder(session: Session, database: string, table: Table): AsyncGenerator<Row> {
  const columns = table.columns.map((column) => quote(column.name)).join(', ');
  const from = `SELECT ${columns} FROM ${quote(database)}.${quote(table.name)}`;
  const order = `ORDER BY ${table.key.map(quote).join(', ')} LIMIT ${PAGE}`;
  let [where, values]: [string, SqlValue[]] = ['', []];
  for (;;) {
    const sql = `${from} ${where} ${order}`;
    const page = (await session.query<RowDataPacket[]>({ sql, rowsAsArray: true }, values)) as unknown as Row[];
    yield* page;
    if (page.length < PAGE) return;
    [where, values] = behind(table, keyIn(table, page.at(-1) as Row));
  }
}

/** Written so that the index finds the place: a comparison of whole keys would read the table from its beginning. */
function behind({ key }: Table, last: Row): [string, SqlValue[]] {
  const steps = key.map((column, i) => {
    const same = key.slice(0, i).map((name) => `${quote(name)} = ?`);
    return { sql: [...same, `${quote(column)} > ?`].join(' AND '), values: last.slice(0, i + 1) };
  });
  return [`WHERE ${steps.map(({ sql }) => `(${sql})`).join(' OR ')}`, steps.flatMap(({ values }) => values)];
}

function keyIn(table: Table, row: Row): SqlValue[] {
  return table.key.map((name) => row[table.columns.findIndex((column) => column.name === name)] as SqlValue);
}

export async function hashOf(session: Session, database: string, tables: Iterable<Table>): Promise<string> {
  const hash = createHash('sha256');
  for (const table of tables) {
    hash.update(`${table.name}\n`);
    for await (const row of rowsInOrder(session, database, table)) hash.update(`${JSON.stringify(row)}\n`);
  }
  return hash.digest('hex');
}

/** Walks both in key order, side by side. */
export async function* differencesIn(
  table: Table,
  ours: AsyncGenerator<Row>,
  theirs: AsyncGenerator<Row>,
): AsyncGenerator<Difference> {
  const next = async (rows: AsyncGenerator<Row>) => (await rows.next()).value as Row | undefined;
  let [our, their] = [await next(ours), await next(theirs)];
  while (our || their) {
    const order = !our ? 1 : !their ? -1 : compareKeys(keyIn(table, our), keyIn(table, their));
    const row = (order <= 0 ? our : their) as Row;
    const columns = order === 0 ? table.columns.filter((_, i) => our?.[i] !== their?.[i]).map(({ name }) => name) : [];
    const kind = order < 0 ? 'missing' : order > 0 ? 'extra' : 'different';
    if (order !== 0 || columns.length > 0) yield { table: table.name, key: keyIn(table, row), kind, columns };
    if (order <= 0) our = await next(ours);
    if (order >= 0) their = await next(theirs);
  }
}

/** As the server orders them: numbers by size, text by its bytes. */
function compareKeys(a: Row, b: Row): number {
  for (const [i, one] of a.entries()) {
    const other = b[i] as SqlValue;
    const order =
      typeof one === 'number'
        ? one - Number(other)
        : Buffer.compare(Buffer.from(String(one)), Buffer.from(String(other)));
    if (order !== 0) return order;
  }
  return 0;
}
