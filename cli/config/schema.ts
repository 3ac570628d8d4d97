import { z } from 'zod';
import type { Domain, Identity } from '../../services/kit/index.ts';

const port = z.number().int().min(1).max(65_535);
const url = z.url({ protocol: /^https?$/ });
const milliseconds = z.number().int().positive();

/** The configuration, with every default. Unknown keys are errors. */
export const configSchema = z.strictObject({
  /** Folder of the log and the stores. */
  data: z.string().default('.banyan'),
  monolith: z.strictObject({
    /** Where the monolith answers HTTP. */
    url,
    database: z.strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(3306),
      /** The account that Banyan works with; `banyan install` makes it. */
      user: z.string().default('banyan'),
      password: z.string().default(''),
      /** The monolith's schema. */
      schema: z.string(),
    }),
    /** The schema for Banyan's own tables in the monolith's server. */
    banyanSchema: z.string().default('banyan'),
  }),
  domains: z
    .array(z.custom<Domain>((value) => typeof value === 'object' && value !== null && 'events' in value))
    .min(1)
    .superRefine((domains, context) => {
      for (const message of clashes(domains as Domain[])) context.addIssue({ code: 'custom', message });
    }),
  emitter: z.prefault(z.strictObject({ heartbeatMs: milliseconds.default(1000) }), {}),
  services: z.prefault(
    z.strictObject({
      host: z.string().default('127.0.0.1'),
      /** Domain → port; the others get `firstPort` and those behind it, in the order of `domains`. */
      ports: z.record(z.string(), port).default({}),
      firstPort: port.default(4101),
      /** A store older than this answers no reads. */
      maxLagMs: milliseconds.default(10_000),
      /** How long a replay can be undone. */
      undoMs: milliseconds.default(3_600_000),
    }),
    {},
  ),
  router: z.prefault(
    z.strictObject({
      host: z.string().default('127.0.0.1'),
      port: port.default(4000),
      adminHost: z.string().default('127.0.0.1'),
      adminPort: port.default(4001),
      /** The monolith's session cookie: keeps a session on one side, and its identity in a cache. */
      sessionCookie: z.string().optional(),
      /** Refuse paths that are not canonical instead of handing them to the monolith. */
      strict: z.boolean().default(false),
      /** Lets a tester choose the side of a read; empty: nobody can. */
      testerToken: z.string().default(''),
      timeoutMs: milliseconds.default(30_000),
    }),
    {},
  ),
  /** Signs the identity header from router to services; `banyan up` makes one up when there is none. */
  secret: z.string().min(32, 'at least 32 characters').optional(),
  /** Asks the monolith who makes a request; `null`: nobody is signed in. */
  identify: z
    .custom<(headers: Readonly<Record<string, string | string[] | undefined>>) => Promise<Identity | null>>(
      (value) => typeof value === 'function',
    )
    .optional(),
});

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

/** What `banyan.config.ts` exports. */
export type BanyanConfig = z.input<typeof configSchema>;
/** The same with every default filled in. */
export type Config = z.output<typeof configSchema>;

/** Types the configuration: `export default defineConfig({ … })`. */
export function defineConfig(config: BanyanConfig): BanyanConfig {
  return config;
}
