import type { Knex } from 'knex';
import type { EventOf, EventRegistry } from './events.ts';
import { ask, type QueryRequest, Reply, reply } from './queries.ts';

/** What a command is given. `db` is the store with everything that was decided before. */
export interface CommandRequest extends QueryRequest {
  /** The parsed JSON; `undefined` without one. */
  body: unknown;
  /** ISO 8601, UTC, with milliseconds: the decision's only clock. */
  now: string;
  /** The next id of one of the domain's tables. */
  newId(table: string): number;
}

export type DecisionRequest = Omit<CommandRequest, 'db'>;

export interface Decision<E extends EventRegistry = EventRegistry> {
  /** None: there was nothing to change. */
  events: readonly EventOf<E>[];
  /** A function is asked once the projection's own handlers have applied the events. It gives a body, or a {@link Reply}. */
  answer: Reply | ((db: Knex) => Promise<unknown>);
}

/** Answers one write route. Both parts refuse by throwing a {@link Reply}; then nothing has happened. */
export interface Command<E extends EventRegistry = EventRegistry, State = unknown> {
  /** Reads the request and what the decision needs of the store. */
  load(request: CommandRequest): Promise<State>;
  /** Pure: the same state and request give the same events. */
  decide(state: State, request: DecisionRequest): Decision<E> | Reply;
}

/** Write route (`POST /orders`) → its command. */
export type Commands<E extends EventRegistry = EventRegistry> = Readonly<Record<string, Command<E>>>;

/** Lets `decide` know the type of what `load` gives. */
export function command<E extends EventRegistry, State>(parts: Command<E, State>): Command<E> {
  return parts as Command<E>;
}

/** What a command makes of a request: events and their answer, or a refusal. */
export async function decide(command: Command, request: CommandRequest): Promise<Decision | Reply> {
  try {
    const state = await command.load(request);
    const { db: _, ...rest } = request;
    return command.decide(state, rest);
  } catch (error) {
    if (Reply.is(error)) return error;
    throw error;
  }
}

/** What a decision is answered with, once `db` holds its events. */
export async function answerOf({ answer }: Decision, db: Knex): Promise<Reply> {
  if (Reply.is(answer)) return answer;
  const result = await ask(answer, db);
  return Reply.is(result) ? result : reply(200, result);
}
