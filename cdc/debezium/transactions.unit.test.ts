import { describe, expect, it } from '@jest/globals';
import type { KafkaRecord } from '../../log/kafka/record-batch.ts';
import type { Transaction } from '../types.ts';
import { NO_GTID } from './position.ts';
import { readRecord } from './record.ts';
import type { Resume } from './resume.ts';
import { Tables } from './tables.ts';
import { Transactions } from './transactions.ts';

const TOPIC = 'banyan.changes';
const OPTIONS = {
  schema: 'shop',
  tables: { orders: { key: ['id'], columns: ['id', 'title'] } },
} as unknown as ConstructorParameters<typeof Tables>[0];
const STRUCTURES = {
  orders: {
    key: ['id'],
    columns: ['id', 'title'].map((name) => ({
      ...{ name, type: name === 'id' ? 'INT' : 'VARCHAR', charset: 'utf8mb4', length: 9, scale: null },
      ...{ optional: name !== 'id', labels: null },
    })),
  },
};

const source = (gtid: string | null, more: object) => ({
  connector: 'mariadb',
  name: TOPIC,
  db: 'shop',
  gtid,
  ts_ms: 1000,
  ...more,
});
const begin = (n: number) => ({ status: 'BEGIN', id: `0-1-${n}`, event_count: null, ts_ms: 1000 });
const end = (n: number, count: number) => ({ status: 'END', id: `0-1-${n}`, event_count: count, ts_ms: 1000 });
const heartbeat = { ts_ms: 1000 };

function row(
  n: number,
  order: number,
  id: number,
  { op = 'c', pos = 100, row: at = order, headers = {} as object } = {},
) {
  const image = { id, title: 't' };
  return {
    ...{ before: op === 'c' ? null : image, after: op === 'd' ? null : image, op, headers },
    source: source(`0-1-${n}`, { table: 'orders', file: 'binlog.000001', pos, row: at }),
    transaction: { id: `0-1-${n}`, total_order: order },
  };
}

function statement(n: number | null, ddl: string) {
  return {
    source: source(n === null ? null : `0-1-${n}`, { file: 'f', pos: 1 }),
    databaseName: 'shop',
    ddl,
    tableChanges: [],
  };
}

/** What comes of these records, behind transaction 0-1-10 or behind `from`. */
function read(records: object[], { limit = 3, from }: { limit?: number; from?: Resume } = {}) {
  const delivered: Transaction[] = [];
  const first: Resume = {
    ...{ version: 1, topic: 'x', offset: 0, gtid: '0-1-10', fingerprint: '', unfinished: null, structures: STRUCTURES },
    ...from,
  };
  const tables = new Tables(OPTIONS, (name) => name, first.structures);
  const transactions = new Transactions(tables, limit, first, (transaction) => delivered.push(transaction));
  records.forEach((record, offset) => {
    if (offset >= first.offset) transactions.take(readRecord(record_(record, offset), TOPIC), offset);
  });
  return { delivered, transactions };
}

function record_({ headers = {}, ...value }: { headers?: object }, offset: number): KafkaRecord {
  return { offset, key: null, value: Buffer.from(JSON.stringify(value)), headers: new Map(Object.entries(headers)) };
}

const told = ({ delivered }: ReturnType<typeof read>) =>
  delivered.map(
    ({ gtid, part, last, changes }) => `${gtid}/${part}${last ? '.' : ''} ${changes.map(({ key }) => key)}`,
  );

describe('transactions out of a connector’s records', () => {
  it('are whole, heartbeats in their middle passed over', () => {
    expect(told(read([begin(11), row(11, 1, 1), heartbeat, row(11, 2, 2), end(11, 2), begin(12), end(12, 0)]))).toEqual(
      ['0-1-11/0. 1,2', '0-1-12/0. '],
    );
  });

  it('are not delivered before their END', () => {
    expect(told(read([begin(11), row(11, 1, 1)]))).toEqual([]);
  });

  it('link the halves of a changed key', () => {
    const headers = { '__debezium.newkey': '{}' };
    const [transaction] = read([
      begin(11),
      row(11, 1, 1, { op: 'd', row: 0, headers }),
      row(11, 2, 5, { row: 0, headers: { '__debezium.oldkey': '{}' } }),
      end(11, 2),
    ]).delivered;
    expect(transaction?.changes).toEqual([
      { table: 'orders', kind: 'delete', key: [1], before: { id: 1, title: 't' }, linkedKey: [5] },
      { table: 'orders', kind: 'insert', key: [5], after: { id: 5, title: 't' }, linkedKey: [1] },
    ]);
  });

  it('stop when rows are missing within one, or one is missing', () => {
    const incomplete = expect.objectContaining({ code: 'BNY-CDC-INCOMPLETE', cure: expect.stringContaining('0-1-10') });
    const missing = [
      [begin(11), row(11, 2, 2)],
      [begin(11), row(11, 1, 1), end(11, 2)],
      [begin(11), row(11, 1, 1), begin(12)],
      [begin(12)],
      [row(11, 1, 1)],
      [begin(11), row(11, 1, 1, { op: 'd', headers: { '__debezium.newkey': '{}' } }), end(11, 1)],
      [statement(null, 'CREATE TABLE orders (id INT)'), begin(13)],
    ];
    for (const records of missing) expect(() => read(records)).toThrow(incomplete);
  });

  it('come once when a connector jumps back', () => {
    const eleven = [begin(11), row(11, 1, 1), row(11, 2, 2), end(11, 2)];
    const rest = [begin(12), row(12, 1, 3), row(12, 2, 4), end(12, 2)];
    const once = told(read([...eleven, ...rest]));
    expect(told(read([...eleven, ...eleven, ...rest, ...eleven, ...rest]))).toEqual(once);
    expect(told(read([...eleven, begin(12), row(12, 1, 3), ...eleven, ...rest]))).toEqual(once);
    // It goes on in the middle of a transaction, and counts from 1 again.
    const again = [begin(12), row(12, 1, 4, { row: 2 }), end(12, 1)];
    expect(told(read([...eleven, begin(12), row(12, 1, 3), ...again]))).toEqual(once);
    expect(
      told(read([...eleven, begin(12), row(12, 1, 3), row(12, 1, 3), row(12, 2, 4), end(12, 2), end(12, 2)])),
    ).toEqual(once);
  });

  it('stop when what comes again is not what was delivered', () => {
    const diverged = expect.objectContaining({ code: 'BNY-CDC-DIVERGED' });
    const eleven = [begin(11), row(11, 1, 1), end(11, 1)];
    expect(() => read([...eleven, { ...begin(11), id: '0-2-11' }])).toThrow(diverged);
    expect(() => read([...eleven, begin(11), row(11, 1, 1, { pos: 999 }), end(11, 1)])).toThrow(diverged);
    expect(() => read([...eleven, begin(11), row(11, 1, 1), { ...end(11, 1), ts_ms: 9000 }])).toThrow(diverged);
  });

  it('are cut by count, the same from any part on', () => {
    const records = [
      begin(11),
      ...Array.from({ length: 8 }, (_, i) => row(11, i + 1, i + 1)),
      end(11, 8),
      begin(12),
      end(12, 0),
    ];
    const all = read(records);
    expect(told(all)).toEqual(['0-1-11/0 1,2,3', '0-1-11/1 4,5,6', '0-1-11/2. 7,8', '0-1-12/0. ']);
    const positions = all.delivered.map(({ position }) => position);
    for (const [i, position] of positions.entries()) expect(position > (positions[i - 1] ?? '')).toBe(true);
    expect(new Set(positions).size).toBe(4);
    all.delivered.forEach(({ resume }, i) => {
      const from = JSON.parse(JSON.stringify(resume)) as Resume;
      expect(told(read(records, { from }))).toEqual(told(all).slice(i + 1));
      // The parts of a transaction stay as they were begun.
      expect(told(read(records, { from, limit: 1 }))[0]).toEqual(told(all)[i + 1]);
    });
  });

  it('hold statements in their place, which the next BEGIN ends', () => {
    const { delivered } = read([
      begin(11),
      statement(11, 'ALTER TABLE orders ADD x INT'),
      begin(12),
      row(12, 1, 0, { op: 't' }),
      begin(13),
    ]);
    expect(delivered.map(({ gtid, disturbances }) => `${gtid} ${disturbances.map(({ kind }) => kind)}`)).toEqual([
      '0-1-11 ddl',
      '0-1-12 truncate',
    ]);
  });

  it('name those that a connector said nothing about', () => {
    const { transactions, delivered } = read([begin(11), begin(12)]);
    expect(delivered).toHaveLength(1);
    expect(transactions.takeSilent()).toEqual([{ before: '0-1-10', gtid: '0-1-11' }]);
    const sql = (text: string) => ({
      sql: text,
      schema: 'shop',
      mode: { ansiQuotes: false, noBackslashEscapes: false },
    });
    expect(() => transactions.explainSilent('0-1-11', sql('ANALYZE TABLE orders'))).not.toThrow();
    expect(() => transactions.explainSilent('0-1-11', sql('CREATE OR REPLACE TABLE orders (a INT)'))).toThrow(
      /CREATE OR REPLACE/,
    );
    transactions.explainOpen('0-1-12', sql('CREATE TABLE other (a INT)'), 7);
    expect(delivered.map(({ gtid }) => gtid)).toEqual(['0-1-11', '0-1-12']);
  });

  it('start at the first one of a server that has written nothing', () => {
    expect(told(read([begin(1), end(1, 0)], { from: { gtid: NO_GTID.text } as Resume }))).toEqual(['0-1-1/0. ']);
  });
});
