import type { Connection } from 'mysql2/promise';
import { accountOf } from '../binlog/server.ts';
import { query } from '../connection.ts';
import { accountName } from '../schema/install.ts';
import type { Finding } from '../types.ts';
import { quoteName } from '../values/select.ts';
import type { Inspection } from './inspect.ts';
import type { Fence } from './triggers.ts';

type Seen = Pick<Inspection, 'tables' | 'variables' | 'fold'>;

/** Where triggers cannot protect the tables, or would not work, each by name. */
export async function refusals(connection: Connection, fence: Fence, seen: Seen): Promise<Finding[]> {
  return [
    ...serverRefusals(seen),
    ...tableRefusals(fence, seen),
    ...(await cascades(connection, fence, seen)),
    ...(await preparedTransactions(connection)),
    ...(await definerRefusals(connection, fence)),
  ];
}

function error(check: string, facts: Pick<Finding, 'found' | 'needed' | 'cure'>, table?: string): Finding {
  return { check, level: 'error', ...(table !== undefined && { table }), ...facts };
}

function serverRefusals({ variables }: Seen): Finding[] {
  const findings: Finding[] = [];
  if (variables.get('wsrep_on') === 'ON') {
    const cure = 'Galera is not supported: the lock that a fence stands on is one of a single node.';
    findings.push(error('wsrep_on', { found: 'ON', needed: 'OFF', cure }));
  }
  const readOnly = variables.get('read_only') ?? 'OFF';
  if (!['OFF', '0'].includes(readOnly)) {
    const cure = 'Point `monolith.database` to the server that takes the writes: a fence on a replica fences nobody.';
    findings.push(error('read_only', { found: readOnly, needed: 'the server that is written to', cure }));
  }
  return findings;
}

function tableRefusals({ schema }: Fence, { tables }: Seen): Finding[] {
  return [...tables].flatMap(([table, description]) => {
    const name = `${quoteName(schema)}.${quoteName(table)}`;
    if (!description) {
      const cure = 'Correct its name in the domain, or create it.';
      return [error('table', { found: `no ${name}`, needed: "every table of the domain's", cure }, table)];
    }
    const { kind, engine } = description;
    if (kind !== 'BASE TABLE') {
      const cure = 'Take it out of the domain.';
      return [error('table', { found: `${name} is a ${kind.toLowerCase()}`, needed: 'a base table', cure }, table)];
    }
    if (engine === 'InnoDB') return [];
    const found = `${name} has the engine ${engine}: a write that is refused would stand, and none waits for a lock`;
    return [error('engine', { found, needed: 'InnoDB', cure: `ALTER TABLE ${name} ENGINE = InnoDB;` }, table)];
  });
}

/** What a foreign key changes runs no trigger. Within the domain the statement that begins it does. */
async function cascades(connection: Connection, { schema, tables }: Fence, { fold }: Seen): Promise<Finding[]> {
  const sql = `SELECT CONSTRAINT_NAME AS name, TABLE_NAME AS child, UNIQUE_CONSTRAINT_SCHEMA AS parentSchema,
      REFERENCED_TABLE_NAME AS parent, UPDATE_RULE AS onUpdate, DELETE_RULE AS onDelete
    FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE CONSTRAINT_SCHEMA = ?`;
  const own = new Set(Object.keys(tables).map(fold));
  const isOwn = (name: unknown) => own.has(fold(String(name)));
  const acts = (rule: unknown) => ['CASCADE', 'SET NULL', 'SET DEFAULT'].includes(String(rule));
  const rows = await query(connection, { sql, rowsAsArray: false }, [schema]);
  return rows.flatMap(({ name, child, parentSchema, parent, onUpdate, onDelete }) => {
    if (!isOwn(child) || (fold(String(parentSchema)) === fold(schema) && isOwn(parent))) return [];
    const rules = [acts(onUpdate) && `ON UPDATE ${onUpdate}`, acts(onDelete) && `ON DELETE ${onDelete}`].filter(
      Boolean,
    );
    if (rules.length === 0) return [];
    const table = `${quoteName(schema)}.${quoteName(String(child))}`;
    const from = `${quoteName(String(parentSchema))}.${quoteName(String(parent))}`;
    const found = `${table}: ${quoteName(String(name))} ${rules.join(' ')} from ${from}, which is not of this domain`;
    const needed = 'no rows that another table changes: a foreign key runs no trigger';
    const cure = `ALTER TABLE ${table} DROP FOREIGN KEY ${quoteName(String(name))}, and add it again with RESTRICT; let the monolith change these rows itself.`;
    return [error('foreign_key', { found, needed, cure }, String(child))];
  });
}

/** Prepared, a transaction gives up its shared locks, and may commit long after the owner has changed. */
async function preparedTransactions(connection: Connection): Promise<Finding[]> {
  const prepared = await query(connection, 'XA RECOVER');
  if (prepared.length === 0) return [];
  const found = `${prepared.length} prepared XA transactions: no lock keeps them from committing after the owner has changed`;
  return [error('xa', { found, needed: 'none', cure: 'XA COMMIT or XA ROLLBACK each that XA RECOVER lists.' })];
}

/** Without this account, or what it needs, every write to a fenced table fails. Roles count for nothing in a trigger. */
async function definerRefusals(connection: Connection, { schema, user }: Fence): Promise<Finding[]> {
  const sql = `SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = ? AND ? LIKE TABLE_SCHEMA
    UNION SELECT PRIVILEGE_TYPE FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = ?`;
  const account = accountName(user);
  const rows = await query(connection, { sql, rowsAsArray: false }, [account, schema, account]);
  const held = new Set(rows.map(({ privilege }) => String(privilege)));
  const missing = ['SELECT', 'TRIGGER'].filter((privilege) => !held.has(privilege));
  if (missing.length === 0) return [];
  const found =
    held.size === 0
      ? `no account ${account} to run as can be seen`
      : `${account} without ${missing.join(', ')} on ${quoteName(schema)}`;
  return [error('definer', { found, needed: 'the account that the triggers run as', cure: 'banyan install --yes' })];
}

/** What the account that is signed in lacks to make the triggers of a fence. */
export async function creatorRefusals(
  connection: Connection,
  { schema }: Fence,
  { variables }: Pick<Seen, 'variables'>,
): Promise<Finding[]> {
  const granted = await grantedTo(connection, schema);
  const logged = variables.get('log_bin') === 'ON' && variables.get('log_bin_trust_function_creators') !== 'ON';
  const needs: [boolean, string[], string][] = [
    // What it may not read it is not shown: the columns that a trigger compares.
    [true, ['SELECT'], `${quoteName(schema)}.*`],
    [true, ['TRIGGER'], `${quoteName(schema)}.*`],
    [logged, ['SUPER'], '*.*'],
    [!logged, ['SET USER', 'SUPER'], '*.*'],
  ];
  const account = await accountOf(connection);
  return needs.flatMap(([needed, privileges, on]) => {
    if (!needed || [...privileges, 'ALL PRIVILEGES'].some((privilege) => granted.has(privilege))) return [];
    const [privilege = ''] = privileges;
    const cure = `GRANT ${privilege} ON ${on} TO ${account}; or name another account with --admin-user.`;
    return [error('privilege', { found: `${account} without ${privilege} on ${on}`, needed: privilege, cure })];
  });
}

/** Of SHOW GRANTS, which includes those of roles: on everything, or on the schema. */
async function grantedTo(connection: Connection, schema: string): Promise<Set<string>> {
  const rows = await query(connection, { sql: 'SHOW GRANTS', rowsAsArray: false });
  const privileges = rows.flatMap((row) => {
    const [, list = '', on = ''] = /^GRANT (.+?) ON (\S+) TO /.exec(String(Object.values(row)[0])) ?? [];
    const isHere = on === '*.*' || on.replaceAll('\\', '') === `${quoteName(schema)}.*`;
    return isHere ? list.split(', ') : [];
  });
  return new Set(privileges);
}
