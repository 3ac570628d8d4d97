import type { Connection } from 'mysql2/promise';
import { checkBinlog } from '../binlog/check.ts';
import { settingsOf } from '../binlog/options.ts';
import { connect, query } from '../connection.ts';
import { connectionFault } from '../errors.ts';
import { followedTables } from '../statements/followed-tables.ts';
import type { Finding } from '../types.ts';
import { describeTable } from '../values/describe.ts';
import { checkColumns } from './check-columns.ts';
import { checkConnect } from './check-connect.ts';
import type { DebeziumOptions } from './options.ts';
import { severalDomains } from './position.ts';

/**
 * What keeps Debezium from following the database, all at once: what any reader of the binlog needs, what Debezium does
 * not carry, and whether the connector runs as it should.
 *
 * @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS
 */
export async function checkDebezium(options: DebeziumOptions): Promise<Finding[]> {
  const { connection: account, schema, tables, alsoFollow } = options;
  const findings = await checkBinlog(
    settingsOf({ connection: account, schema, tables, ...(alsoFollow && { alsoFollow }) }),
  );
  if (findings.some(({ check }) => check === 'version')) return findings;
  const connection = await connect(account);
  try {
    findings.push(...(await checkDomains(connection)), ...(await checkTables(connection, options)));
  } catch (error) {
    throw connectionFault(error, account);
  } finally {
    connection.destroy();
  }
  return [...findings, ...(await checkConnect(options))];
}

async function checkDomains(connection: Connection): Promise<Finding[]> {
  const [row] = await query(connection, 'SELECT @@GLOBAL.gtid_binlog_pos AS gtid');
  const gtid = String(row?.['gtid'] ?? '');
  return gtid.includes(',') ? [{ check: 'gtid_domain_id', level: 'error', ...severalDomains(gtid) }] : [];
}

async function checkTables(connection: Connection, options: DebeziumOptions): Promise<Finding[]> {
  const [row] = await query(connection, 'SELECT @@GLOBAL.sql_mode AS mode');
  const mode = String(row?.['mode']).split(',');
  const findings: Finding[] = [];
  for (const { schema, table, captured } of followedTables(options)) {
    const described = await describeTable(connection, schema, table);
    if (described) findings.push(...(await checkColumns(connection, described, captured, mode)));
  }
  return findings;
}
