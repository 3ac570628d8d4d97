import type { Server } from './session.ts';

export interface Account extends Pick<Server, 'user' | 'password'> {
  /** What the names of its databases begin with: the configuration's prefix, and a domain behind it for one service alone. */
  prefix: string;
  /** Where it comes from, as the server names it; default everywhere. */
  host?: string;
}

export const RIGHTS = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'DROP', 'INDEX'] as const;

/** SQL that makes the account of the stores: it may touch their databases, and nothing else in the server. */
export function grantsFor({ user, password, prefix, host = '%' }: Account): string[] {
  const account = `${text(user)}@${text(host)}`;
  // A database in a GRANT is a pattern.
  const databases = `\`${prefix.replace(/[_%]/g, '\\$&')}%\`.*`;
  return [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${text(password)}`,
    `GRANT ${RIGHTS.join(', ')} ON ${databases} TO ${account}`,
  ];
}

/** Whether lines of SHOW GRANTS give them on a database. Where a role of MySQL may hold them nobody can tell: then yes. */
export function hasRights(grants: readonly string[], database: string): boolean {
  const held = new Set<string>();
  for (const grant of grants) {
    if (/^GRANT `[^`]*`@/.test(grant)) return true;
    const [, privileges = '', on = ''] = /^GRANT (.+?) ON (\*|`(?:[^`]|``)+`)\.\* TO /.exec(grant) ?? [];
    if (on !== '*' && !patternOf(on).test(database)) continue;
    for (const privilege of privileges.split(', ')) held.add(privilege);
  }
  return held.has('ALL PRIVILEGES') || RIGHTS.every((right) => held.has(right));
}

/** Of a database in a GRANT: `%`, `_`, and either of them behind a backslash as itself. */
function patternOf(quoted: string): RegExp {
  const name = quoted.slice(1, -1).replaceAll('``', '`');
  const source = name.replace(
    /\\([_%])|[%_]|[.*+?^${}()|[\]\\]/g,
    (part, literal: string | undefined) => literal ?? (part === '%' ? '.*' : part === '_' ? '.' : `\\${part}`),
  );
  return new RegExp(`^${source}$`, 's');
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
