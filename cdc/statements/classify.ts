import type { Disturbance } from '../types.ts';
import { type SqlMode, textOf, tokensOf } from './sql-tokens.ts';
import { StatementReader, type TableName } from './statement-reader.ts';

/** A statement in the binlog, with the schema and mode of the session that wrote it. */
export interface LoggedStatement {
  sql: string;
  schema: string;
  mode: SqlMode;
}

export interface FollowedNames {
  /** The name under which a table is delivered; undefined of one that is not followed. */
  nameOf(schema: string, table: string): string | undefined;
  /** All tables of a schema, as delivered; without one, of all schemas. */
  tablesOf(schema?: string): string[];
  /** Whether a table, as delivered, has this column in its rows. */
  captures(table: string, column: string): boolean;
}

type Kind = Exclude<Disturbance['kind'], 'columns' | 'rollback' | 'xa'>;

/** The graver ones first: a table counts once. */
const KINDS: readonly Kind[] = ['truncate', 'rewrite', 'statement', 'ddl'];
const STATEMENT_LENGTH = 300;

/**
 * What a statement in the binlog does to followed tables. Under row format the binlog has statements for definitions
 * only; DML as text comes from a session with another format, and nobody can tell its effect from here. What is not
 * understood and names a followed table counts as such DML; a call counts for all tables.
 */
export function classify(statement: LoggedStatement, followed: FollowedNames): Disturbance[] {
  const tokens = [...tokensOf(statement.sql, statement.mode)];
  const reader = new StatementReader(tokens.filter(({ kind }) => kind !== 'mark'));
  if (reader.take('SET', 'STATEMENT') && !reader.seek('FOR')) return [];
  while (reader.takeSymbol('(')) {}
  const verb = reader.word() ?? '';
  const rule = RULES[verb];
  if (rule === harmless) return [];

  const found = new Map<string, Kind>();
  const delivered = (name: TableName) => followed.nameOf(name.schema ?? statement.schema, name.table);
  const hit = (kind: Kind, ...names: (TableName | string | undefined)[]) => {
    for (const name of names) {
      const table = typeof name === 'object' ? delivered(name) : name;
      if (table === undefined) continue;
      const known = found.get(table);
      if (known === undefined || KINDS.indexOf(kind) < KINDS.indexOf(known)) found.set(table, kind);
    }
  };
  (rule ?? unknown)(reader, {
    hit,
    column(name, column) {
      const table = delivered(name);
      if (table !== undefined && followed.captures(table, column)) hit('rewrite', table);
    },
    all: (schema) => followed.tablesOf(schema),
    schema: statement.schema,
  });
  return KINDS.flatMap((kind) => {
    const tables = [...found].filter(([, as]) => as === kind).map(([table]) => table);
    if (tables.length === 0) return [];
    // Of DML nothing but its verb and tables: the rest holds values.
    const text = kind === 'statement' ? `${verb} ${tables.join(', ')} …` : textOf(tokens, STATEMENT_LENGTH);
    return [{ tables, kind, statement: text }];
  });
}

interface Findings {
  /** Of a table's name in the statement, or of its delivered name. */
  hit(kind: Kind, ...names: (TableName | string | undefined)[]): void;
  /** Of a column whose stored values may now be others. */
  column(table: TableName, column: string): void;
  all(schema?: string): string[];
  /** The session's. */
  schema: string;
}

type Rule = (reader: StatementReader, findings: Findings) => void;

const harmless: Rule = () => {};

const unknown: Rule = (reader, { hit }) => hit('statement', ...reader.names());

const anything: Rule = (_reader, { hit, all }) => hit('statement', ...all());

const OBJECTS = [
  ...['TABLE', 'INDEX', 'TRIGGER', 'DATABASE', 'SCHEMA', 'VIEW', 'PROCEDURE', 'FUNCTION', 'EVENT', 'SEQUENCE'],
  ...['PACKAGE', 'USER', 'ROLE', 'SERVER', 'TEMPORARY'],
];

const create: Rule = (reader, { hit, all }) => {
  const replace = reader.take('OR', 'REPLACE');
  const object = reader.seek(...OBJECTS);
  reader.take('IF', 'NOT', 'EXISTS');
  if (object === 'TABLE') hit(replace ? 'truncate' : 'ddl', reader.name());
  if ((object === 'INDEX' || object === 'TRIGGER') && reader.seek('ON')) hit('ddl', reader.name());
  if ((object === 'DATABASE' || object === 'SCHEMA') && replace) hit('truncate', ...all(reader.name()?.table));
};

const alter: Rule = (reader, findings) => {
  const { hit } = findings;
  reader.skip('ONLINE');
  // It removes the rows that a new unique key forbids.
  const ignore = reader.take('IGNORE');
  if (!reader.take('TABLE')) return;
  reader.take('IF', 'EXISTS');
  const table = reader.name();
  if (!table) return;
  hit(ignore ? 'rewrite' : 'ddl', table);
  for (let verb = reader.seek(...ALTER_VERBS); verb; verb = reader.seek(...ALTER_VERBS)) {
    if (verb === 'ADD' || verb === 'MODIFY' || verb === 'CHANGE') altered(verb, table, reader, findings);
    else if (verb === 'RENAME') renamedIn(table, reader, findings);
    else if (reader.take('PARTITION') || reader.take('TABLESPACE') || (verb === 'CONVERT' && reader.take('TABLE'))) {
      // Rows come or go as a whole; with EXCHANGE and CONVERT also another table's.
      hit('truncate', table, ...(verb === 'EXCHANGE' || verb === 'CONVERT' ? reader.names() : []));
    } else if (verb === 'CONVERT' && !/^utf8mb4/i.test(charsetOf(reader))) hit('rewrite', table);
  }
};

const ALTER_VERBS = [
  'ADD',
  'MODIFY',
  'CHANGE',
  'RENAME',
  'DROP',
  'TRUNCATE',
  'EXCHANGE',
  'CONVERT',
  'DISCARD',
  'IMPORT',
];

/** What ALTER … ADD can add beside columns. */
const NO_COLUMN = [
  ...['INDEX', 'KEY', 'UNIQUE', 'PRIMARY', 'FULLTEXT', 'SPATIAL', 'CONSTRAINT', 'FOREIGN', 'CHECK', 'PARTITION'],
  ...['PERIOD', 'SYSTEM'],
];

/** The column that gets a definition: existing rows get a value for it, or have theirs converted. */
function altered(verb: string, table: TableName, reader: StatementReader, { column }: Findings): void {
  if (verb === 'ADD' && NO_COLUMN.some((word) => reader.take(word))) return;
  reader.skip('COLUMN', 'IF', 'NOT', 'EXISTS');
  // The old name, then the new one.
  if (verb === 'CHANGE') reader.name();
  const names = reader.takeSymbol('(') ? reader.names() : [reader.name()];
  for (const name of names) if (name) column(table, name.table);
}

function renamedIn(table: TableName, reader: StatementReader, findings: Findings): void {
  if (reader.take('INDEX') || reader.take('KEY')) return;
  if (reader.take('COLUMN')) {
    reader.seek('TO');
    const to = reader.name();
    if (to) findings.column(table, to.table);
    return;
  }
  if (!reader.takeSymbol('=')) reader.skip('TO', 'AS');
  const to = reader.name();
  if (to) renamed([[table, to]], findings);
}

/** Every text fits into utf8mb4; into another character set perhaps not. */
function charsetOf(reader: StatementReader): string {
  reader.take('TO');
  if (!reader.take('CHARACTER', 'SET')) reader.take('CHARSET');
  return reader.name()?.table ?? '';
}

const drop: Rule = (reader, { hit, all, schema }) => {
  const object = reader.seek(...OBJECTS);
  reader.take('IF', 'EXISTS');
  if (object === 'TABLE') {
    do hit('truncate', reader.name());
    while (reader.takeSymbol(','));
  }
  if (object === 'INDEX' && reader.seek('ON')) hit('ddl', reader.name());
  // Which table it was on is not said.
  if (object === 'TRIGGER') hit('ddl', ...all(reader.name()?.schema ?? schema));
  if (object === 'DATABASE' || object === 'SCHEMA') hit('truncate', ...all(reader.name()?.table));
};

const rename: Rule = (reader, findings) => {
  if (!reader.take('TABLE') && !reader.take('TABLES')) return;
  reader.take('IF', 'EXISTS');
  const pairs: [TableName, TableName][] = [];
  do {
    const from = reader.name();
    reader.seek('TO');
    const to = reader.name();
    if (from && to) pairs.push([from, to]);
  } while (reader.takeSymbol(','));
  renamed(pairs, findings);
};

/**
 * Under a name there are now other rows; but after the swap at the end of gh-ost or pt-online-schema-change they are the
 * same: it is a change of definition.
 */
function renamed(pairs: readonly (readonly [TableName, TableName])[], { hit }: Findings): void {
  const swapped = new Set<string>();
  for (const [from, to] of pairs) {
    const isSwap = [`_${to.table}_gho`, `_${to.table}_new`, `__${to.table}_new`].includes(from.table);
    if (isSwap) swapped.add(to.table);
    hit(isSwap ? 'ddl' : 'truncate', to);
  }
  for (const [from] of pairs) hit(swapped.has(from.table) ? 'ddl' : 'truncate', from);
}

const truncate: Rule = (reader, { hit }) => {
  reader.take('TABLE');
  hit('truncate', reader.name());
};

const insert: Rule = (reader, { hit }) => {
  reader.skip('LOW_PRIORITY', 'DELAYED', 'HIGH_PRIORITY', 'IGNORE', 'INTO');
  hit('statement', reader.name());
};

const update: Rule = (reader, { hit }) => hit('statement', ...reader.names('SET'));

const remove: Rule = (reader, { hit }) => {
  reader.skip('LOW_PRIORITY', 'QUICK', 'IGNORE');
  const all = reader.names();
  const first = reader.take('FROM') ? reader.name() : undefined;
  const several = !first || reader.takeSymbol(',') || reader.take('USING');
  // Of several tables the targets may stand as aliases.
  hit('statement', ...(several ? all : [first]));
};

const load: Rule = (reader, { hit }) => {
  reader.seek('INTO');
  reader.take('TABLE');
  hit('statement', reader.name());
};

const HARMLESS = [
  ...['BEGIN', 'COMMIT', 'ROLLBACK', 'SAVEPOINT', 'RELEASE', 'XA', 'START', 'SET', 'USE', 'FLUSH', 'RESET', 'PURGE'],
  ...['GRANT', 'REVOKE', 'ANALYZE', 'OPTIMIZE', 'REPAIR', 'CHECK', 'CHECKSUM', 'INSTALL', 'UNINSTALL', 'KILL', 'SHOW'],
  ...['LOCK', 'UNLOCK', 'CHANGE', 'STOP', 'HANDLER', 'CACHE', 'DEALLOCATE', 'HELP'],
];

const RULES: { readonly [verb: string]: Rule } = {
  ...Object.fromEntries(HARMLESS.map((verb) => [verb, harmless])),
  CREATE: create,
  ALTER: alter,
  DROP: drop,
  RENAME: rename,
  TRUNCATE: truncate,
  INSERT: insert,
  REPLACE: insert,
  UPDATE: update,
  DELETE: remove,
  LOAD: load,
  // A stored function that writes is logged as a SELECT.
  SELECT: anything,
  CALL: anything,
  DO: anything,
  EXECUTE: anything,
};
