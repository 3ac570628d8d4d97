import { quoteName } from '../values/select.ts';

/** SQL that makes Banyan's schema and accounts in the monolith's server. Everything may be run again. */

export interface Installation {
  /** Banyan's own schema. */
  banyanSchema: string;
  /** The monolith's schema. */
  schema: string;
  user: string;
  password: string;
  /** The account that writes a service's events into the monolith's tables; made when there is a password for it. */
  handback?: Credentials;
}

interface Credentials {
  user: string;
  password: string;
}

export function installSql(installation: Installation): string[] {
  const { banyanSchema, handback } = installation;
  const own = quoteName(banyanSchema);
  return [
    `CREATE DATABASE IF NOT EXISTS ${own} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `CREATE TABLE IF NOT EXISTS ${own}.heartbeat (id TINYINT PRIMARY KEY, beat BIGINT NOT NULL) ENGINE=InnoDB`,
    `INSERT IGNORE INTO ${own}.heartbeat VALUES (1, 0)`,
    `CREATE TABLE IF NOT EXISTS ${own}.watermark (
       domain VARCHAR(63) PRIMARY KEY, chunk VARCHAR(100) NOT NULL, edge CHAR(4) NOT NULL
     ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${own}.ownership (
       domain VARCHAR(63) PRIMARY KEY, owner ENUM('monolith', 'service') NOT NULL, epoch INT UNSIGNED NOT NULL,
       switch_id VARCHAR(36), next_ids TEXT
     ) ENGINE=InnoDB`,
    `CREATE TABLE IF NOT EXISTS ${own}.handback (domain VARCHAR(63) PRIMARY KEY, cursors TEXT NOT NULL) ENGINE=InnoDB`,
    ...accountSql(installation, grants(installation)),
    ...(handback && handback.password !== '' ? accountSql(handback, handbackGrants(installation)) : []),
  ];
}

function accountSql({ user, password }: Credentials, granted: readonly Grant[]): string[] {
  const account = accountName(user);
  return [
    `CREATE USER IF NOT EXISTS ${account} IDENTIFIED BY ${quoteText(password)}`,
    // The account may be there already, with another password.
    `ALTER USER ${account} IDENTIFIED BY ${quoteText(password)}`,
    ...granted.map(({ privileges, on }) => `GRANT ${privileges} ON ${on} TO ${account}`),
  ];
}

interface Grant {
  privileges: string;
  on: string;
}

/** What Banyan's account needs, and nothing more. */
export function grants({ banyanSchema, schema }: Installation): Grant[] {
  return [
    { privileges: 'REPLICATION SLAVE, BINLOG MONITOR', on: '*.*' },
    // The triggers of a fence run as this account, and only who has TRIGGER can see whether they stand.
    { privileges: 'SELECT, TRIGGER', on: `${pattern(schema)}.*` },
    { privileges: 'SELECT, INSERT, UPDATE, DELETE', on: `${pattern(banyanSchema)}.*` },
  ];
}

/** What the account of the handback needs. It may read who owns a domain, and never change it. */
export function handbackGrants({ banyanSchema, schema }: Pick<Installation, 'banyanSchema' | 'schema'>): Grant[] {
  const own = quoteName(banyanSchema);
  return [
    { privileges: 'SELECT, INSERT, UPDATE, DELETE', on: `${pattern(schema)}.*` },
    { privileges: 'SELECT, INSERT, UPDATE', on: `${own}.handback` },
    { privileges: 'SELECT', on: `${own}.ownership` },
  ];
}

export function uninstallSql({ banyanSchema, user, handback }: Installation): string[] {
  return [
    `DROP DATABASE IF EXISTS ${quoteName(banyanSchema)}`,
    `DROP USER IF EXISTS ${accountName(user)}`,
    ...(handback ? [`DROP USER IF EXISTS ${accountName(handback.user)}`] : []),
  ];
}

/** An account as Banyan makes it: from any host. */
export function accountName(user: string): string {
  return `${quoteText(user)}@'%'`;
}

/** A schema in a GRANT is a pattern. */
function pattern(schema: string): string {
  return quoteName(schema.replace(/[_%]/g, '\\$&'));
}

/** For a session whose sql_mode lets a backslash escape. */
export function quoteText(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
