import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import {
  BanyanError,
  ControlFold,
  type EventLog,
  type LogWriter,
  latestEvent,
  type NewEvent,
} from '../../log/index.ts';
import type { Disturbance, Source, Transaction } from '../types.ts';
import { requested } from './answer.ts';
import { appendChunk } from './append-chunk.ts';
import { Appender } from './appender.ts';
import type { CapturedDomain } from './capture.ts';
import { reconfigured } from './configured.ts';
import { controlUpTo, RequestInbox } from './inbox.ts';
import { type OwnerChange, ownerChange } from './owner-change.ts';
import { drain, type Parking, park, RESEED, RESUME } from './parking.ts';
import type { Seeder } from './seeder.ts';
import { EMITTER, type EmitterState, restoreState } from './state.ts';
import { Translator } from './translate.ts';

export interface EmitterOptions {
  log: EventLog;
  source: Source;
  domains: readonly CapturedDomain[];
  seeder: Seeder;
  /** Writes the heartbeat row; the emitter reads it back from the stream. */
  beat(): Promise<void>;
  /** Names of Banyan's own tables in the stream. */
  ownTables: { heartbeat: string; watermark: string; ownership: string };
  heartbeatIntervalMs: number;
  /** Names this process in signs of life. */
  instance: string;
  logger: Logger;
}

/**
 * One session of the emitter: from taking over the right to append to the first error. Whoever runs it starts another
 * session after an error that can pass; what has been appended is never lost by that, because each session begins at
 * the checkpoint in the log.
 *
 * Everything happens in one loop, in the order of the stream: control records and parked changes are dealt with
 * between two batches, and whatever wants attention asks for a heartbeat, which comes round as the next batch.
 */
export async function emit(options: EmitterOptions, signal: AbortSignal): Promise<void> {
  const ended = new AbortController();
  const end = () => ended.abort();
  const writer = await options.log.writer(EMITTER, signal);
  try {
    const session = new Session(options, AbortSignal.any([signal, ended.signal]));
    // A failing heartbeat, inbox or append must end the session as well, and not go unseen.
    const parts = await session.start(writer, end);
    const outcomes = await Promise.allSettled(parts.map((part) => part.finally(end)));
    const rejected = outcomes.find((outcome) => outcome.status === 'rejected');
    if (rejected) throw rejected.reason;
  } finally {
    await writer.close();
  }
}

class Session {
  readonly #options: EmitterOptions;
  readonly #signal: AbortSignal;
  readonly #translator: Translator;
  #control = new ControlFold();

  constructor(options: EmitterOptions, signal: AbortSignal) {
    this.#options = options;
    this.#signal = signal;
    this.#translator = new Translator(options.domains);
  }

  /** Starts the parts of the session; when one of them ends, all must. */
  async start(writer: LogWriter, onFailure: () => void): Promise<Promise<void>[]> {
    const { log, source, logger } = this.#options;
    const names = this.#options.domains.map((domain) => domain.name);
    const appender = new Appender(writer, restoreState(writer.checkpoint, names), onFailure);
    const { seeds, control, position, resume } = appender.state;
    this.#control = await controlUpTo(log, control);
    logger.info({ position, generation: writer.generation }, 'emitter has taken over');
    for (const [domain, progress] of Object.entries(seeds)) {
      if (!appender.state.parked[domain]) this.#options.seeder.start(domain, progress);
    }
    const inbox = new RequestInbox(log, control, this.#signal, () => this.#beatNow());
    const loop = this.#follow(source.read(resume, this.#signal), appender, inbox).finally(() => {
      for (const domain of Object.keys(appender.state.seeds)) this.#options.seeder.stop(domain);
    });
    return [loop, this.#beatRegularly(), inbox.done];
  }

  async #follow(batches: AsyncIterable<Transaction[]>, appender: Appender, inbox: RequestInbox): Promise<void> {
    await this.#noticeNewColumns(appender);
    await this.#parkUnseen(appender);
    for await (const batch of batches) {
      for (const transaction of batch) await this.#part(transaction, appender);
      await appender.send();
      await this.#answer(inbox, appender);
      await this.#drain(appender);
    }
    await appender.flush();
  }

  /** What a domain has begun to capture only now it has missed so far: a seeded one must be seeded again. */
  async #noticeNewColumns(appender: Appender): Promise<void> {
    const { state, missed } = reconfigured(appender.state, this.#options.domains);
    await appender.addWhole([], state);
    for (const { domain, what } of missed) {
      if (!this.#control.of(domain).seeded && !state.seeds[domain]) continue;
      const cause = `newly captured, and its changes so far are not in the log: ${what}`;
      await this.#park(appender, { domain, cause, cure: RESEED(domain), reseed: true });
    }
  }

  /** A domain of whose changes some are in no stream must not look as if it were followed. */
  async #parkUnseen(appender: Appender): Promise<void> {
    for (const { table, unseen, found, cure } of await this.#options.source.check()) {
      const domain = table && unseen && this.#translator.domainOf(table)?.name;
      if (!domain) continue;
      await this.#park(appender, { domain, cause: found, cure: `${cure} Then: ${RESEED(domain)}`, reseed: true });
    }
  }

  async #part(transaction: Transaction, appender: Appender): Promise<void> {
    await this.#disturbances(transaction.disturbances, appender);
    const before = appender.state;
    const observe = Object.keys(before.seeds).length > 0 ? this.#observeFor(before) : undefined;
    const { events, failures } = this.#translator.part(transaction, before, observe);
    if (failures.length > 0) {
      await appender.flush();
      for (const { domain, cause } of failures) {
        await this.#park(appender, { domain, cause, cure: RESUME(domain), reseed: false });
      }
    }
    const beat = await this.#ownChanges(transaction, appender);
    const { position, resume } = transaction;
    const owners = await this.#newOwners(transaction, appender);
    const freshAt = beat ?? appender.state.freshAt;
    const next = { ...appender.state, domains: owners.domains, position, resume, freshAt };
    const own = beat === undefined ? owners.events : [...owners.events, this.#sign(next)];
    await appender.add(own.length === 0 ? events : [...events, ...own], next, this.#isWatermark(transaction));
  }

  /** The markers of domains whose owner changes at this place in the stream. */
  async #newOwners(transaction: Transaction, appender: Appender): Promise<OwnerChange> {
    let { domains } = appender.state;
    const events: NewEvent[] = [];
    for (const [nth, change] of transaction.changes.entries()) {
      if (change.table !== this.#options.ownTables.ownership) continue;
      const found = ownerChange(change, nth, transaction, domains, this.#translator.domains);
      if ('cause' in found) {
        await this.#park(appender, found);
        continue;
      }
      domains = found.domains;
      events.push(...found.events);
    }
    return { domains, events };
  }

  /** Its position alone is worth no append: during a seed there are many, and a chunk follows. */
  #isWatermark({ changes }: Transaction): boolean {
    return changes.length === 1 && changes[0]?.table === this.#options.ownTables.watermark;
  }

  #observeFor(state: EmitterState) {
    return (domain: string, change: Transaction['changes'][number], emitted: boolean) => {
      if (state.seeds[domain]) this.#options.seeder.onChange(change, emitted);
    };
  }

  /** Heartbeat and watermarks. Returns when the newest heartbeat in this transaction was written. */
  async #ownChanges({ changes }: Transaction, appender: Appender): Promise<number | undefined> {
    const { ownTables, seeder } = this.#options;
    let beat: number | undefined;
    for (const { table, after } of changes) {
      if (!after) continue;
      if (table === ownTables.heartbeat) beat = Number(after['beat']);
      if (table !== ownTables.watermark) continue;
      const chunk = seeder.onWatermark(after);
      const progress = chunk && appender.state.seeds[chunk.domain];
      if (!chunk || progress?.run !== chunk.run || appender.state.parked[chunk.domain]) continue;
      const failure = await appendChunk(chunk, appender, this.#translator);
      if (failure) await this.#park(appender, failure);
    }
    return beat;
  }

  async #disturbances(disturbances: readonly Disturbance[], appender: Appender): Promise<void> {
    if (disturbances.some(({ kind }) => kind === 'ddl')) await this.#parkUnseen(appender);
    for (const { tables, kind, statement } of disturbances) {
      for (const table of tables) {
        const domain = this.#translator.domainOf(table)?.name;
        if (!domain) continue;
        this.#options.seeder.onDefinitionChange(table);
        if (kind === 'ddl') continue;
        const cause = `${kind} on ${table}: ${statement}`;
        if (kind === 'columns') await this.#park(appender, { domain, cause, cure: RESUME(domain), reseed: false });
        else await this.#park(appender, { domain, cause, cure: RESEED(domain), reseed: true });
      }
    }
  }

  async #park(appender: Appender, parking: Parking): Promise<void> {
    await appender.flush();
    const { state, events } = await park(this.#options.log, appender.state, parking);
    // Known already: after a crash inside this part, say.
    if (events.length === 0) return;
    this.#options.logger.error(parking, 'domain parked');
    this.#options.seeder.stop(parking.domain);
    await appender.addWhole(events, state);
  }

  /** Acts on what was asked for in the control topic, each record once. */
  async #answer(inbox: RequestInbox, appender: Appender): Promise<void> {
    for (const { record, cursor } of inbox.take()) {
      const { domain } = record.data;
      const before = this.#control.of(domain);
      this.#control.apply(record);
      const answer = requested(record, before, this.#control.of(domain), appender.state);
      await appender.addWhole(answer?.events ?? [], { ...(answer?.state ?? appender.state), control: cursor });
      const seed = appender.state.seeds[domain];
      if (answer?.seed === 'start' && seed) this.#options.seeder.start(domain, seed);
      if (answer?.seed === 'tune' && seed) this.#options.seeder.tune(domain, seed);
    }
    await appender.send();
  }

  async #drain(appender: Appender): Promise<void> {
    const { log, seeder } = this.#options;
    for (const [domain, { drained }] of Object.entries(appender.state.parked)) {
      if (!drained) continue;
      // What was parked just now must stand in the lot before the lot is found empty.
      await appender.flush();
      for await (const { events, state } of drain(log, this.#translator, appender.state, domain)) {
        await appender.addWhole(events, state);
      }
      await appender.send();
      const seed = appender.state.seeds[domain];
      const parked = appender.state.parked[domain];
      if (!parked && seed) seeder.start(domain, seed);
      if (parked?.drained) this.#beatNow();
    }
  }

  #sign({ position, freshAt }: EmitterState): NewEvent {
    const { instance } = this.#options;
    const life = { instance, state: 'live' as const, error: null, position, beatAt: freshAt };
    return latestEvent('EmitterBeat', EMITTER, life, instance);
  }

  async #beatRegularly(): Promise<void> {
    while (!this.#signal.aborted) {
      await this.#options.beat();
      await sleep(this.#options.heartbeatIntervalMs, undefined, { signal: this.#signal }).catch(() => undefined);
    }
  }

  #beatNow(): void {
    this.#options.beat().catch((error: unknown) => {
      // The regular heartbeat meets the same fault and ends the session.
      this.#options.logger.warn({ error }, 'heartbeat failed');
    });
  }
}

/** Tells everyone that the emitter has stopped and why. */
export async function signOff(log: EventLog, instance: string, error: unknown): Promise<void> {
  const fault = BanyanError.is(error) ? error : undefined;
  const last = (await log.checkpoint(EMITTER))?.state as EmitterState | undefined;
  await log.post([
    latestEvent(
      'EmitterBeat',
      EMITTER,
      {
        instance,
        state: 'stopped',
        error: error
          ? {
              code: fault?.code ?? 'unknown',
              message: String(error),
              cure: fault?.cure ?? 'See the log of the emitter.',
            }
          : null,
        position: last?.position ?? '',
        beatAt: last?.freshAt ?? 0,
      },
      instance,
    ),
  ]);
}
