import { BanyanError } from '../../log/errors.ts';
import type { KafkaRecord } from '../../log/kafka/record-batch.ts';
import { cdcFault } from '../errors.ts';
import type { ResumePoint, Transaction } from '../types.ts';
import { rowColumns } from '../values/supported.ts';
import { checkConnector } from './connect.ts';
import { debeziumFault } from './errors.ts';
import { type DebeziumOptions, topicOf } from './options.ts';
import { NO_GTID, parseGtid } from './position.ts';
import { readRecord } from './record.ts';
import { type Resume, resumeOf } from './resume.ts';
import { lookUp, Server } from './server.ts';
import { Tables } from './tables.ts';
import { TopicReader } from './topic-reader.ts';
import { markerOf, Transactions } from './transactions.ts';

/** A batch is full with any of these. */
const BATCH = { transactions: 500, changes: 5_000 };
const MAX_PART_CHANGES = 5_000;
const SILENCE_MS = 30_000;
/** So few records in one answer are the newest ones. */
const FEW = 20;

/**
 * Reads from the connector's topic. Without `from` it starts at the server's newest GTID of now: what comes before it in
 * the topic is passed over, and the next transaction must be the one with the next sequence number.
 */
export async function* readTopic(
  options: DebeziumOptions,
  from: ResumePoint | undefined,
  signal: AbortSignal,
): AsyncGenerator<Transaction[]> {
  if (signal.aborted) return;
  const server = new Server(options.connection);
  const known = from && resumeOf(from);
  const reader = new TopicReader(options, signal, known?.topic);
  try {
    const fold = await server.fold();
    const resume = known
      ? await goOn(options, known, reader, server, fold)
      : await startNow(options, reader, server, fold, signal);
    if (!resume) return;
    if (!from) yield [markerOf(resume, Date.now())];
    yield* follow(options, resume, new Tables(options, fold, resume.structures), reader, signal);
  } finally {
    server.close();
    await reader.close();
  }
}

async function* follow(
  options: DebeziumOptions,
  resume: Resume,
  tables: Tables,
  reader: TopicReader,
  signal: AbortSignal,
): AsyncGenerator<Transaction[]> {
  let arrived: Transaction[] = [];
  const { maxPartChanges = MAX_PART_CHANGES, silenceMs = SILENCE_MS } = options;
  const transactions = new Transactions(tables, maxPartChanges, resume, (transaction) => arrived.push(transaction));
  let heard = Date.now();
  for (let offset = resume.offset; !signal.aborted; ) {
    const { records, next } = await reader.next(offset);
    offset = (await take(records, transactions, reader)) ?? next;
    if (records.length > 0) heard = Date.now();
    else if (Date.now() - heard > silenceMs) {
      await checkConnector(options);
      heard = Date.now();
    }
    await explain(options, transactions, records.length, offset);
    const batches = batchesOf(arrived);
    arrived = [];
    yield* batches;
  }
}

/** Returns the offset to go on from, if it is not the one behind these records. */
async function take(
  records: readonly KafkaRecord[],
  transactions: Transactions,
  reader: TopicReader,
): Promise<number | undefined> {
  for (const record of records) {
    try {
      transactions.take(readRecord(record, reader.topic), record.offset);
    } catch (error) {
      if (!BanyanError.is(error) || error.code !== 'BNY-CDC-INCOMPLETE') throw error;
      // Was the connector set back since, so that what is missing stands further on?
      const setBack = await findBegin(reader, record.offset + 1, transactions.expected);
      if (setBack === undefined) throw error;
      return setBack;
    }
  }
  return undefined;
}

async function findBegin(reader: TopicReader, from: number, sequence: bigint): Promise<number | undefined> {
  const end = await reader.end();
  for (let offset = from; offset < end && !reader.aborted; ) {
    const { records, next } = await reader.next(offset);
    const found = records.find((record) => {
      const read = readRecord(record, reader.topic);
      return read.kind === 'begin' && read.gtid.sequence === sequence;
    });
    if (found) return found.offset;
    offset = next;
  }
  return undefined;
}

/** Looks up what Debezium leaves in the dark: what a transaction did that it says nothing of, and whether more is to come. */
async function explain(
  options: DebeziumOptions,
  transactions: Transactions,
  read: number,
  offset: number,
): Promise<void> {
  for (const silent of transactions.takeSilent()) {
    const { statement } = (await lookUp(options, silent)) ?? {};
    if (statement) transactions.explainSilent(silent.gtid, statement);
  }
  const open = transactions.perhapsStandalone;
  // While records stream in, the next BEGIN ends it.
  if (!open || read > FEW) return;
  const { statement } = (await lookUp(options, open)) ?? {};
  if (statement) transactions.explainOpen(open.gtid, statement, offset);
}

/** What has arrived, in batches; of transactions without content only the newest of all. */
function batchesOf(arrived: readonly Transaction[]): Transaction[][] {
  const batches: Transaction[][] = [];
  let changes = 0;
  for (const [i, transaction] of arrived.entries()) {
    const isEmpty = transaction.changes.length === 0 && transaction.disturbances.length === 0 && transaction.part === 0;
    if (isEmpty && i < arrived.length - 1) continue;
    const batch = batches.at(-1);
    changes += transaction.changes.length;
    if (batch && batch.length < BATCH.transactions && changes <= BATCH.changes) {
      batch.push(transaction);
    } else {
      batches.push([transaction]);
      changes = transaction.changes.length;
    }
  }
  return batches;
}

/** @throws BNY-CDC-DIVERGED when the server has lost what was read */
async function goOn(
  options: DebeziumOptions,
  resume: Resume,
  reader: TopicReader,
  server: Server,
  fold: (name: string) => string,
) {
  const newest = await server.newest();
  const delivered = resume.gtid === '' ? NO_GTID : parseGtid(resume.gtid);
  if (newest.sequence < delivered.sequence || (delivered !== NO_GTID && newest.domain !== delivered.domain)) {
    throw cdcFault('BNY-CDC-DIVERGED', {
      found: `gtid_binlog_pos ${newest.text}`,
      needed: `${delivered.text} or a later one`,
    });
  }
  const tables = new Tables(options, fold, resume.structures);
  if (isComplete(tables)) return resume;
  // Other columns are followed now: the topic tells their types from its beginning on.
  await scan(reader, tables, 0, resume.offset);
  return { ...resume, structures: tables.structures };
}

function isComplete({ followed, structures }: Tables): boolean {
  return followed.all.every(({ name, captured }) => {
    const columns = structures[name]?.columns.map((column) => column.name);
    return columns !== undefined && rowColumns(captured).every((column) => columns.includes(column));
  });
}

/** Undefined when it is aborted. */
async function startNow(
  options: DebeziumOptions,
  reader: TopicReader,
  server: Server,
  fold: (name: string) => string,
  signal: AbortSignal,
): Promise<Resume | undefined> {
  const tables = new Tables(options, fold);
  const { silenceMs = SILENCE_MS } = options;
  let scanned = 0;
  let unknown = Number.POSITIVE_INFINITY;
  // A new connector first tells the tables' structures; where it starts is no earlier than the server stands after that.
  for (let learned = Date.now(); ; await reader.next(scanned)) {
    scanned = await scan(reader, tables, scanned, await reader.end());
    if (signal.aborted) return undefined;
    if (tables.unknown.length === 0) break;
    // Heartbeats come all the while: they tell nothing.
    if (tables.unknown.length < unknown) learned = Date.now();
    unknown = tables.unknown.length;
    if (Date.now() - learned <= silenceMs) continue;
    await checkConnector(options);
    throw debeziumFault('BNY-CDC-CONNECTOR', {
      found: `nothing about ${tables.unknown.join(', ')} in ${topicOf(options)}`,
      needed: 'the structure of every captured table',
      cure: 'Run `banyan doctor`: the tables must exist, and the connector must have been applied with them.',
    });
  }
  const topic = await reader.identity();
  const offset = await reader.end();
  await scan(reader, tables, scanned, offset);
  tables.refuseUncarried();
  const newest = await server.newest();
  const { structures } = tables;
  return { version: 1, topic: topic ?? '', offset, gtid: newest.text, fingerprint: '', unfinished: null, structures };
}

/** Takes up what the topic says about structures between two offsets. Returns where it ended. */
async function scan(reader: TopicReader, tables: Tables, from: number, to: number): Promise<number> {
  let offset = from;
  while (offset < to && !reader.aborted) {
    const { records, next } = await reader.next(offset);
    for (const record of records) if (record.offset < to && isStatement(record)) takeUp(record, reader, tables);
    offset = next;
  }
  return Math.max(from, to);
}

/** By its key, which saves reading the rows. */
function isStatement({ key }: KafkaRecord): boolean {
  return key?.toString('latin1', 0, 15) === '{"databaseName"';
}

function takeUp(record: KafkaRecord, { topic }: TopicReader, tables: Tables): void {
  const read = readRecord(record, topic);
  if (read.kind === 'statement') tables.apply(read.changes);
}
