import type { Command } from 'commander';
import type { Connection } from 'mysql2/promise';
import { connect } from '../cdc/connection.ts';
import { connectionFault } from '../cdc/errors.ts';
import { fenceFindings, rowFindings } from '../cdc/fence/findings.ts';
import { inspect } from '../cdc/fence/inspect.ts';
import { installSteps, LOCKING, putUp, removeSteps, SESSION, type Step, takeDown } from '../cdc/fence/install.ts';
import { creatorRefusals, refusals } from '../cdc/fence/refusals.ts';
import type { Fence } from '../cdc/fence/triggers.ts';
import type { Finding } from '../cdc/index.ts';
import type { Domain } from '../services/kit/index.ts';
import { connectAsAdmin, withAdmin } from './admin.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { controlOf } from './config/adapters.ts';
import { enforce } from './guards.ts';

export function registerFence(program: Command): void {
  const fence = program
    .command('fence')
    .description("Triggers on a domain's tables that let only its owner write: the monolith, or its service");
  const install = fence
    .command('install')
    .description('Put up the fence of a domain, or what is missing of it; best at a quiet moment')
    .argument('<domain>', 'whose tables');
  handle(withAdmin(standard(install, INSTALL)), (context, [name = ''], options) => act(context, name, options, PUT_UP));
  const remove = fence
    .command('remove')
    .description('Take the fence of a domain down again, while the monolith owns it')
    .argument('<domain>', 'whose tables');
  handle(withAdmin(standard(remove, ['banyan fence remove orders --yes'])), (context, [name = ''], options) =>
    act(context, name, options, TAKE_DOWN),
  );
  const status = fence
    .command('status')
    .description('Compare what stands with what is wanted; with 2 when they differ')
    .argument('[domain]', 'of this one alone');
  handle(standard(status, ['banyan fence status', 'banyan fence status orders --json']), tell);
}

const INSTALL = [
  'banyan fence install orders --print > fence.sql                                # for a DBA',
  'BANYAN_ADMIN_PASSWORD=… banyan fence install orders --admin-user root --yes    # by itself',
];

interface Act {
  refusals(connection: Connection, fence: Fence, seen: Seen, now: Ownership): Promise<Finding[]>;
  steps(fence: Fence, seen: Seen): Step[];
  what(fence: Fence): string;
  run(context: Context, admin: Connection, user: string, fence: Fence, steps: readonly Step[]): Promise<void>;
}

type Seen = Awaited<ReturnType<typeof inspect>>;
type Ownership = Awaited<ReturnType<typeof ownershipOf>>;

const PUT_UP: Act = {
  refusals: async (connection, fence, seen, now) => [
    ...(await refusals(connection, fence, seen)),
    ...(now.epoch > 0 ? rowFindings(fence, seen.row, now) : []),
  ],
  steps: installSteps,
  what: ({ domain, user, banyanSchema }) =>
    `${domain}: its tables take writes from the owner alone whom the row in ${banyanSchema}.ownership names. The triggers run as '${user}'@'%' and read that row: while they stand, without that account or that schema every write fails. Making them takes SELECT and TRIGGER on its schema, and SUPER (or SET USER, with log_bin_trust_function_creators).`,
  run: (_, admin, __, fence, steps) => putUp(admin, fence, steps),
};

const TAKE_DOWN: Act = {
  refusals: async (_, { domain }, __, { owner, epoch, moving }) => {
    if (owner === 'monolith' && !moving) return [];
    const found = moving
      ? `${domain} is on its way to the ${moving.to}`
      : `its service owns ${domain} (epoch ${epoch})`;
    const cure = 'Move its writes back to the monolith first: without the fence two would write.';
    return [{ check: 'owner', level: 'error', found, needed: 'a domain that the monolith owns', cure }];
  },
  steps: removeSteps,
  what: ({ domain, banyanSchema }) =>
    `${domain}: its tables take writes from everybody again. Its row in ${banyanSchema}.ownership stays.`,
  async run(context, admin, user, fence, steps) {
    const holder = await connectAsAdmin(context, user);
    try {
      await takeDown(admin, holder, fence, steps);
    } finally {
      await holder.end();
    }
  },
};

async function act(context: Context, name: string, options: Record<string, unknown>, what: Act): Promise<number> {
  const { config } = context;
  const fence = fenceOf(context, context.domain(name));
  const user = String(options['adminUser']);
  const now = await ownershipOf(context, name);
  // For paper the own account sees enough.
  const connection = await (options['print'] ? connect(config.monolith.database) : connectAsAdmin(context, user));
  try {
    const seen = await inspect(connection, fence);
    const refusing = [
      ...(await what.refusals(connection, fence, seen, now)),
      ...(options['print'] ? [] : await creatorRefusals(connection, fence, seen)),
    ];
    enforce(refusing.map(({ check, found, cure }) => ({ guard: check, ok: false, found, cure })));
    const steps = what.steps(fence, seen);
    if (options['print']) {
      context.data({ statements: [SESSION, ...steps.map(({ sql }) => sql)] }, script(steps));
      return EXIT.done;
    }
    if (steps.length === 0) {
      context.data({ domain: name, done: 0 }, `${name}: nothing to do, all is as it should be`);
      return EXIT.done;
    }
    if (!(await context.confirm([what.what(fence), LOCKING, ...steps.map(({ sql }) => sql)]))) return EXIT.differences;
    await what.run(context, connection, user, fence, steps);
    const next = `banyan fence status ${name}`;
    context.data(
      { domain: name, done: steps.length, next_steps: [next] },
      `${name}: ${steps.length} statements done. Next: ${next}`,
    );
    return EXIT.done;
  } catch (error) {
    throw connectionFault(error, { ...config.monolith.database, user });
  } finally {
    await connection.end();
  }
}

/** For the client of a DBA: a trigger has semicolons of its own. */
function script(steps: readonly Step[]): string {
  if (steps.length === 0) return '';
  return ['DELIMITER //', ...[SESSION, ...steps.map(({ sql }) => sql)].map((sql) => `${sql}//`), 'DELIMITER ;'].join(
    '\n',
  );
}

async function tell(context: Context, [name]: string[]): Promise<number> {
  const { config } = context;
  const domains = name === undefined ? config.domains : [context.domain(name)];
  const connection = await connect(config.monolith.database);
  try {
    const findings: (Finding & { domain: string })[] = [];
    for (const domain of domains) {
      const found = await fenceFindings(connection, fenceOf(context, domain), await ownershipOf(context, domain.name));
      findings.push(...found.map((finding) => ({ domain: domain.name, ...finding })));
    }
    const lines = findings.map(
      ({ domain, check, found, needed, cure }) =>
        `[-] ${domain}: ${check}\n    found:  ${found}\n    needed: ${needed}\n    cure:   ${cure}`,
    );
    const names = domains.map((domain) => domain.name).join(', ');
    context.data({ ok: findings.length === 0, findings }, lines.join('\n') || `${names}: the fence stands`);
    return findings.length === 0 ? EXIT.done : EXIT.differences;
  } catch (error) {
    throw connectionFault(error, config.monolith.database);
  } finally {
    await connection.end();
  }
}

function fenceOf({ config }: Context, { name, tables }: Domain): Fence {
  const { banyanSchema, database, handback } = config.monolith;
  const { schema, user } = database;
  return { domain: name, tables, schema, banyanSchema, user, handback: handback.user };
}

async function ownershipOf({ config }: Context, name: string) {
  return (await controlOf(config)).of(name).ownership;
}
