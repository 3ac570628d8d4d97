import { createServer, type Server } from 'node:http';
import type { Logger } from 'pino';
import { controlEvent, type DomainControl, type EventLog, followControl, initialControl } from '../../log/index.ts';
import type { Domain } from './domain.ts';
import { serviceFault } from './errors.ts';
import { createServiceApp } from './http/app.ts';
import { listen } from './http/listen.ts';
import type { ThreadTask } from './projector/thread.ts';
import type { StoreReader, Stores } from './store/types.ts';

/** A projector thread as its owner sees it. */
export interface ProjectorThread {
  setLive(live: boolean): void;
  stop(): Promise<void>;
}

export interface ThreadEvents {
  ready(): void;
  stopped(message: string): void;
  /** It has ended, and nobody asked it to. */
  died(error: unknown): void;
}

export interface ServiceOptions {
  log: EventLog;
  domain: Domain;
  host: string;
  port: number;
  secret: string;
  maxLagMs: number;
  /** How long `replay --undo` is possible after a flip. */
  undoMs: number;
  stores: Stores;
  /** Starts a projector thread; told when its store can be read, and when it cannot go on. */
  startThread(task: ThreadTask, told: ThreadEvents): ProjectorThread;
  logger: Logger;
}

/**
 * One instance of a domain's service: HTTP and reads here, a projector thread for each store that is kept up: the live
 * one, the previous one while a replay can be undone, and one that is being built. Which is which says the control
 * topic alone.
 */
export async function runService(options: ServiceOptions, signal: AbortSignal): Promise<void> {
  const stores = new KeptStores(options);
  const server = await serve(options, stores);
  const expiry = setInterval(() => void stores.expire(), EXPIRY_MS);
  const ended = new AbortController();
  const following = follow(options, stores, AbortSignal.any([signal, ended.signal]));
  try {
    await Promise.race([stores.died, following]);
  } finally {
    clearInterval(expiry);
    // A follower that outlived the service would start threads that nobody stops.
    ended.abort();
    await following.catch(() => undefined);
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeIdleConnections();
      setTimeout(() => server.closeAllConnections(), 5000).unref();
    });
    await stores.close();
  }
}

async function follow({ log, domain }: ServiceOptions, stores: KeptStores, signal: AbortSignal): Promise<void> {
  for await (const fold of followControl(log, signal)) await stores.follow(fold.of(domain.name));
}

async function serve(options: ServiceOptions, stores: KeptStores): Promise<Server> {
  const { domain, secret, maxLagMs, logger, host, port } = options;
  const app = createServiceApp({
    domain,
    secret,
    maxLagMs,
    logger,
    live: () => stores.live(),
    stopped: () => stores.stopped(),
  });
  const server = createServer(app);
  server.keepAliveTimeout = 65_000;
  await listen(server, { host, port }, (error) =>
    error.code === 'EADDRINUSE'
      ? serviceFault('BNY-SERVICE-PORT', { found: `${host}:${port} is in use`, needed: 'a free port' })
      : error,
  );
  logger.info({ domain: domain.name, host, port }, 'service listens');
  return server;
}

/** How often it is looked whether a replay can no longer be undone. */
const EXPIRY_MS = 5000;

const STARTING = 'the service is starting';

class KeptStores {
  readonly #options: ServiceOptions;
  readonly #threads = new Map<string, ProjectorThread>();
  readonly #readers = new Map<string, StoreReader>();
  /** Why a store cannot be read, by its name; none once it can. */
  readonly #stopped = new Map<string, string | undefined>();
  /** Rejects when a projector thread dies. */
  readonly #died = Promise.withResolvers<never>();
  /** The store that is read. */
  #live = '';
  #control = initialControl();

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  live(): StoreReader {
    let reader = this.#readers.get(this.#live);
    if (!reader) {
      reader = this.#options.stores.reader(this.#live);
      this.#readers.set(this.#live, reader);
    }
    return reader;
  }

  get died(): Promise<never> {
    return this.#died.promise;
  }

  stopped(): string | undefined {
    return this.#stopped.has(this.#live) ? this.#stopped.get(this.#live) : STARTING;
  }

  /** Lets go of the store before the last replay when its time is over. */
  async expire(): Promise<void> {
    const { previous, undoUntil } = this.#control.store;
    if (previous === undefined || undoUntil === undefined || Date.parse(undoUntil) > Date.now()) return;
    const { log, domain, logger } = this.#options;
    const record = controlEvent('StoreDropped', { domain: domain.name, store: previous }, 'service');
    await log.post([record]).catch((error: unknown) => logger.warn({ error }, 'the store could not be dropped yet'));
  }

  /** Brings threads and the live store in line with what the control topic says. */
  async follow(control: DomainControl): Promise<void> {
    const { store } = control;
    this.#control = control;
    // First of all, so that no request opens again what is removed below.
    this.#choose();
    const kept = new Set([store.live, store.previous, store.replaying].filter((name) => name !== undefined));
    for (const [name, thread] of this.#threads) {
      if (kept.has(name)) continue;
      this.#threads.delete(name);
      await thread.stop();
      await this.#forgetReader(name);
      await this.#drop(name);
    }
    for (const name of kept) if (!this.#threads.has(name)) this.#start(name, store);
    for (const [name, thread] of this.#threads) thread.setLive(name === store.live);
  }

  #start(name: string, { live, replaying }: DomainControl['store']): void {
    const { undoMs, startThread, logger, domain } = this.#options;
    const task = name === replaying ? { replay: name, live, undoMs } : { store: name };
    this.#stopped.set(name, STARTING);
    const thread = startThread(task, {
      ready: () => this.#tell(name, undefined),
      stopped: (message) => {
        logger.error({ domain: domain.name, store: name, error: message }, 'projector stopped');
        this.#tell(name, message);
      },
      died: (error) => this.#died.reject(error),
    });
    this.#threads.set(name, thread);
  }

  #tell(name: string, stopped: string | undefined): void {
    this.#stopped.set(name, stopped);
    this.#choose();
  }

  /** Reads the live store; for as long as that is starting the one before it, which is still kept up. */
  #choose(): void {
    const { live, previous } = this.#control.store;
    const starts = this.#stopped.get(live) === STARTING;
    if (starts && previous === this.#live && this.stopped() === undefined) return;
    this.#live = live;
  }

  async close(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((thread) => thread.stop()));
    for (const name of [...this.#readers.keys()]) await this.#forgetReader(name);
  }

  /** One that stays is in nobody's way. */
  async #drop(name: string): Promise<void> {
    const { stores, logger } = this.#options;
    await stores.drop(name).catch((error: unknown) => {
      logger.error({ error: stores.faultOf(error), cure: stores.removal(name) }, 'a store could not be removed');
    });
  }

  async #forgetReader(name: string): Promise<void> {
    const reader = this.#readers.get(name);
    this.#readers.delete(name);
    await reader?.close();
  }
}
