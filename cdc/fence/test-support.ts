import mysql, { type Connection, type RowDataPacket } from 'mysql2/promise';
import { type Mariadb, startMariadb } from '../../scripts/lib/mariadb.ts';
import { installSql } from '../schema/install.ts';
import { inspect } from './inspect.ts';
import { installSteps, putUp, removeSteps, takeDown } from './install.ts';
import type { Fence } from './triggers.ts';

const FENCE: Fence = {
  domain: 'orders',
  schema: 'shop',
  banyanSchema: 'banyan',
  user: 'banyan',
  handback: 'banyan_handback',
  tables: {
    orders: { key: ['id'], columns: ['id', 'title', 'total', 'weight', 'at'], derived: ['total'] },
    items: { key: ['id'], columns: ['id', 'order_id', 'name'] },
  },
};

const TABLES = [
  `CREATE TABLE orders (
    id INT AUTO_INCREMENT PRIMARY KEY, title VARCHAR(20), total INT NOT NULL DEFAULT 0, weight FLOAT,
    at TIMESTAMP NULL, doubled INT AS (total * 2) VIRTUAL
  ) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4`,
  `CREATE TABLE items (
    id INT AUTO_INCREMENT PRIMARY KEY, order_id INT, name VARCHAR(20), FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE
  ) ENGINE=InnoDB`,
  'CREATE TABLE other (id INT PRIMARY KEY, name VARCHAR(20)) ENGINE=InnoDB',
];

/** A server with a small shop, Banyan's schema, and the accounts of the shop, of Banyan and of its handback. */
export class FenceBed {
  readonly server: Mariadb;
  readonly fence = FENCE;
  readonly root: Connection;
  readonly #opened: Connection[] = [];

  private constructor(server: Mariadb, root: Connection) {
    this.server = server;
    this.root = root;
  }

  static async open(): Promise<FenceBed> {
    const server = await startMariadb();
    const { host, port } = server;
    const root = await mysql.createConnection({ host, port, user: 'root', charset: 'utf8mb4', dateStrings: true });
    const bed = new FenceBed(server, root);
    await bed.run(root, "CREATE USER app IDENTIFIED BY 'p'", 'GRANT ALL ON *.* TO app');
    await bed.anew();
    return bed;
  }

  /** As on the first day: two orders, one with items; nothing of Banyan's but its schema and accounts. */
  async anew(): Promise<void> {
    for (const connection of this.#opened.splice(0)) connection.destroy();
    const handback = { user: FENCE.handback, password: 'p' };
    await this.run(
      this.root,
      'DROP DATABASE IF EXISTS shop',
      'DROP DATABASE IF EXISTS banyan',
      'CREATE DATABASE shop CHARACTER SET utf8mb4',
      'USE shop',
      ...installSql({ banyanSchema: 'banyan', schema: 'shop', user: 'banyan', password: 'p', handback }),
      ...TABLES,
    );
    await this.refill();
  }

  /** The first rows again, which a fence has to let by. */
  async refill(): Promise<void> {
    await this.run(
      this.root,
      ...['items', 'orders', 'other'].map((table) => `DELETE FROM ${table}`),
      "INSERT INTO orders (id, title, weight) VALUES (1, 'one', 0.1), (2, 'two', 0.2)",
      "INSERT INTO items (id, order_id, name) VALUES (1, 1, 'nail'), (2, 1, 'screw')",
      "INSERT INTO other VALUES (1, 'x')",
    );
  }

  /** Who has signed in as one of the accounts, in the shop's schema. */
  async as(user: 'app' | 'banyan' | 'banyan_handback' | 'root', flags: readonly string[] = []): Promise<Connection> {
    const { host, port } = this.server;
    const password = user === 'root' ? '' : 'p';
    const account = { host, port, user, password, database: 'shop', charset: 'utf8mb4', dateStrings: true };
    const connection = await mysql.createConnection({ ...account, flags: [...flags] });
    this.#opened.push(connection);
    return connection;
  }

  async run(connection: Connection, ...statements: string[]): Promise<void> {
    for (const sql of statements) await connection.query(sql);
  }

  async rows(sql: string): Promise<RowDataPacket[]> {
    const [rows] = await this.root.query<RowDataPacket[]>(sql);
    return rows;
  }

  async install(connection: Connection = this.root): Promise<void> {
    await putUp(connection, this.fence, installSteps(this.fence, await inspect(connection, this.fence)));
  }

  async remove(): Promise<void> {
    const steps = removeSteps(this.fence, await inspect(this.root, this.fence));
    await takeDown(this.root, await this.as('root'), this.fence, steps);
  }

  async owner(owner: 'monolith' | 'service', epoch: number): Promise<void> {
    await this.run(
      this.root,
      `REPLACE INTO banyan.ownership (domain, owner, epoch) VALUES ('orders', '${owner}', ${epoch})`,
    );
  }

  /** What nobody who is refused may have changed. */
  content(): Promise<RowDataPacket[][]> {
    return Promise.all(
      ['orders', 'items', 'other'].map((table) => this.rows(`SELECT * FROM shop.${table} ORDER BY id`)),
    );
  }

  async close(): Promise<void> {
    for (const connection of this.#opened.splice(0)) connection.destroy();
    this.root.destroy();
    await this.server.stop();
  }
}

export const REFUSED = { errno: 1644, sqlState: '45000' };
