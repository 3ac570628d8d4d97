import { setTimeout as sleep } from 'node:timers/promises';
import { ensureTopics } from '../../log/kafka/topics.ts';
import { cdcFault } from '../errors.ts';
import { CONNECTOR_CLASS, connectorConfig, connectorTopics, withoutSecrets } from './config.ts';
import { debeziumFault } from './errors.ts';
import { connectorNameOf, type DebeziumOptions, topicOf } from './options.ts';
import { ask, messageOf } from './rest.ts';

export interface ConnectorStatus {
  name: string;
  /** `MISSING` when there is none of that name; else as Connect says it: RUNNING, PAUSED, STOPPED, FAILED, UNASSIGNED. */
  state: string;
  tasks: { id: number; state: string; trace?: string }[];
  /** What is to be done; absent when everything runs. */
  cure?: string;
}

const STOP_MS = 30_000;

type Options = Pick<DebeziumOptions, 'kafka' | 'connect'>;

function pathOf(options: Options): string {
  return `/connectors/${encodeURIComponent(connectorNameOf(options))}`;
}

/**
 * Makes the topics and the connector, or gives it the configuration that it should have. May be run again. Returns
 * whether anything was changed.
 *
 * @throws BNY-CDC-CONNECTOR, BNY-CDC-CONNECT-UNREACHABLE, BNY-LOG-…
 */
export async function applyConnector(options: DebeziumOptions): Promise<{ changed: boolean }> {
  const { connect, kafka } = options;
  await requirePlugin(options);
  const config = connectorConfig(options);
  const live = await liveConfig(options);
  const made = await ensureTopics(kafka, connectorTopics(options));
  if (live && isSame(live, config)) return { changed: made };
  const put = await ask(connect, 'PUT', `${pathOf(options)}/config`, config);
  if (put.status >= 400) {
    throw debeziumFault('BNY-CDC-CONNECTOR', {
      found: `Connect refuses the configuration: ${withoutSecrets(messageOf(put.body), config)}`,
      needed: 'a configuration that it takes',
      cure: 'Correct what it names: `monolith.database`, the brokers, or `source`.',
    });
  }
  return { changed: true };
}

/** @throws BNY-CDC-CONNECTOR, BNY-CDC-CONNECT-UNREACHABLE */
export async function requirePlugin({ connect }: Options): Promise<void> {
  const { body } = await ask(connect, 'GET', '/connector-plugins');
  const plugins = Array.isArray(body) ? body.map((plugin) => String(plugin.class)) : [];
  if (plugins.includes(CONNECTOR_CLASS)) return;
  throw debeziumFault('BNY-CDC-CONNECTOR', {
    found: `plugins ${plugins.join(', ') || 'none'}`,
    needed: `${CONNECTOR_CLASS} 3.5 or newer`,
    cure: "Put debezium-connector-mariadb with its jars into a folder of the workers' plugin.path, and restart them.",
  });
}

/** What the connector runs with; undefined when there is none. @throws BNY-CDC-CONNECTOR when it is somebody else's */
export async function liveConfig(options: Options): Promise<Readonly<Record<string, string>> | undefined> {
  const { status, body: config } = await ask(options.connect, 'GET', `${pathOf(options)}/config`);
  if (status !== 200) return undefined;
  if (config?.['connector.class'] === CONNECTOR_CLASS && config['topic.prefix'] === topicOf(options)) return config;
  throw debeziumFault('BNY-CDC-CONNECTOR', {
    found: `a connector ${connectorNameOf(options)} of class ${config?.['connector.class']} for ${config?.['topic.prefix'] ?? 'no topic'}`,
    needed: `none of that name, or ${CONNECTOR_CLASS} for ${topicOf(options)}`,
    cure: 'Give the connector another name, or delete the other one.',
  });
}

function isSame(found: Readonly<Record<string, string>>, needed: Readonly<Record<string, string>>): boolean {
  const names = new Set([...Object.keys(found), ...Object.keys(needed)]);
  return [...names].every((name) => found[name] === needed[name]);
}

/** @throws BNY-CDC-CONNECT-UNREACHABLE */
export async function connectorStatus(options: Options): Promise<ConnectorStatus> {
  const name = connectorNameOf(options);
  const { status, body } = await ask(options.connect, 'GET', `${pathOf(options)}/status`);
  if (status !== 200) return { name, state: 'MISSING', tasks: [], cure: 'Run `banyan connector apply`.' };
  // biome-ignore lint/suspicious/noExplicitAny: Connect's JSON
  const tasks = (body.tasks ?? []).map(({ id, state, trace }: any) => ({
    id,
    state,
    ...(trace !== undefined && { trace: reasonOf(String(trace)) }),
  }));
  const told: ConnectorStatus = { name, state: String(body.connector?.state), tasks };
  const cure = cureOf(told);
  return cure === undefined ? told : { ...told, cure };
}

/** The first line says that something failed, the last cause says what. */
function reasonOf(trace: string): string {
  const lines = trace.split('\n').map((line) => line.trim());
  const cause = lines.findLast((line) => line.startsWith('Caused by: ')) ?? lines[0] ?? '';
  return cause.replace(/^Caused by: /, '').slice(0, 1000);
}

function cureOf({ state, tasks }: ConnectorStatus): string | undefined {
  const failed = tasks.find((task) => task.state === 'FAILED');
  if (failed) {
    return isPurged(failed.trace ?? '')
      ? 'The binlog that it needs next is gone: restore the purged files and restart the task, or start with a new log and seed again.'
      : 'Put right what the trace names, then restart the task: POST …/restart?includeTasks=true&onlyFailed=true.';
  }
  if (state === 'PAUSED' || state === 'STOPPED') return 'It was paused by hand: PUT …/resume.';
  if (state === 'FAILED') return 'Put right what its log names, then restart it: POST …/restart.';
  if (tasks.length === 0 || tasks.some((task) => task.state !== 'RUNNING'))
    return 'Wait: a worker is to take its task up.';
  return undefined;
}

export function isPurged(trace: string): boolean {
  return /purged|no longer available on the server|could not find first log|not in the master's binlog/i.test(trace);
}

/** Returns whether there was one. Its topics stay, and so do its offsets. @throws BNY-CDC-CONNECTOR, BNY-CDC-CONNECT-UNREACHABLE */
export async function deleteConnector(options: Options): Promise<boolean> {
  if (!(await liveConfig(options))) return false;
  await ask(options.connect, 'DELETE', pathOf(options));
  return true;
}

/**
 * Lets the connector write again everything behind a GTID, behind an empty one all that the binlog has: what it had
 * written already, readers pass over.
 *
 * @throws BNY-CDC-CONNECTOR, BNY-CDC-CONNECT-UNREACHABLE
 */
export async function setBackConnector(options: Options, gtid: string): Promise<void> {
  const { connect } = options;
  const path = pathOf(options);
  const { body } = await ask(connect, 'GET', `${path}/offsets`);
  const [saved] = body?.offsets ?? [];
  if (!saved) {
    throw debeziumFault('BNY-CDC-CONNECTOR', {
      found: `no offset of ${connectorNameOf(options)}`,
      needed: 'one to set back',
    });
  }
  const { file, pos, server_id, gtids: newest } = saved.offset;
  // Debezium ends at an empty one; number 0 is before all.
  const gtids = gtid || String(newest || '0-1-0').replace(/\d+$/, '0');
  const offset = { file, pos, server_id, ts_sec: 0, gtids };
  await ask(connect, 'PUT', `${path}/stop`);
  try {
    await changeOffset(options, { partition: saved.partition, offset });
  } finally {
    await ask(connect, 'PUT', `${path}/resume`);
  }
}

/** Only of a stopped connector; that it has stopped takes a moment. */
async function changeOffset(options: Options, offset: object): Promise<void> {
  for (const deadline = Date.now() + STOP_MS; ; await sleep(200)) {
    const { status, body } = await ask(options.connect, 'PATCH', `${pathOf(options)}/offsets`, { offsets: [offset] });
    if (status < 400) return;
    if (Date.now() > deadline) {
      throw debeziumFault('BNY-CDC-CONNECTOR', { found: messageOf(body), needed: 'an offset that can be set back' });
    }
  }
}

/** Why nothing comes. Returns when the connector runs, or will. @throws BNY-CDC-PURGED, BNY-CDC-CONNECTOR, BNY-CDC-CONNECT-UNREACHABLE */
export async function checkConnector(options: Options): Promise<void> {
  const { name, state, tasks, cure } = await connectorStatus(options);
  const failed = tasks.find((task) => task.state === 'FAILED');
  if (!failed && state !== 'MISSING' && state !== 'FAILED' && state !== 'PAUSED' && state !== 'STOPPED') return;
  const found = `${name} ${state}${failed ? `, task ${failed.id} FAILED: ${failed.trace}` : ''}`;
  if (failed && isPurged(failed.trace ?? ''))
    throw cdcFault('BNY-CDC-PURGED', { found, needed: 'the binlog from its offset on' });
  throw debeziumFault('BNY-CDC-CONNECTOR', {
    found,
    needed: 'a running connector with a running task',
    ...(cure && { cure }),
  });
}
