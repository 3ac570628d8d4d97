import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { startConnect } from '../connect.ts';
import { startKafka } from '../kafka.ts';
import { startMariadb } from '../mariadb.ts';
import { markOf } from './processes.ts';
import { type StackPart, type StackState, writeState } from './state.ts';

/** Starts the parts and lives as long as they: they end with it, however it ends. */
export async function supervise(folder: string): Promise<void> {
  // Leaving ends the parts; without this a signal would not.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit());
  const state: StackState = { supervisor: markOf(process.pid), ready: false, parts: [] };
  const remember = (name: StackPart['name'], pid: number, address: string) => {
    state.parts.push({ name, ...markOf(pid), address });
    writeState(folder, state);
  };
  const home = (part: StackPart['name']) => {
    mkdirSync(join(folder, part));
    return join(folder, part);
  };
  const both = [
    startMariadb({ folder: home('mariadb') }).then((mariadb) => {
      remember('mariadb', mariadb.pid, `${mariadb.host}:${mariadb.port}`);
    }),
    startKafka({ folder: home('kafka') }).then((kafka) => {
      remember('kafka', kafka.pid, kafka.brokers);
      return kafka;
    }),
  ] as const;
  // When one fails, the other one still writes into a folder that is about to be removed.
  await Promise.allSettled(both);
  const [, kafka] = await Promise.all(both);
  const connect = await startConnect({ brokers: kafka.brokers, folder: home('connect') });
  remember('connect', connect.pid, connect.url);
  state.ready = true;
  writeState(folder, state);
}
