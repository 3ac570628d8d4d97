import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import { connect } from '../cdc/connection.ts';
import { type Installation, installSql, uninstallSql } from '../cdc/schema/install.ts';
import { type Context, EXIT, handle, standard } from './command.ts';

export function registerInstall(program: Command): void {
  const install = program
    .command('install')
    .description("Make Banyan's schema and account in the monolith's server, or print the SQL for a DBA");
  handle(withAdmin(standard(install, EXAMPLES)), (context, _, options) =>
    execute(context, options, installSql(wanted(context))),
  );
  const uninstall = program
    .command('uninstall')
    .description("Remove Banyan's schema and account from the monolith's server");
  handle(withAdmin(standard(uninstall, ['banyan uninstall --yes'])), (context, _, options) =>
    execute(context, options, uninstallSql(wanted(context))),
  );
}

const EXAMPLES = [
  'banyan install --print > banyan.sql                               # for a DBA',
  'BANYAN_ADMIN_PASSWORD=… banyan install --admin-user root --yes    # by itself',
];

function withAdmin(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--admin-user <user>',
        'an account that may create users; its password in BANYAN_ADMIN_PASSWORD',
      ).default('root'),
    )
    .option('--print', 'only print the SQL')
    .option('--yes', 'act on the plan');
}

function wanted({ config }: Context): Installation {
  const { database, banyanSchema } = config.monolith;
  return { banyanSchema, schema: database.schema, user: database.user, password: database.password };
}

async function execute(context: Context, options: Record<string, unknown>, statements: string[]): Promise<number> {
  if (options['print']) {
    context.data({ statements }, statements.map((sql) => `${sql};`).join('\n'));
    return EXIT.done;
  }
  const plan = statements.map((sql) => sql.replace(/IDENTIFIED BY .*/, "IDENTIFIED BY '…'"));
  if (!(await context.confirm(plan))) return EXIT.differences;
  const { host, port } = context.config.monolith.database;
  const connection = await connect({ host, port, user: String(options['adminUser']), password: adminPassword() });
  try {
    for (const sql of statements) await connection.query(sql);
  } finally {
    await connection.end();
  }
  context.data(
    { done: statements.length, next_steps: ['banyan doctor'] },
    `${statements.length} statements done. Next: banyan doctor`,
  );
  return EXIT.done;
}

function adminPassword(): string {
  const file = process.env['BANYAN_ADMIN_PASSWORD_FILE'];
  return process.env['BANYAN_ADMIN_PASSWORD'] ?? (file ? readFileSync(file, 'utf8').trimEnd() : '');
}
