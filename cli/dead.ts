import type { Command } from 'commander';
import { controlEvent, type EventLog, readControlState } from '../log/index.ts';
import { type DeadLetter, originalOf, readDeadLetters } from '../services/kit/processor/dead-letters.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { instancesOf } from './situation.ts';
import { brief, table } from './table.ts';

export function registerDead(program: Command): void {
  const dead = program
    .command('dead')
    .description('Look at the events that a processor failed at, or hand them over again');
  const list = dead
    .command('list')
    .description('One line a dead letter, the oldest first')
    .argument('<processor>', 'whose dead letters');
  handle(standard(list, ['banyan dead list mailer', 'banyan dead list mailer --json']), on(listLetters));
  const show = dead
    .command('show')
    .description('One dead letter with its event, whole')
    .argument('<processor>', 'whose dead letter')
    .argument('<event>', 'the id of the event');
  handle(standard(show, ['banyan dead show mailer 7f3a…']), on(showLetter));
  const replay = dead
    .command('replay')
    .description(
      'Hand dead letters to their handler again; without an event all of them. The others of the same aggregate come along, in their order',
    )
    .argument('<processor>', 'whose dead letters')
    .argument('[event...]', 'the ids of their events')
    .option('--yes', 'act on the plan');
  handle(standard(replay, ['banyan dead replay mailer', 'banyan dead replay mailer 7f3a… --yes']), on(replayLetters));
}

type Work = (context: Context, log: EventLog, letters: DeadLetter[], positional: string[]) => Promise<number>;

function on(work: Work) {
  return async (context: Context, [name = '', ...rest]: string[]): Promise<number> => {
    context.processor(name);
    const log = await openLog(context.config);
    try {
      const { open } = await readDeadLetters(log, name);
      return await work(context, log, [...open.values()], [name, ...rest]);
    } finally {
      await log.close();
    }
  };
}

const MESSAGE_WIDTH = 80;

async function listLetters(context: Context, _: EventLog, letters: DeadLetter[], [name]: string[]): Promise<number> {
  const rows = letters.map(({ event, error, attempts, time }) => [
    event.id,
    event.type,
    event.key,
    time,
    String(attempts),
    error.code,
    brief(error.message, MESSAGE_WIDTH),
  ]);
  const steps = letters.length > 0 ? [`banyan dead replay ${name}`] : [];
  const text = table(['EVENT', 'TYPE', 'AGGREGATE', 'DIED', 'ATTEMPTS', 'ERROR', 'MESSAGE'], rows);
  context.data({ processor: name, letters, next_steps: steps }, letters.length > 0 ? text : `${name}: no dead letters`);
  return EXIT.done;
}

async function showLetter(
  context: Context,
  log: EventLog,
  letters: DeadLetter[],
  [name = '', id = '']: string[],
): Promise<number> {
  const [letter] = lettersOf(name, letters, [id]);
  if (!letter) return EXIT.usage;
  const event = await originalOf(log, letter.event);
  const whole = { ...letter, event: { ...event, data: JSON.parse(event.data) as unknown } };
  context.data(whole, JSON.stringify(whole, null, 2));
  return EXIT.done;
}

async function replayLetters(
  context: Context,
  log: EventLog,
  letters: DeadLetter[],
  [name = '', ...ids]: string[],
): Promise<number> {
  const wanted = ids.length === 0 ? letters : withTheirAggregates(letters, lettersOf(name, letters, ids));
  if (wanted.length === 0) {
    context.data({ processor: name, events: [] }, `${name}: no dead letters`);
    return EXIT.done;
  }
  const plan = wanted.map(
    ({ event }) => `hand ${event.type} ${event.id} (${event.topic} ${event.key}) to ${name} again`,
  );
  if (!(await context.confirm(plan))) return EXIT.differences;
  const events = wanted.map(({ event }) => event.id);
  // A record has its limit, and so many are never asked for by hand.
  for (let from = 0; from < events.length; from += MOST) {
    const data = { processor: name, events: events.slice(from, from + MOST) };
    await log.post([controlEvent('DeadReplayRequested', data, context.actor)]);
  }
  if (instancesOf(await readControlState(log), name).length === 0)
    context.note(
      `${name} does not run: the request stands in the log and waits for it. Cure: banyan up, or banyan process ${name}`,
    );
  const steps = [`banyan dead list ${name}`];
  context.data(
    { processor: name, events, next_steps: steps },
    `${name}: ${events.length} requested. Next: ${steps[0]}`,
  );
  return EXIT.done;
}

const MOST = 5000;

/** @throws BNY-CLI-USAGE naming those that are none */
function lettersOf(processor: string, letters: DeadLetter[], ids: string[]): DeadLetter[] {
  const unknown = ids.filter((id) => !letters.some(({ event }) => event.id === id));
  if (unknown.length === 0) return letters.filter(({ event }) => ids.includes(event.id));
  throw cliFault('BNY-CLI-USAGE', {
    found: `${unknown.join(', ')}: no dead letter of ${processor}`,
    needed: 'ids of events',
    cure: `banyan dead list ${processor}`,
  });
}

/** What waits behind a dead event, or before it, is of no use without it. */
function withTheirAggregates(letters: DeadLetter[], wanted: DeadLetter[]): DeadLetter[] {
  const nameOf = ({ event }: DeadLetter) => JSON.stringify([event.topic, event.key]);
  const aggregates = new Set(wanted.map(nameOf));
  return letters.filter((letter) => aggregates.has(nameOf(letter)));
}
