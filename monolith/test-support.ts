import type { AddressInfo } from 'node:net';
import type { Knex } from 'knex';
import mysql from 'mysql2/promise';
import { startMariadb } from '../scripts/lib/mariadb.ts';
import { createApp } from './app.ts';
import { connect } from './database.ts';
import { PASSWORD } from './fill.ts';
import { createSchema } from './schema.ts';
import { hashPassword } from './session.ts';

export { PASSWORD };

// biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what a test is about
type Json = any;

interface Answer {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
}

type Send = (method: string, path: string, body?: unknown) => Promise<Answer>;

export interface Site {
  db: Knex;
  /** As a visitor. */
  send: Send;
  /** Creates the member and signs in. */
  join(username: string, columns?: Record<string, unknown>): Promise<{ id: number; send: Send }>;
  /** A published post with a few words. */
  post(author: { send: Send }, title: string, more?: Record<string, unknown>): Promise<number>;
  /** What was answered with 500 must be nothing. */
  stop(): Promise<void>;
}

/** The monolith on a MariaDB of its own. Only tests may import this file. */
export async function startSite(database: string): Promise<Site> {
  const mariadb = await startMariadb();
  const { host, port, user, password } = mariadb;
  const root = await mysql.createConnection({ host, port, user, password });
  await root.query(`CREATE DATABASE ${database}`);
  await root.end();
  const db = connect({ host, port, user, password, database });
  await createSchema(db);
  const errors: unknown[] = [];
  const server = createApp(db, { onError: (error) => errors.push(error) }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const password_hash = await hashPassword(PASSWORD);
  return {
    db,
    send: sender(base),
    async join(username, columns) {
      const row = {
        username,
        name: username.toUpperCase(),
        password_hash,
        joined_at: '2024-02-29 23:59:59',
        ...columns,
      };
      const [id = 0] = await db('members').insert(row);
      const login = await sender(base)('POST', '/login', { username, password: PASSWORD });
      return { id, send: sender(base, login.headers.getSetCookie()[0]?.split(';')[0]) };
    },
    async post(author, title, more) {
      const { json } = await author.send('POST', '/posts', { title, body: textBody('some words'), ...more });
      await author.send('POST', `/posts/${json.id}/publish`);
      return json.id;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await db.destroy();
      await mariadb.stop();
      if (errors.length > 0) throw new AggregateError(errors, 'answered with 500');
    },
  };
}

export const textBody = (text: string) => ({ blocks: [{ type: 'paragraph', text }] });

function sender(base: string, cookie = ''): Send {
  return async (method, path, body) => {
    const response = await fetch(base + path, {
      method,
      headers: { cookie, 'content-type': 'application/json' },
      body: body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      json: text === '' ? undefined : JSON.parse(text),
    };
  };
}
