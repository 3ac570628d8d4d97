import mysql, { type RowDataPacket } from 'mysql2/promise';
import { type MariadbOptions, startMariadb } from '../../scripts/lib/mariadb.ts';
import type { Session, SourceUnderTest } from '../contract.ts';
import { openBinlogSource } from './index.ts';
import type { BinlogSourceOptions } from './options.ts';

export interface TestSession extends Session {
  rows(sql: string): Promise<RowDataPacket[]>;
}

export interface TestServer extends SourceUnderTest {
  session(): Promise<TestSession>;
  connection: { host: string; port: number; user: string; password: string };
  open(options: Omit<BinlogSourceOptions, 'connection' | 'schema'>): ReturnType<typeof openBinlogSource>;
  folder: string;
  kill(): Promise<void>;
  restart(extra?: readonly string[]): Promise<void>;
}

/** A MariaDB of its own with the schema `shop`. */
export async function startTestServer(options: MariadbOptions = {}): Promise<TestServer> {
  const server = await startMariadb(options);
  const { host, port, user, password } = server;
  const connection = { host, port, user, password };
  const session = async (): Promise<TestSession> => {
    const opened = await mysql.createConnection({ ...connection, charset: 'utf8mb4' });
    await opened.query('CREATE DATABASE IF NOT EXISTS shop');
    await opened.query('USE shop');
    return {
      async sql(...statements) {
        for (const statement of statements) await opened.query(statement);
      },
      async rows(sql) {
        const [rows] = await opened.query<RowDataPacket[]>(sql);
        return rows;
      },
      end: () => opened.end(),
    };
  };
  return {
    connection,
    session,
    open: (options) => openBinlogSource({ connection, schema: 'shop', ...options }),
    folder: server.folder,
    kill: () => server.kill(),
    restart: (more) => server.restart(more),
    dispose: () => server.stop(),
  };
}
