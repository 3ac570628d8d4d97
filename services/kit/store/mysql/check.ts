import type { Finding } from '../../../../cdc/index.ts';
import { BanyanError } from '../../../../log/index.ts';

import { asStoreFault } from './fault.ts';
import { grantsFor, hasRights, RIGHTS } from './grants.ts';
import { type Server, Session } from './session.ts';

/** Where the stores of `domains` are to be. */
export interface StoreServer {
  server: Server;
  prefix: string;
  domains: readonly string[];
}

/** Everything that keeps stores from being made and written on this server, at once. Changes nothing there. */
export async function checkServer(options: StoreServer): Promise<Finding[]> {
  let session: Session | undefined;
  try {
    session = await Session.open(options.server);
    const variables = await variablesOf(session);
    return [
      ...versionFindings(variables.get('version') ?? ''),
      ...galeraFindings(variables.get('wsrep_on')),
      ...(await rightsFindings(session, options)),
    ];
  } catch (error) {
    return [unopened(error, options)];
  } finally {
    session?.close();
  }
}

async function variablesOf(session: Session): Promise<ReadonlyMap<string, string>> {
  const rows = await session.query("SHOW GLOBAL VARIABLES WHERE Variable_name IN ('version', 'wsrep_on')");
  return new Map(rows.map((row) => [String(row['Variable_name']), String(row['Value'])]));
}

/** A server that is too old is often noticed by what every session begins with. @throws what nobody foresaw */
function unopened(error: unknown, { server, prefix }: StoreServer): Finding {
  const fault = asStoreFault(error);
  const { errno } = error as { errno?: number };
  if (errno === UNKNOWN_COLLATION) return { ...TOO_OLD, found: String((error as Error).message) };
  if (!BanyanError.is(fault)) throw error;
  const about = {
    check: 'stores',
    level: 'error',
    found: `${server.user}@${server.host}:${server.port}: ${fault.found}`,
  } as const;
  const denied = fault.code === 'BNY-SERVICE-STORE-ACCESS';
  const sql = grantsFor({ user: server.user, password: '…', prefix }).map((each) => `${each};`);
  const cure = denied
    ? `Correct user and password (BANYAN_SERVICES_STORE_PASSWORD), or make the account: ${sql.join(' ')}`
    : fault.cure;
  return { ...about, needed: denied ? 'an account that is let in' : 'a server that answers', cure };
}

const UNKNOWN_COLLATION = 1273;

const TOO_OLD = {
  check: 'stores version',
  level: 'error',
  needed: 'MariaDB 10.2 or newer, or MySQL 8.0.17 or newer',
  cure: 'Upgrade the server of `services.store`, or name another one.',
} as const;

export function versionFindings(version: string): Finding[] {
  const [major = 0, minor = 0, patch = 0] = (/^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1) ?? []).map(Number);
  const number = major * 1e6 + minor * 1e3 + patch;
  const least = /mariadb/i.test(version) ? 10_002_000 : 8_000_017;
  return number >= least ? [] : [{ ...TOO_OLD, found: version }];
}

export function galeraFindings(wsrep: string | undefined): Finding[] {
  if (wsrep !== 'ON') return [];
  const needed = 'a server whose locks hold for everybody: on Galera each node has its own';
  const cure = 'Name another server in `services.store`.';
  return [{ check: 'stores wsrep_on', level: 'error', found: wsrep, needed, cure }];
}

async function rightsFindings(session: Session, { server, prefix, domains }: StoreServer): Promise<Finding[]> {
  const grants = (await session.query('SHOW GRANTS')).map((row) => String(Object.values(row)[0]));
  const lacking = domains.filter((domain) => !hasRights(grants, `${prefix}${domain}_1`));
  if (lacking.length === 0) return [];
  const [row] = await session.query('SELECT CURRENT_USER() AS account');
  const account = String(row?.['account']);
  const at = account.lastIndexOf('@');
  const databases = lacking.map((domain) => `${prefix}${domain}_%`).join(', ');
  const facts = { check: 'stores grant', level: 'error', needed: RIGHTS.join(', ') } as const;
  const host = account.slice(at + 1);
  if (at === 0) {
    const cure = `DROP USER IF EXISTS ''@'${host}'; It hides ${server.user}.`;
    return [{ ...facts, found: `let in as the anonymous account ''@'${host}'`, cure }];
  }
  const sql = grantsFor({ user: account.slice(0, at), host, password: '', prefix }).at(-1);
  return [
    { ...facts, found: `'${account.slice(0, at)}'@'${host}' without all rights on ${databases}`, cure: `${sql};` },
  ];
}
