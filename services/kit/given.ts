import { isDeepStrictEqual } from 'node:util';
import type { DomainEvent } from '../../cdc/index.ts';
import type { LoggedEvent } from '../../log/index.ts';
import { answerOf, type Command, type CommandRequest, type Decision, decide } from './commands.ts';
import type { Domain } from './domain.ts';
import { Reply } from './queries.ts';

/** An event of any domain, as a specification tells it. */
export type Told = readonly [domain: string, type: string, data: object];

/** What a command has made of a request. */
export interface Outcome {
  status: number;
  body: unknown;
  headers: Readonly<Record<string, string>>;
  events: DomainEvent[];
}

export interface Specification {
  /** What of the request is left out: no parameters, not signed in, new ids from 1001, the first moment of 2026. */
  when(route: string, request?: Partial<CommandRequest>): Promise<Outcome>;
}

/**
 * Given these events of a domain and of those that it reads, when this request comes, then …:
 *
 * `await given(orders, ['orders', 'OrderPlaced', order]).when('DELETE /orders/:id', { params: { id: '7' } })`
 *
 * Runs the projection and the command on a store in memory. Fails when an event does not fit its schema, or `decide`
 * is not pure.
 */
export function given(domain: Domain, ...told: readonly Told[]): Specification {
  return {
    async when(route, request = {}) {
      // A domain's files import this one: what opens databases is loaded by tests only.
      const { MemoryStore } = await import('./store/sqlite/memory.ts');
      const store = await MemoryStore.open(domain.projection);
      try {
        const asked = () => ({ ...DEFAULTS(), ...request, db: store.db });
        const { now } = asked();
        await store.apply(told.map(([topic, type, data]) => logged(domain, topic, { type, key: '', data }, now)));
        const decision = await decideTwice(commandOf(domain, route), asked);
        if (Reply.is(decision)) return outcome(decision, []);
        await store.apply(decision.events.map((event) => logged(domain, domain.name, event, now)));
        return outcome(await answerOf(decision, store.db), decision.events);
      } finally {
        await store.close();
      }
    },
  };
}

const DEFAULTS = () => {
  let last = 1000;
  return {
    params: {},
    query: {},
    body: undefined,
    identity: undefined,
    now: '2026-01-01T00:00:00.000Z',
    newId: () => ++last,
  };
};

function commandOf({ name, commands = {} }: Domain, route: string): Command {
  const command = commands[route];
  if (!command) throw new Error(`${name} has no command for ${route}`);
  return command;
}

async function decideTwice(command: Command, request: () => CommandRequest): Promise<Decision | Reply> {
  let state: unknown;
  const once: Command = {
    load: async (loaded) => (state = await command.load(loaded)),
    decide: (loaded, rest) => command.decide(loaded, rest),
  };
  const first = await decide(once, request());
  if (Reply.is(first)) return first;
  const second = await decide({ ...once, load: async () => state }, request());
  if (Reply.is(second) || !isDeepStrictEqual(second.events, first.events))
    throw new Error('decide is not pure: asked twice of the same, it decides otherwise');
  return first;
}

function logged({ projection }: Domain, topic: string, event: DomainEvent, time: string): LoggedEvent {
  const registry = projection.subscriptions.get(topic)?.events;
  if (!registry) throw new Error(`the projection does not read ${topic}`);
  const encoded = { type: event.type, key: String(event.key), ...registry.encode(event) };
  const place = { topic, partition: 0, offset: 0, sequence: 0, id: '', time, epoch: 0 };
  return { ...place, ...encoded, origin: 'service' };
}

function outcome({ status, body, headers }: Reply, events: readonly DomainEvent[]): Outcome {
  return { status, body, headers, events: [...events] };
}
