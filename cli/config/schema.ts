import { z } from 'zod';
import { isFree } from '../../cdc/debezium/index.ts';
import type { Domain, Identity, Processor } from '../../services/kit/index.ts';
import { portOf } from './places.ts';

const port = z.number().int().min(1).max(65_535);
const url = z.url({ protocol: /^https?$/ });
const milliseconds = z.number().int().positive();

/** Certificates as PEM text; `{}`: TLS with the authorities that the system knows. */
const tls = (where: string, whose: string) =>
  z
    .strictObject({
      ca: z.string().optional().describe(`${where}the authority that signed ${whose} certificate, as PEM`),
      cert: z.string().optional().describe(`${where}the certificate to show, as PEM`),
      key: z.string().optional().describe(`${where}its key, as PEM`),
    })
    .optional();

const brokers = z
  .string()
  .regex(/^[^\s,:]+:\d+(,[^\s,:]+:\d+)*$/, '`host:port`, several separated by commas')
  .optional();

const kafkaLog = {
  brokers: brokers.describe('for kafka: some brokers of the cluster, `host:port`, separated by commas'),
  prefix: z
    .string()
    .regex(/^[\w.-]{0,100}$/, 'up to 100 letters, digits, dots, underscores and hyphens')
    .default('')
    .describe('for kafka: stands before the names of topics and transactional ids'),
  replicationFactor: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('for kafka: copies of each topic that Banyan makes; without it the cluster’s own setting'),
  tls: tls('for kafka: ', 'the brokers’'),
  sasl: z
    .strictObject({
      mechanism: z.enum(['plain', 'scram-sha-256', 'scram-sha-512']).describe('for kafka: how to sign in'),
      username: z.string().describe('for kafka: as whom'),
      password: z
        .string()
        .default('')
        .refine(
          (given) => given !== '',
          'needed: BANYAN_LOG_SASL_PASSWORD, or BANYAN_LOG_SASL_PASSWORD_FILE with a path',
        )
        .describe('for kafka: from the environment, not in the file'),
    })
    .optional(),
};

const mysqlStore = {
  host: z.string().optional().describe('for mysql: the stores’ database server, best not the monolith’s'),
  port: port.default(3306).describe('for mysql: its port'),
  user: z.string().default('banyan_stores').describe('for mysql: the account of the stores'),
  password: z.string().default('').describe('for mysql: its password: from the environment, not in the file'),
  prefix: z
    .string()
    .regex(/^[a-z0-9_]{1,20}$/, 'up to 20 lower-case letters, digits and underscores')
    .default('banyan_')
    .describe('for mysql: stands before the names of the stores’ databases'),
  tls: tls('for mysql: ', 'the server’s'),
};

/** Key by key; docs/configuration.md is printed from it. */
const settings = z.strictObject({
  data: z.string().default('.banyan').describe('folder of the log and the stores, relative to the file'),
  monolith: z.strictObject({
    url: url.describe('where the monolith answers HTTP'),
    database: z
      .strictObject({
        host: z.string().default('127.0.0.1').describe('the monolith’s database server'),
        port: port.default(3306).describe('its port'),
        user: z.string().default('banyan').describe('the account that Banyan works with; `banyan install` makes it'),
        password: z.string().default('').describe('its password: from the environment, not in the file'),
        schema: z.string().describe('the monolith’s schema'),
        tls: tls('TLS to the server: ', 'its'),
      })
      // As the driver calls it.
      .transform(({ tls: ssl, ...database }) => ({ ...database, ...(ssl && { ssl }) })),
    handback: z.prefault(
      z.strictObject({
        user: z
          .string()
          .default('banyan_handback')
          .describe(
            'the account that writes what a service accepts into the monolith’s tables; `banyan install` makes it once it has a password',
          ),
        password: z.string().default('').describe('its password: from the environment, not in the file'),
      }),
      {},
    ),
    banyanSchema: z.string().default('banyan').describe('the schema for Banyan’s own tables in that server'),
  }),
  domains: z
    .array(
      z.custom<Domain>(
        (value) => typeof value === 'object' && value !== null && 'routes' in value,
        'no domain: use defineDomain',
      ),
    )
    .min(1)
    .superRefine((domains, context) => {
      for (const message of clashes(domains as Domain[])) context.addIssue({ code: 'custom', message });
    })
    .describe('the domains, each made by `defineDomain`'),
  source: z.prefault(
    z.strictObject({
      kind: z
        .enum(['binlog', 'debezium'])
        .default('binlog')
        .describe('who reads the binlog: Banyan itself, or Debezium in Kafka Connect; then the log must be on Kafka'),
      connectUrl: url.optional().describe('for debezium: the REST interface of Kafka Connect'),
      connector: z
        .string()
        .optional()
        .describe('for debezium: the connector’s name; without it one made from `log.prefix`'),
      serverId: z
        .number()
        .int()
        .min(1)
        .max(4_294_967_295)
        .optional()
        .describe('for debezium: its id as a replica, unlike that of every other one'),
      brokers: brokers.describe('for debezium: `log.brokers` as Connect reaches them, where that differs'),
      host: z
        .string()
        .optional()
        .describe('for debezium: the monolith’s server as Connect reaches it, where that differs'),
      port: port.optional().describe('for debezium: its port, where that differs'),
      user: z.string().optional().describe('for debezium: the account of the connector, where it has one of its own'),
      password: z
        .string()
        .optional()
        .describe(
          'for debezium: its password, or what Connect looks up from a file of its own (`config.providers` of its workers)',
        ),
      extra: z
        .record(z.string(), z.string())
        .optional()
        .describe(
          'for debezium: further settings of the connector, for addresses, TLS and speed, such as `schema.history.internal.producer.*` on a cluster that asks for a password',
        ),
    }),
    {},
  ),
  processors: z
    .array(
      z.custom<Processor>(
        (value) => typeof value === 'object' && value !== null && 'handlers' in value && 'retries' in value,
        'no processor: use defineProcessor',
      ),
    )
    .default([])
    .describe('the processors, each made by `defineProcessor`'),
  log: z.prefault(
    z.strictObject({
      kind: z.enum(['sqlite', 'kafka']).default('sqlite').describe('where the events are kept'),
      ...kafkaLog,
    }),
    {},
  ),
  emitter: z.prefault(
    z.strictObject({ heartbeatMs: milliseconds.default(1000).describe('how often the heartbeat row is written') }),
    {},
  ),
  etl: z.prefault(
    z.strictObject({
      throttleQuery: z
        .string()
        .optional()
        .describe('a SELECT on the monolith, run before each chunk: while its first value is above 0 the seed waits'),
    }),
    {},
  ),
  services: z.prefault(
    z.strictObject({
      host: z.string().default('127.0.0.1').describe('where services listen'),
      ports: z.record(z.string(), port).default({}).describe('ports of single domains'),
      firstPort: port
        .default(4101)
        .describe('port of the first domain; the others have those behind it, in the order of `domains`'),
      maxLagMs: milliseconds.default(10_000).describe('a store older than this answers no reads'),
      undoMs: milliseconds.default(3_600_000).describe('how long a replay can be undone'),
      store: z.prefault(
        z.strictObject({
          kind: z
            .enum(['sqlite', 'mysql'])
            .default('sqlite')
            .describe('where the services keep their stores: in files in `data`, or on a MariaDB or MySQL server'),
          ...mysqlStore,
        }),
        {},
      ),
    }),
    {},
  ),
  router: z.prefault(
    z.strictObject({
      host: z.string().default('127.0.0.1').describe('where clients come in'),
      port: port.default(4000).describe('its port'),
      adminHost: z.string().default('127.0.0.1').describe('health and metrics'),
      adminPort: port.default(4001).describe('its port'),
      adminAllowedHosts: z
        .array(z.string())
        .default([])
        .describe(
          'values of Host that health and metrics answer to besides `adminHost` and loopback, such as `router.internal:4001`; others are refused',
        ),
      secureCookies: z
        .boolean()
        .default(false)
        .describe('add `Secure` to the router’s cookies: for a site that browsers reach by HTTPS'),
      trustedProxies: z
        .array(z.string())
        .default([])
        .describe(
          'addresses, and networks such as `10.0.0.0/8`, of the balancers in front: what they say of the client in `X-Forwarded-For`, `-Proto` and `-Host` is passed on, nobody else’s word is',
        ),
      sessionCookie: z
        .string()
        .optional()
        .describe('the monolith’s session cookie: keeps a session on one side, and its identity in a cache'),
      strict: z
        .boolean()
        .default(false)
        .describe('refuse paths that are not canonical instead of leaving them to the monolith'),
      testerToken: z
        .string()
        .default('')
        .describe(
          'who sends it in `Banyan-Tester` chooses the side of a read by `Banyan-Prefer: service` or `monolith`; empty: nobody can',
        ),
      timeoutMs: milliseconds.default(30_000).describe('the longest silence of the monolith'),
    }),
    {},
  ),
  secret: z
    .string()
    .min(32, 'at least 32 characters')
    .optional()
    .describe(
      'signs the identity header from router to services, 32 characters or more; `banyan up` makes one up when there is none',
    ),
  identify: z
    .custom<(headers: Readonly<Record<string, string | string[] | undefined>>) => Promise<Identity | null>>(
      (value) => typeof value === 'function',
    )
    .optional()
    .describe('asks the monolith who makes a request: `async (headers) => identity`; `null`: nobody is signed in'),
});

/** The configuration, with every default. Unknown keys are errors. */
export const configSchema = settings.superRefine((config, context) => {
  const { domains, monolith, processors, log, services, source, router } = config;
  if (monolith.handback.user === monolith.database.user) {
    const message = 'is that of `monolith.database` too: a fence tells the two apart by their names';
    context.addIssue({ code: 'custom', path: ['monolith', 'handback', 'user'], message });
  }
  const { store } = services;
  const issues = [
    ...misfits('source', source, 'debezium', 'connectUrl'),
    ...misfits('log', { ...log, prefix: log.prefix || undefined }, 'kafka', 'brokers'),
    // What else it has is there by default.
    ...misfits('services.store', { kind: store.kind, host: store.host }, 'mysql', 'host'),
  ];
  for (const issue of issues) context.addIssue({ code: 'custom', ...issue });
  if (source.kind === 'debezium' && log.kind !== 'kafka') {
    context.addIssue({ code: 'custom', path: ['source', 'kind'], message: 'debezium needs `log.kind` kafka' });
  }
  for (const name of Object.keys(source.extra ?? {}).filter((each) => !isFree(each))) {
    const message = 'is Banyan’s to set: with another value changes could be lost or altered';
    context.addIssue({ code: 'custom', path: ['source', 'extra', name], message });
  }
  const names = (domains as Domain[]).map(({ name }) => name);
  for (const name of store.kind === 'mysql' ? tooLong(store.prefix, names) : []) {
    const message = `too long together with the domain's name ${name}`;
    context.addIssue({ code: 'custom', path: ['services', 'store', 'prefix'], message });
  }
  for (const name of Object.keys(services.ports).filter((each) => !names.includes(each))) {
    context.addIssue({ code: 'custom', path: ['services', 'ports', name], message: 'there is no such domain' });
  }
  for (const message of misplaced(processors as Processor[], names))
    context.addIssue({ code: 'custom', path: ['processors'], message });
  const taken = new Map<number, string>([[router.port, 'router.port']]);
  const claims = [
    ['router.adminPort', router.adminPort] as const,
    ...names.map(
      (name) => [`the service of ${name}`, portOf({ services, domains: domains as Domain[] }, name)] as const,
    ),
  ];
  for (const [who, port] of claims) {
    const other = taken.get(port);
    if (other) context.addIssue({ code: 'custom', message: `port ${port} is that of ${other} and of ${who}` });
    if (port > 65_535) context.addIssue({ code: 'custom', message: `${who} would get port ${port}` });
    taken.set(port, who);
  }
});

/** What a section lacks that its kind needs, and what it says that means nothing to another kind. */
function misfits(place: string, section: { kind: string; [key: string]: unknown }, kind: string, needed: string) {
  const { kind: chosen, ...others } = section;
  const given = Object.keys(others).filter((key) => others[key] !== undefined);
  const told = (key: string, message: string) => ({ path: [...place.split('.'), key], message });
  if (chosen !== kind) return given.map((key) => told(key, `means nothing unless \`${place}.kind\` is ${kind}`));
  return given.includes(needed) ? [] : [told(needed, `needed, as \`${place}.kind\` is ${kind}`)];
}

/** The name of a database has 64 characters at most. */
const DATABASE_NAME = 64;
/** As many of them are left for the number of a store. */
const STORE_NUMBER = 7;

function tooLong(prefix: string, domains: readonly string[]): string[] {
  return domains.filter((name) => prefix.length + name.length + STORE_NUMBER > DATABASE_NAME);
}

/** Domains that share a name, or a table: one of them would get no events. */
function clashes(domains: readonly Domain[]): string[] {
  const owners = new Map<string, string>();
  return domains.flatMap(({ name, tables }, i) => {
    const twice = domains.findIndex((other) => other.name === name) < i ? [`two domains are called ${name}`] : [];
    const shared = Object.keys(tables).flatMap((table) => {
      const owner = owners.get(table);
      owners.set(table, name);
      return owner === undefined ? [] : [`table ${table} is in ${owner} and in ${name}`];
    });
    return [...twice, ...shared];
  });
}

/** Processors that would share one progress, or read what nobody writes. */
function misplaced(processors: readonly Processor[], domains: readonly string[]): string[] {
  return processors.flatMap(({ name, topics }, i) => {
    const twice = processors.findIndex((other) => other.name === name) < i ? [`two are called ${name}`] : [];
    const nowhere = [...topics.keys()].filter((topic) => !domains.includes(topic));
    return [...twice, ...nowhere.map((topic) => `${name} reads ${topic}, which is none of \`domains\``)];
  });
}

/** What `banyan.config.ts` exports. */
export type BanyanConfig = z.input<typeof configSchema>;
/** The same with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** Types the configuration: `export default defineConfig({ … })`. */
export function defineConfig(config: BanyanConfig): BanyanConfig {
  return config;
}
