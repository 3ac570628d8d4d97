import type { Server } from './session.ts';

export interface Account extends Pick<Server, 'user' | 'password'> {
  /** What the names of its databases begin with: the configuration's prefix, and a domain behind it for one service alone. */
  prefix: string;
}

/** SQL that makes the account of the stores: it may touch their databases, and nothing else in the server. */
export function grantsFor({ user, password, prefix }: Account): string[] {
  const account = `${text(user)}@'%'`;
  // A database in a GRANT is a pattern.
  const databases = `\`${prefix.replace(/[_%]/g, '\\$&')}%\`.*`;
  return [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${text(password)}`,
    `GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, INDEX ON ${databases} TO ${account}`,
  ];
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
