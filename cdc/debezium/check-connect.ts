import { BanyanError } from '../../log/errors.ts';
import type { Finding } from '../types.ts';
import { CONNECTOR_CLASS, connectorConfig, isFree, isSecret, withoutSecrets } from './config.ts';
import { connectorStatus, liveConfig, requirePlugin } from './connect.ts';
import type { DebeziumOptions } from './options.ts';
import { ask } from './rest.ts';

const APPLY = 'banyan connector apply --yes';

/** What keeps the connector from running, or makes it lose something while it runs. */
export async function checkConnect(options: DebeziumOptions): Promise<Finding[]> {
  try {
    await requirePlugin(options);
    const live = await liveConfig(options);
    return [...(await refused(options)), ...(await stopped(options)), ...(live ? differing(live, options) : [])];
  } catch (error) {
    if (!BanyanError.is(error)) throw error;
    const { found, message, needed = 'a Kafka Connect that answers', cure } = error;
    return [finding(found ?? message, needed, cure)];
  }
}

function finding(found: string, needed: string, cure: string, level: Finding['level'] = 'error'): Finding {
  return { check: 'connector', level, found, needed, cure };
}

/** Connect knows the words and ranges of every setting, and tries the account. */
async function refused(options: DebeziumOptions): Promise<Finding[]> {
  const config = connectorConfig(options);
  const { body } = await ask(options.connect, 'PUT', `/connector-plugins/${CONNECTOR_CLASS}/config/validate`, config);
  const checked: { value: { name: string; errors: string[] } }[] = body?.configs ?? [];
  return checked
    .filter(({ value }) => value.errors.length > 0)
    .map(({ value: { name, errors } }) =>
      finding(
        `Connect refuses ${name}: ${withoutSecrets(errors.join(' '), config)}`,
        'a configuration that it takes',
        'Correct it in `source` or `monolith.database` of banyan.config.ts.',
      ),
    );
}

async function stopped(options: DebeziumOptions): Promise<Finding[]> {
  const { name, state, tasks, cure } = await connectorStatus(options);
  if (cure === undefined) return [];
  const [failed] = tasks.filter((task) => task.trace !== undefined);
  return [
    finding(`${name} ${state}${failed ? `: ${failed.trace}` : ''}`, 'a running connector with a running task', cure),
  ];
}

/** Somebody may have changed it beside Banyan, or the configuration of Banyan was changed since. */
function differing(live: Readonly<Record<string, string>>, options: DebeziumOptions): Finding[] {
  const ours = connectorConfig(options);
  const names = [...new Set([...Object.keys(ours), ...Object.keys(live)])];
  return names
    .filter((name) => live[name] !== ours[name])
    .map((name) =>
      finding(
        `the connector runs with ${shown(name, live[name])}`,
        `${shown(name, ours[name])}${isFree(name) ? '' : ': with another value changes can be lost or altered'}`,
        APPLY,
        isFree(name) ? 'warning' : 'error',
      ),
    );
}

function shown(name: string, value: string | undefined): string {
  if (value === undefined) return `no ${name}`;
  return isSecret(name) ? `another ${name}` : `${name}=${value}`;
}
