import type { Command } from 'commander';
import { type Context, EXIT, handle, standard } from './command.ts';
import { type Connector, connectorOf, refuseUncopied } from './config/adapters.ts';
import { cliFault } from './errors.ts';
import { table } from './table.ts';

export function registerConnector(program: Command): void {
  const connector = program.command('connector').description('The connector that captures, where the source has one');
  const apply = connector
    .command('apply')
    .description('Make the connector and its topics, or give it the configuration that it should have')
    .option('--yes', 'act on the plan');
  handle(standard(apply, ['banyan connector apply --yes']), async (context) =>
    applyIt(context, connectorOf(context.config)),
  );
  const status = connector.command('status').description('Whether the connector and its task run; with 2 when not');
  handle(standard(status, ['banyan connector status --json']), async (context) =>
    tell(context, connectorOf(context.config)),
  );
  const back = connector
    .command('set-back')
    .description('Let the connector write again everything behind a GTID; what had been written is passed over')
    .argument('<gtid>', 'as the error names it')
    .option('--yes', 'act on the plan');
  handle(standard(back, ['banyan connector set-back 0-1-4711 --yes']), async (context, [gtid = '']) =>
    setBack(context, connectorOf(context.config), gtid),
  );
  const remove = connector
    .command('delete')
    .description('Delete the connector; its topics and what they hold stay')
    .option('--yes', 'act on the plan');
  handle(standard(remove, ['banyan connector delete --yes']), async (context) =>
    deleteIt(context, connectorOf(context.config)),
  );
}

async function applyIt(context: Context, connector: Connector | undefined): Promise<number> {
  const { apply, plan } = known(connector);
  await refuseUncopied(context.config);
  if (!(await context.confirm(plan))) return EXIT.differences;
  const { changed } = await apply();
  const next = ['banyan connector status'];
  context.data({ changed, next_steps: next }, changed ? `Applied. Next: ${next[0]}` : 'It is as it should be already.');
  return EXIT.done;
}

async function tell(context: Context, connector: Connector | undefined): Promise<number> {
  const { name, state, tasks, cure } = await known(connector).status();
  const rows = [[name, state, ''], ...tasks.map((task) => [`task ${task.id}`, task.state, task.trace ?? ''])];
  const text = table(['CONNECTOR', 'STATE', 'CAUSE'], rows);
  context.data({ name, state, tasks, next_steps: cure ? [cure] : [] }, cure ? `${text}\nCure: ${cure}` : text);
  return cure ? EXIT.differences : EXIT.done;
}

async function setBack(context: Context, connector: Connector | undefined, gtid: string): Promise<number> {
  const { setBack: act, name } = known(connector);
  if (!/^(\d+-\d+-\d+)?$/.test(gtid))
    throw cliFault('BNY-CLI-USAGE', { found: gtid, needed: 'a GTID such as 0-1-4711' });
  if (!(await context.confirm([`stop ${name}, set it back to ${gtid}, and let it go on`]))) return EXIT.differences;
  await act(gtid);
  const next = ['banyan connector status'];
  context.data({ gtid, next_steps: next }, `${name} goes on behind ${gtid}. Next: ${next[0]}`);
  return EXIT.done;
}

async function deleteIt(context: Context, connector: Connector | undefined): Promise<number> {
  const { remove, name } = known(connector);
  const plan = [`delete the connector ${name}: from then on changes wait in the binlog`];
  if (!(await context.confirm(plan))) return EXIT.differences;
  const deleted = await remove();
  context.data({ deleted }, deleted ? `${name} is deleted` : `there was no connector ${name}`);
  return EXIT.done;
}

/** @throws BNY-CLI-REFUSED */
function known(connector: Connector | undefined): Connector {
  if (connector) return connector;
  throw cliFault('BNY-CLI-REFUSED', {
    found: 'a source without a connector',
    needed: 'one that has one: `source.kind` in the configuration',
    cure: 'Nothing is to be done: the emitter reads the binlog itself.',
  });
}
