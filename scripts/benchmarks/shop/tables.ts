import type { Connection } from 'mysql2/promise';

/** The tables that seed and capture are measured on. */
export const TABLES = {
  /** About 500 bytes a row, of mixed types. */
  orders: `CREATE TABLE orders (
    id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    customer_id BIGINT UNSIGNED NOT NULL,
    sku VARCHAR(40) NOT NULL,
    title VARCHAR(120) NOT NULL,
    quantity SMALLINT NOT NULL,
    price DECIMAL(12,2) NOT NULL,
    weight DOUBLE NULL,
    status ENUM('open','paid','shipped') NOT NULL,
    placed_at DATETIME(3) NOT NULL,
    updated_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    note TEXT NOT NULL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
  /** About 100 bytes a row. */
  readings: `CREATE TABLE readings (
    id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
    sensor_id INT UNSIGNED NOT NULL,
    label VARCHAR(80) NOT NULL,
    value DECIMAL(14,4) NOT NULL,
    taken_at DATETIME NOT NULL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
} as const;

export type TableName = keyof typeof TABLES;

/** The values of row number `seq`. Text is mostly ASCII with letters beyond it here and there, as people write. */
const VALUES: Record<TableName, string> = {
  orders: `seq, 1 + (seq * 7919) % 100000, CONCAT('SKU-', LPAD(HEX(seq * 2654435761 % 4294967296), 8, '0'), '-', seq % 97),
    SUBSTRING(@text, 1 + (seq * 31) % 3000, 40 + seq % 30), 1 + seq % 40, ((seq * 104729) % 10000000) / 100,
    IF(seq % 10 = 0, NULL, (seq % 1000) / 8), 1 + seq % 3, '2024-01-01' + INTERVAL seq SECOND + INTERVAL (seq % 1000) * 1000 MICROSECOND,
    '2025-01-01' + INTERVAL seq SECOND, SUBSTRING(@text, 1 + (seq * 61) % 3000, 340 + seq % 80)`,
  readings: `seq, 1 + (seq * 7919) % 5000, SUBSTRING(@text, 1 + (seq * 31) % 3000, 50 + seq % 20),
    ((seq * 104729) % 100000000) / 10000, '2024-01-01' + INTERVAL seq SECOND`,
};

const WORDS = `the parcel goes to a neighbour who is at home in the evening; please ring twice, the bell is "weak" and
  the door sticks. Café opposite keeps things too. Fragile: glass, two boxes, do not tip. Invoice to the office in Köln`;

/** Creates the schema anew, with empty tables. */
export async function createTables(connection: Connection): Promise<void> {
  await connection.query('DROP DATABASE IF EXISTS shop');
  await connection.query('CREATE DATABASE shop CHARACTER SET utf8mb4');
  await connection.query('USE shop');
  for (const sql of Object.values(TABLES)) await connection.query(sql);
}

/** Inserts rows from number `from` on, `perTransaction` at a time. */
export async function insertRows(
  connection: Connection,
  table: TableName,
  from: number,
  count: number,
  perTransaction: number,
): Promise<void> {
  await connection.query('SET @text = REPEAT(?, 20), time_zone = "+00:00"', [WORDS.replaceAll(/\s+/g, ' ')]);
  for (let first = from; first < from + count; first += perTransaction) {
    const last = Math.min(first + perTransaction, from + count) - 1;
    await connection.query(`INSERT INTO ${table} SELECT ${VALUES[table]} FROM seq_${first}_to_${last}`);
  }
}

/** Bytes of a row on average, as InnoDB stores it. */
export async function bytesPerRow(connection: Connection, table: TableName): Promise<number> {
  await connection.query(`ANALYZE TABLE ${table}`);
  const sql = 'SELECT DATA_LENGTH AS bytes FROM information_schema.TABLES WHERE TABLE_SCHEMA = ? AND TABLE_NAME = ?';
  const [[size]] = (await connection.query(sql, ['shop', table])) as unknown as [[{ bytes: number }]];
  const [[rows]] = (await connection.query(`SELECT COUNT(*) AS n FROM ${table}`)) as unknown as [[{ n: number }]];
  return Math.round(Number(size.bytes) / Number(rows.n));
}
