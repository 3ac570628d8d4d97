import type { Connection } from 'mysql2/promise';
import { query } from '../connection.ts';
import type { Finding } from '../types.ts';
import type { Settings } from './options.ts';
import { ACCESS_DENIED, accountOf, variables } from './server.ts';

const DAY = 86_400;
const CONFIGURATION = 'also in the configuration file';

type Variables = ReadonlyMap<string, string>;

export async function checkServer(connection: Connection, settings: Settings): Promise<Finding[]> {
  const all = await variables(connection);
  const version = all.get('version') ?? '';
  const flavour = checkVersion(version);
  if (flavour) return [flavour];
  return [
    ...checkSettings(all),
    ...checkExpiry(all),
    ...(await checkReplicationGrant(connection)),
    ...(await checkBinlogStatus(connection, all, settings)),
  ];
}

function checkVersion(version: string): Finding | undefined {
  const [, major = '0', minor = '0'] = /^(\d+)\.(\d+)/.exec(version) ?? [];
  const isMariadb = /mariadb/i.test(version);
  if (isMariadb && Number(major) * 100 + Number(minor) >= 1005) return undefined;
  return {
    check: 'version',
    level: 'error',
    found: version,
    needed: 'MariaDB 10.5 or newer',
    cure: isMariadb ? 'Upgrade the server.' : 'MySQL is not yet supported.',
  };
}

interface Rule {
  variable: string;
  needed: string;
  level: Finding['level'];
  cure: string;
}

const RULES: readonly Rule[] = [
  { variable: 'log_bin', needed: 'ON', level: 'error', cure: 'Set log_bin in the configuration file and restart.' },
  ...(['binlog_format=ROW', 'binlog_row_image=FULL', 'binlog_row_metadata=FULL'] as const).map((setting): Rule => {
    const [variable = '', needed = ''] = setting.split('=');
    const cure = `SET GLOBAL ${variable} = ${needed}; ${CONFIGURATION}. Sessions that are open keep the old value: restart the monolith.`;
    return { variable, needed, level: 'error', cure };
  }),
  {
    variable: 'wsrep_on',
    needed: 'OFF',
    level: 'error',
    cure: 'Galera is not supported: each node has a binlog of its own.',
  },
  {
    variable: 'gtid_strict_mode',
    needed: 'ON',
    level: 'warning',
    cure: `SET GLOBAL gtid_strict_mode = ON; ${CONFIGURATION}.`,
  },
  {
    variable: 'sync_binlog',
    needed: '1',
    level: 'warning',
    cure: `SET GLOBAL sync_binlog = 1; ${CONFIGURATION}. Without it a crash of the machine can lose transactions that the log already has.`,
  },
];

function checkSettings(all: Variables): Finding[] {
  return RULES.flatMap(({ variable, needed, level, cure }) => {
    const found = all.get(variable);
    if (found === needed || (variable === 'wsrep_on' && found === undefined)) return [];
    return [{ check: variable, level, found: found ?? 'unknown', needed, cure }];
  });
}

function checkExpiry(all: Variables): Finding[] {
  const seconds = Number(all.get('binlog_expire_logs_seconds') ?? Number(all.get('expire_logs_days')) * DAY);
  if (seconds === 0 || seconds >= 3 * DAY) return [];
  const variable = all.has('binlog_expire_logs_seconds') ? 'binlog_expire_logs_seconds' : 'expire_logs_days';
  return [
    {
      check: variable,
      level: seconds < DAY ? 'error' : 'warning',
      found: `${seconds} s`,
      needed: `3 days or more (${3 * DAY} s), or 0: longer than the emitter may ever stand still`,
      cure: `SET GLOBAL ${variable} = ${variable === 'expire_logs_days' ? 7 : 7 * DAY}; ${CONFIGURATION}.`,
    },
  ];
}

/** Asked of SHOW GRANTS, which includes those of roles: nothing can be tried that needs it, short of reading. */
async function checkReplicationGrant(connection: Connection): Promise<Finding[]> {
  const rows = await query(connection, 'SHOW GRANTS');
  const global = rows.flatMap((row) => {
    const [, privileges = ''] = /^GRANT (.+) ON \*\.\* TO/.exec(String(Object.values(row)[0])) ?? [];
    return privileges.split(', ');
  });
  if (global.includes('REPLICATION SLAVE') || global.includes('ALL PRIVILEGES')) return [];
  return [missingGrant('REPLICATION SLAVE', '*.*', await accountOf(connection))];
}

export function missingGrant(privilege: string, on: string, account: string): Finding {
  return {
    check: 'grant',
    level: 'error',
    found: `${account} without ${privilege} on ${on}`,
    needed: privilege,
    cure: `GRANT ${privilege} ON ${on} TO ${account};`,
  };
}

async function checkBinlogStatus(connection: Connection, all: Variables, settings: Settings): Promise<Finding[]> {
  try {
    const [status] = await query(connection, 'SHOW MASTER STATUS');
    const followed = [settings.schema, ...(settings.alsoFollow ? [settings.alsoFollow.schema] : [])];
    const names = (column: string) =>
      String(status?.[column] ?? '')
        .split(',')
        .filter(Boolean);
    const [only, not] = [names('Binlog_Do_DB'), names('Binlog_Ignore_DB')];
    const hidden = followed.filter((schema) => (only.length > 0 && !only.includes(schema)) || not.includes(schema));
    return hidden.map((schema) => ({
      check: only.length > 0 ? 'binlog_do_db' : 'binlog_ignore_db',
      level: 'error',
      found: `the schema ${schema} is left out of the binlog`,
      needed: `${schema} in the binlog`,
      cure: 'Change binlog_do_db or binlog_ignore_db in the configuration file and restart.',
    }));
  } catch (error) {
    if ((error as { errno?: number }).errno !== ACCESS_DENIED) throw error;
    const privilege = all.has('gtid_binlog_pos') ? 'BINLOG MONITOR' : 'REPLICATION CLIENT';
    return [missingGrant(privilege, '*.*', await accountOf(connection))];
  }
}
