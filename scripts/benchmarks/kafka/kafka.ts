import { setTimeout as sleep } from 'node:timers/promises';
import { EMITTER, type EmitterState } from '../../../cdc/index.ts';
import { type EventLog, openKafkaLog } from '../../../log/index.ts';
import { startConnect } from '../../lib/connect.ts';
import { type Kafka, startKafka } from '../../lib/kafka.ts';
import { binlogEnd, catchUp } from '../capture.ts';
import { timesIn } from '../shop/log-watch.ts';
import { Shop } from '../shop/shop.ts';
import { insertRows } from '../shop/tables.ts';
import { TOPICS } from '../shop/topics.ts';
import { atLeast, type Benchmark, type Row, type Setting } from '../types.ts';
import { appends } from './appends.ts';
import { Debezium } from './debezium.ts';
import { visible } from './visible.ts';

/** The log on Kafka, and both profiles beside Debezium. */
export const kafka: Benchmark = async (setting) => {
  const { workshop, quick, say } = setting;
  const broker = await startKafka({ folder: workshop.path('kafka') });
  workshop.defer(() => broker.stop());
  say('appending');
  const appended = await appends(broker.brokers, quick);
  const beside = await besideDebezium(setting, broker);
  const seen = [await visible(setting, 'binlog-kafka'), await visible(setting, 'kafka')];
  return {
    rows: [...appended.rows, ...beside, ...seen.flatMap(({ rows }) => rows)],
    notes: [
      ...appended.notes,
      ...seen.flatMap(({ notes }) => notes),
      'Debezium 3.5 as the reference has its defaults: JSON without schemas, one topic, `poll.interval.ms` 500; as the source 10',
    ],
  };
};

const ROWS_A_TRANSACTION = 100;

async function besideDebezium(setting: Setting, broker: Kafka): Promise<Row[]> {
  const { workshop, quick, say } = setting;
  const rows = quick ? 20_000 : 200_000;
  const shop = await Shop.open(workshop);
  await insertRows(shop.connection, 'orders', 1, rows, 10_000);
  await shop.logged();
  const connect = await startConnect({ brokers: broker.brokers, folder: workshop.path('connect') });
  workshop.defer(() => connect.stop());
  const debezium = await Debezium.open(connect, broker.brokers);
  workshop.defer(() => debezium.close());
  await debezium.start(shop.mariadb, broker.brokers);
  const snapshot = { name: 'Debezium snapshot', value: await debezium.rate(0, rows) };
  say(`Debezium's snapshot: ${Math.round(snapshot.value)} rows/s`);
  await debezium.pause();
  const embedded = await seedRate(shop, 'embedded');
  const onKafka = await seedRateOnKafka(shop, broker);
  say(`seeds: ${Math.round(embedded)} rows/s embedded, ${Math.round(onKafka)} on Kafka`);

  const { part, watch } = await shop.emitter('start');
  await part.stop();
  await watch.close();
  const from = await binlogEnd(shop.connection);
  await insertRows(shop.connection, 'orders', rows + 1, rows, ROWS_A_TRANSACTION);
  await debezium.resume();
  const streaming = { name: 'Debezium streaming', value: await debezium.rate(rows, 2 * rows) };
  await debezium.pause();
  const { rate } = await catchUp(setting, shop, 'captured', rows);
  say(`from ${from.file}: Debezium ${Math.round(streaming.value)}, Banyan ${Math.round(rate)} changes/s`);
  return [
    atLeast(5, { name: 'seed, embedded', value: embedded, unit: 'rows/s', reference: snapshot }),
    atLeast(2, { name: 'seed, into Kafka', value: onKafka, unit: 'rows/s', reference: snapshot }),
    atLeast(3, { name: 'capture into SQLite', value: rate, unit: 'changes/s', reference: streaming }),
  ];
}

/** Rows a second, from the request to the record that the domain is seeded. */
async function seedRate(shop: Shop, data: string): Promise<number> {
  const { part, watch } = await shop.emitter(data);
  await shop.banyan(data, 'etl', 'orders', '--yes');
  await part.stop();
  const [asked = 0, seeded = 0] = await watch.times('EtlRequested', 'DomainSeeded');
  const count = await watch.count('orders');
  await watch.close();
  return (count / (seeded - asked)) * 1000;
}

async function seedRateOnKafka(shop: Shop, broker: Kafka): Promise<number> {
  const prefix = 'seed.';
  const other = shop.on({ BANYAN_LOG_KIND: 'kafka', BANYAN_LOG_BROKERS: broker.brokers, BANYAN_LOG_PREFIX: prefix });
  const log = openKafkaLog({ brokers: [broker.brokers], prefix, topics: TOPICS, writers: [EMITTER] });
  const part = other.startEmitter('kafka');
  await live(log);
  await other.banyan('kafka', 'etl', 'orders', '--yes');
  await part.stop();
  const [asked = 0, seeded = 0] = await timesIn(log, 'EtlRequested', 'DomainSeeded');
  let count = 0;
  const from = { orders: [{ offset: -1, id: '' }] };
  for await (const batch of log.read(from, { follow: false })) count += batch.length;
  await log.close();
  return (count / (seeded - asked)) * 1000;
}

async function live(log: EventLog): Promise<void> {
  const since = Date.now();
  const freshAt = async () => ((await log.checkpoint(EMITTER))?.state as EmitterState | undefined)?.freshAt ?? 0;
  while ((await freshAt()) < since) await sleep(50);
}
