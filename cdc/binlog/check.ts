import { connect } from '../connection.ts';
import { connectionFault } from '../errors.ts';
import type { Finding } from '../types.ts';
import { checkServer } from './check-server.ts';
import { checkTable } from './check-tables.ts';
import type { Settings } from './options.ts';

/** Everything that keeps the binlog of this server from being followed, all at once. @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
export async function checkBinlog(settings: Settings): Promise<Finding[]> {
  const connection = await connect(settings.connection);
  try {
    const findings = await checkServer(connection, settings);
    if (findings.some(({ check }) => check === 'version')) return findings;
    for (const { schema, tables } of [settings, ...(settings.alsoFollow ? [settings.alsoFollow] : [])]) {
      for (const [table, captured] of Object.entries(tables)) {
        findings.push(...(await checkTable(connection, schema, table, captured)));
      }
    }
    return findings;
  } catch (error) {
    throw connectionFault(error, settings.connection);
  } finally {
    connection.destroy();
  }
}
