import { readFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import type { Connection } from 'mysql2/promise';
import { connect } from '../cdc/connection.ts';
import { cdcFault } from '../cdc/errors.ts';
import { BanyanError } from '../log/index.ts';
import type { Context } from './command.ts';

/** What a command has that changes more in the monolith's server than Banyan's own account may. */
export function withAdmin(command: Command): Command {
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

/** @throws BNY-CDC-UNREACHABLE, BNY-CDC-ACCESS */
export async function connectAsAdmin({ config }: Context, user: string): Promise<Connection> {
  const { host, port } = config.monolith.database;
  try {
    return await connect({ host, port, user, password: adminPassword() });
  } catch (error) {
    if (!BanyanError.is(error) || error.code !== 'BNY-CDC-ACCESS') throw error;
    throw cdcFault('BNY-CDC-ACCESS', {
      found: String(error.found),
      needed: `the password of ${user}`,
      cure: 'Set BANYAN_ADMIN_PASSWORD or BANYAN_ADMIN_PASSWORD_FILE, or name another account with --admin-user.',
      cause: error,
    });
  }
}

function adminPassword(): string {
  const file = process.env['BANYAN_ADMIN_PASSWORD_FILE'];
  return process.env['BANYAN_ADMIN_PASSWORD'] ?? (file ? readFileSync(file, 'utf8').trimEnd() : '');
}
