import { setTimeout as sleep } from 'node:timers/promises';
import kafkajs, { type Admin } from 'kafkajs';
import type { Connect } from '../../lib/connect.ts';
import type { Mariadb } from '../../lib/mariadb.ts';

const NAME = 'bench';
const TOPIC = 'bench.shop.orders';
const LOOK_MS = 10;

/** Debezium's MariaDB connector with its usual settings, as a reference: a table to a topic. */
export class Debezium {
  readonly #url: string;
  readonly #admin: Admin;

  private constructor(url: string, admin: Admin) {
    this.#url = url;
    this.#admin = admin;
  }

  static async open({ url }: Connect, brokers: string): Promise<Debezium> {
    const client = new kafkajs.Kafka({ brokers: [brokers], logLevel: kafkajs.logLevel.NOTHING });
    const admin = client.admin();
    await admin.connect();
    await admin.createTopics({
      topics: ['bench', 'bench.history', TOPIC].map((topic) => ({ topic, numPartitions: 1 })),
    });
    return new Debezium(url, admin);
  }

  /** Starts with a snapshot of the table, and streams from there on. */
  async start({ host, port, user, password }: Mariadb, brokers: string): Promise<void> {
    await this.#ask('PUT', `/connectors/${NAME}/config`, {
      'connector.class': 'io.debezium.connector.mariadb.MariaDbConnector',
      'tasks.max': '1',
      'database.hostname': host,
      'database.port': String(port),
      'database.user': user,
      'database.password': password,
      'database.ssl.mode': 'disable',
      'database.server.id': '5400',
      'topic.prefix': 'bench',
      'database.include.list': 'shop',
      'table.include.list': 'shop.orders',
      'schema.history.internal.kafka.bootstrap.servers': brokers,
      'schema.history.internal.kafka.topic': 'bench.history',
      'schema.history.internal.store.only.captured.tables.ddl': 'true',
    });
  }

  async pause(): Promise<void> {
    await this.#ask('PUT', `/connectors/${NAME}/pause`);
    while ((await this.#state()) !== 'PAUSED') await sleep(100);
  }

  async resume(): Promise<void> {
    await this.#ask('PUT', `/connectors/${NAME}/resume`);
  }

  async count(): Promise<number> {
    const [partition] = await this.#admin.fetchTopicOffsets(TOPIC);
    return Number(partition?.high);
  }

  /** Records a second, from the first that is seen behind `from` until there are `to`. */
  async rate(from: number, to: number): Promise<number> {
    let first: { at: number; count: number } | undefined;
    for (;;) {
      const [count, at] = [await this.count(), performance.now()];
      if (count > from) first ??= { at, count };
      if (first && count >= to) return ((count - first.count) / (at - first.at)) * 1000;
      await sleep(LOOK_MS);
    }
  }

  async close(): Promise<void> {
    await this.#admin.disconnect();
  }

  async #state(): Promise<string | undefined> {
    const status = (await this.#ask('GET', `/connectors/${NAME}/status`)) as { tasks?: { state: string }[] };
    return status.tasks?.[0]?.state;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#url}${path}`, {
      method,
      headers: { 'content-type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  }
}
