import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { runProcessor } from '../services/kit/processor/run.ts';
import { type Context, EXIT, handle, standard } from './command.ts';
import { openLog } from './config/adapters.ts';
import { routerUrl } from './config/places.ts';

export function registerProcess(program: Command): void {
  const command = program
    .command('process')
    .argument('<processor>', 'which one')
    .description('Run one instance of a processor; all that run share its work');
  handle(standard(command, ['banyan process mailer']), processEvents);
}

async function processEvents(context: Context, [name = '']: string[]): Promise<number> {
  const { config, logger, signal } = context;
  const processor = context.processor(name);
  const log = await openLog(config);
  const instance = `${name}-${randomUUID().slice(0, 8)}`;
  try {
    await runProcessor({ log, processor, instance, router: routerUrl(config), logger }, signal);
    return EXIT.done;
  } finally {
    await log.close();
  }
}
