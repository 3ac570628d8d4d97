import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Command, Option } from 'commander';
import { EMITTER } from '../cdc/index.ts';
import type { Cursors, EventLog, LoggedEvent } from '../log/index.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { type Backup, copyLog, lockData, openLog, topicsOf } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { ProgressLine } from './progress-line.ts';
import { table } from './table.ts';

export function registerLog(program: Command): void {
  const log = program.command('log').description('Look into the event log, or save it');
  const tail = log
    .command('tail')
    .description('Events as they are appended')
    .argument('<topic>', 'a domain, banyan.control or banyan.latest')
    .addOption(new Option('--last <n>', 'begin so many events before the end').default('10'))
    .option('--no-follow', 'end at the end of the log');
  handle(standard(tail, ['banyan log tail orders', 'banyan log tail banyan.control --last 100 --no-follow']), tailLog);
  const show = log
    .command('show')
    .description('One event, whole')
    .argument('<topic>', 'its topic')
    .argument('<offset>', 'its offset')
    .addOption(new Option('--partition <n>', 'its partition').default('0'));
  handle(standard(show, ['banyan log show orders 41']), showEvent);
  handle(
    standard(log.command('stats').description('Topics, their ends, and the checkpoint'), ['banyan log stats --json']),
    stats,
  );
  const backup = log
    .command('backup')
    .description('Copy the log to a file while it is in use')
    .argument('<file>', 'a new file');
  handle(standard(backup, ['banyan log backup /backups/log.sqlite']), backupLog);
  const copy = log
    .command('copy')
    .description('Move the log of the data folder to the one of the configuration; offsets and stores stay valid')
    .addOption(new Option('--to <kind>', 'what the configuration names').choices(['kafka']).makeOptionMandatory())
    .option('--yes', 'act on the plan');
  handle(standard(copy, ['banyan log copy --to kafka --yes']), moveLog);
}

async function tailLog(context: Context, [topic = '']: string[], options: Record<string, unknown>): Promise<number> {
  const log = await openLog(context.config);
  const last = wholeNumber(options['last']);
  if (Number.isNaN(last))
    throw cliFault('BNY-CLI-USAGE', { found: `--last ${options['last']}`, needed: 'a whole number' });
  try {
    const ends = (await log.ends([topic]))[topic] ?? [];
    const show = (events: readonly LoggedEvent[]) => {
      for (const event of events) context.data(readable(event), line(event));
    };
    show(await newest(log, topic, ends, last));
    if (options['follow'] === false) return EXIT.done;
    for await (const batch of log.read(cursorsAt(topic, ends), { signal: context.signal })) show(batch);
    return EXIT.done;
  } finally {
    await log.close();
  }
}

/** The last events of a topic. Offsets may have holes: it goes back until there are enough. */
async function newest(log: EventLog, topic: string, ends: readonly number[], count: number): Promise<LoggedEvent[]> {
  for (let back = count; count > 0; back *= 2) {
    const from = ends.map((end) => Math.max(-1, end - back));
    const events: LoggedEvent[] = [];
    for await (const batch of log.read(cursorsAt(topic, from), { until: { [topic]: [...ends] } }))
      events.push(...batch);
    if (events.length >= count || from.every((offset) => offset === -1)) return events.slice(-count);
  }
  return [];
}

function cursorsAt(topic: string, offsets: readonly number[]): Cursors {
  return { [topic]: offsets.map((offset) => ({ offset, id: '' })) };
}

async function showEvent(
  context: Context,
  [topic = '', offset = '']: string[],
  options: Record<string, unknown>,
): Promise<number> {
  const log = await openLog(context.config);
  const event = await find(log, topic, wholeNumber(options['partition']), wholeNumber(offset)).finally(() =>
    log.close(),
  );
  if (!event)
    throw cliFault('BNY-CLI-USAGE', { found: `no event at ${topic} offset ${offset}`, needed: 'an offset in the log' });
  context.data(readable(event), JSON.stringify(readable(event), null, 2));
  return EXIT.done;
}

async function find(log: EventLog, topic: string, partition: number, offset: number): Promise<LoggedEvent | undefined> {
  const ends = (await log.ends([topic]))[topic] ?? [];
  if (!(offset <= (ends[partition] ?? -1))) return undefined;
  const from = ends.map((end, i) => (i === partition ? offset - 1 : end));
  for await (const [event] of log.read(cursorsAt(topic, from), { follow: false, limit: 1 }))
    return event?.offset === offset ? event : undefined;
  return undefined;
}

/** NaN of anything else: an empty word, as of a shell's variable that is not set, is not 0. */
export function wholeNumber(text: unknown): number {
  return /^\d+$/.test(String(text)) ? Number(text) : Number.NaN;
}

async function stats(context: Context): Promise<number> {
  const log = await openLog(context.config);
  const names = Object.keys(topicsOf(context.config));
  const told = async () => ({
    identity: await log.identity(),
    ends: await log.ends(names),
    checkpoint: await log.checkpoint(EMITTER),
  });
  const { identity, ends, checkpoint } = await told().finally(() => log.close());
  const rows = names.map((name) => [
    name,
    String(ends[name]?.length),
    String((ends[name] ?? []).reduce((sum, end) => sum + end + 1, 0)),
  ]);
  context.data(
    { identity, ends, checkpoint },
    `log ${identity}, ${checkpoint?.number ?? 0} appends of the emitter\n${table(['TOPIC', 'PARTITIONS', 'OFFSETS'], rows)}`,
  );
  return EXIT.done;
}

async function backupLog(context: Context, [file = '']: string[]): Promise<number> {
  await checkTarget(file);
  const log = await openLog(context.config);
  try {
    await save(log, file);
    const identity = await log.identity();
    context.data({ file, identity }, `log ${identity} saved as ${file}`);
    return EXIT.done;
  } finally {
    await log.close();
  }
}

/** While nothing runs: what was appended behind its back would be missing. */
async function moveLog(context: Context): Promise<number> {
  const { config, signal } = context;
  const lock = lockData(config, 'nothing that runs on it');
  const line = new ProgressLine();
  try {
    const plan = [
      'copy every event to the same offset of the new log; the old one stays as it is',
      'read both and compare their hashes',
      'hand the checkpoint over: the emitter goes on behind it, in the new log',
    ];
    if (!(await context.confirm(plan))) return EXIT.differences;
    const { events, hash } = await copyLog(config, (n, of) => line.show(`${n} of ${of} events`), signal);
    line.end();
    const data = { events, hash, next_steps: ['banyan up'] };
    context.data(
      data,
      `${events} events are in the new log, with the same hash (${hash.slice(0, 12)}). Next: banyan up`,
    );
    return EXIT.done;
  } finally {
    line.end();
    lock.release();
  }
}

/** @throws BNY-CLI-REFUSED when this kind of log cannot */
export async function save(log: EventLog & Partial<Backup>, file: string): Promise<void> {
  if (log.backup) return log.backup(file);
  throw cliFault('BNY-CLI-REFUSED', {
    found: 'a log that cannot copy itself to a file',
    needed: 'one that can',
    cure: 'Save it by the means of the system that holds it.',
  });
}

/** @throws BNY-CLI-USAGE when no new file can be made there */
async function checkTarget(file: string): Promise<void> {
  // The copy bears the second name until it is whole.
  for (const path of [file, `${file}.part`]) {
    const found = await access(path).then(
      () => `${path} exists`,
      (error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? undefined : error.message),
    );
    if (found !== undefined) throw cliFault('BNY-CLI-USAGE', { found, needed: 'the path of a new file' });
  }
  await access(dirname(file), constants.W_OK).catch((error: Error) => {
    throw cliFault('BNY-CLI-USAGE', { found: error.message, needed: 'a folder that is there and can be written to' });
  });
}

function readable(event: LoggedEvent): object {
  return { ...event, data: JSON.parse(event.data) as unknown };
}

function line({ topic, partition, offset, time, type, key, data }: LoggedEvent): string {
  return `${topic}/${partition}/${offset}  ${time}  ${type}  ${key}  ${data.length > 200 ? `${data.slice(0, 200)}…` : data}`;
}
