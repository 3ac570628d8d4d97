/** SQL that makes Banyan's schema and account in the monolith's server. Everything may be run again. */

export interface Installation {
  /** Banyan's own schema. */
  banyanSchema: string;
  /** The monolith's schema. */
  schema: string;
  user: string;
  password: string;
}

export function installSql(installation: Installation): string[] {
  const { banyanSchema } = installation;
  const own = name(banyanSchema);
  return [
    `CREATE DATABASE IF NOT EXISTS ${own} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
    `CREATE TABLE IF NOT EXISTS ${own}.heartbeat (id TINYINT PRIMARY KEY, beat BIGINT NOT NULL) ENGINE=InnoDB`,
    `INSERT IGNORE INTO ${own}.heartbeat VALUES (1, 0)`,
    `CREATE TABLE IF NOT EXISTS ${own}.watermark (
       domain VARCHAR(63) PRIMARY KEY, chunk VARCHAR(100) NOT NULL, edge CHAR(4) NOT NULL
     ) ENGINE=InnoDB`,
    `CREATE USER IF NOT EXISTS ${account(installation)} IDENTIFIED BY ${text(installation.password)}`,
    // The account may be there already, with another password.
    `ALTER USER ${account(installation)} IDENTIFIED BY ${text(installation.password)}`,
    ...grants(installation).map((grant) => `GRANT ${grant.privileges} ON ${grant.on} TO ${account(installation)}`),
  ];
}

/** What the account needs, and nothing more. */
export function grants({ banyanSchema, schema }: Installation): { privileges: string; on: string }[] {
  return [
    { privileges: 'REPLICATION SLAVE, BINLOG MONITOR', on: '*.*' },
    { privileges: 'SELECT', on: `${pattern(schema)}.*` },
    { privileges: 'SELECT, INSERT, UPDATE, DELETE', on: `${pattern(banyanSchema)}.*` },
  ];
}

export function uninstallSql(installation: Installation): string[] {
  return [`DROP DATABASE IF EXISTS ${name(installation.banyanSchema)}`, `DROP USER IF EXISTS ${account(installation)}`];
}

function account({ user }: Installation): string {
  return `${text(user)}@'%'`;
}

/** A schema in a GRANT is a pattern. */
function pattern(schema: string): string {
  return name(schema.replace(/[_%]/g, '\\$&'));
}

function name(identifier: string): string {
  return `\`${identifier.replaceAll('`', '``')}\``;
}

function text(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
