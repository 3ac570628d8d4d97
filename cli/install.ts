import type { Command } from 'commander';
import type { Connection } from 'mysql2/promise';
import { connect } from '../cdc/connection.ts';
import { fencedTables } from '../cdc/fence/inspect.ts';
import { type Installation, installSql, uninstallSql } from '../cdc/schema/install.ts';
import { connectAsAdmin, withAdmin } from './admin.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { controlOf } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { enforce, type Guard } from './guards.ts';
import { emitterOf } from './situation.ts';

export function registerInstall(program: Command): void {
  const install = program
    .command('install')
    .description("Make Banyan's schema and account in the monolith's server, or print the SQL for a DBA");
  handle(withAdmin(standard(install, EXAMPLES)), (context, _, options) => {
    const installation = withPassword(wanted(context));
    if (installation.handback?.password === '')
      context.note(`No account ${installation.handback.user}: BANYAN_MONOLITH_HANDBACK_PASSWORD is not set.`);
    return execute(context, options, installSql(installation), { after: () => letIn(context) });
  });
  const uninstall = program
    .command('uninstall')
    .description("Remove Banyan's schema and account from the monolith's server, when nothing needs them any more");
  handle(withAdmin(standard(uninstall, ['banyan uninstall --yes'])), async (context, _, options) => {
    enforce(await unusedGuards(context));
    return execute(context, options, uninstallSql(wanted(context)), {
      before: (admin) => refuseFenced(context, admin),
    });
  });
}

const EXAMPLES = [
  'banyan install --print > banyan.sql                               # for a DBA',
  'BANYAN_ADMIN_PASSWORD=… banyan install --admin-user root --yes    # by itself',
];

function wanted({ config }: Context): Installation {
  const { database, banyanSchema, handback } = config.monolith;
  return { banyanSchema, schema: database.schema, user: database.user, password: database.password, handback };
}

/** An account without a password would let anybody read the monolith's tables. @throws BNY-CLI-CONFIG */
function withPassword(installation: Installation): Installation {
  if (installation.password !== '') return installation;
  throw cliFault('BNY-CLI-CONFIG', {
    found: `no password for the account ${installation.user}`,
    needed: 'BANYAN_MONOLITH_DATABASE_PASSWORD, or BANYAN_MONOLITH_DATABASE_PASSWORD_FILE',
    cure: 'Choose a password for it, set one of them for every process of Banyan, and run this again.',
  });
}

/** In the order in which it is done: reads first, then the emitter, which needs the schema. */
async function unusedGuards({ config }: Context): Promise<Guard[]> {
  const fold = await controlOf(config);
  const { state, instance } = emitterOf(fold, config);
  const moved = config.domains.map(({ name }) => ({ name, percent: fold.of(name).reads.percent }));
  return [
    ...moved.map(({ name, percent }) => ({
      guard: `${name} at the monolith`,
      ok: percent === 0,
      found: `${percent} % of the reads of ${name} are at its service`,
      cure: `banyan rollback ${name} reads --yes`,
    })),
    {
      guard: 'no emitter',
      ok: state === 'silent' || state === 'stopped',
      found: `${instance} is running`,
      cure: 'then stop `banyan up` or `banyan emit`',
    },
  ];
}

/** The triggers read Banyan's schema and run as its account: without them every write to a fenced table fails. */
async function refuseFenced({ config }: Context, admin: Connection): Promise<void> {
  const tables = await fencedTables(admin, config.monolith.database.schema);
  const found = `fences stand on ${tables.join(', ')}`;
  const cure = config.domains.map(({ name }) => `banyan fence remove ${name} --yes`).join('; ');
  enforce([{ guard: 'no fence', ok: tables.length === 0, found, cure }]);
}

async function execute(
  context: Context,
  options: Record<string, unknown>,
  statements: string[],
  { before, after }: { before?: (admin: Connection) => Promise<void>; after?: () => Promise<void> },
): Promise<number> {
  if (options['print']) {
    context.data({ statements }, statements.map((sql) => `${sql};`).join('\n'));
    return EXIT.done;
  }
  const plan = statements.map((sql) => sql.replace(/IDENTIFIED BY .*/, "IDENTIFIED BY '…'"));
  if (!(await context.confirm(plan))) return EXIT.differences;
  const connection = await connectAsAdmin(context, String(options['adminUser']));
  try {
    await before?.(connection);
    for (const sql of statements) await connection.query(sql);
  } finally {
    await connection.end();
  }
  await after?.();
  context.data(
    { done: statements.length, next_steps: ['banyan doctor'] },
    `${statements.length} statements done. Next: banyan doctor`,
  );
  return EXIT.done;
}

/** The account may be there and another one stand before it. @throws BNY-CDC-ACCESS */
async function letIn({ config }: Context): Promise<void> {
  await (await connect(config.monolith.database)).end();
}
