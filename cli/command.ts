import type { Command } from 'commander';
import pino, { type Logger } from 'pino';
import { BanyanError } from '../log/index.ts';
import type { Domain, Processor } from '../services/kit/index.ts';
import { ask } from './ask.ts';
import { CONFIG_FILE, loadConfig } from './config/load.ts';
import type { Config } from './config/schema.ts';
import { cliFault } from './errors.ts';
import { userName } from './user-name.ts';

/** Exit codes: the same for every command. */
export const EXIT = { done: 0, error: 1, differences: 2, refused: 3, usage: 64, interrupted: 130 } as const;

export interface GlobalOptions {
  config: string;
  json?: boolean;
  yes?: boolean;
}

/** What a command works with. stdout is data, stderr is talk. */
export class Context {
  readonly options: GlobalOptions;
  readonly config: Config;
  readonly logger: Logger;
  /** Aborts on SIGINT and SIGTERM. */
  readonly signal: AbortSignal;

  constructor(options: GlobalOptions, config: Config, signal: AbortSignal) {
    this.options = options;
    this.config = config;
    this.signal = signal;
    this.logger = createLogger();
  }

  /** Who asks: goes into every control record. */
  get actor(): string {
    return userName();
  }

  /** @throws BNY-CLI-CONFIG when there is none */
  get secret(): string {
    const { secret } = this.config;
    if (secret) return secret;
    throw cliFault('BNY-CLI-CONFIG', {
      found: 'no secret',
      needed: 'BANYAN_SECRET or BANYAN_SECRET_FILE, the same for router and services',
    });
  }

  /** The result of the command: as JSON with `--json`, else as text. */
  data(value: object, text: string): void {
    process.stdout.write(this.options.json ? `${JSON.stringify(value)}\n` : text === '' ? '' : `${text}\n`);
  }

  note(text: string): void {
    process.stderr.write(`${text}\n`);
  }

  domain(name: string): Domain {
    const found = this.config.domains.find((domain) => domain.name === name);
    if (found) return found;
    const known = this.config.domains.map((domain) => domain.name).join(', ');
    throw cliFault('BNY-CLI-UNKNOWN-DOMAIN', { found: name, needed: `one of ${known}` });
  }

  processor(name: string): Processor {
    const found = this.config.processors.find((processor) => processor.name === name);
    if (found) return found;
    const known = this.config.processors.map((processor) => processor.name).join(', ');
    throw cliFault('BNY-CLI-UNKNOWN-PROCESSOR', {
      found: name,
      needed: known === '' ? 'none is configured' : `one of ${known}`,
    });
  }

  /**
   * Shows the plan and asks whether to act on it; `--yes` answers. Where nobody can be asked the plan was all: false.
   * @throws BNY-CLI-UNCONFIRMED when somebody was asked and did not say yes
   */
  async confirm(plan: readonly string[]): Promise<boolean> {
    for (const [i, step] of plan.entries()) this.note(`${i + 1}. ${step}`);
    if (this.options.yes) return true;
    if (!process.stdin.isTTY || this.options.json) {
      this.note('Nothing was changed: this is the plan. Add --yes to act on it.');
      return false;
    }
    const answer = await ask('Only "yes" acts on this plan: ', this.signal);
    if (answer?.trim() === 'yes') return true;
    if (answer === undefined) this.note('');
    const found = answer === undefined ? 'no answer' : JSON.stringify(answer);
    throw cliFault('BNY-CLI-UNCONFIRMED', { found, needed: '"yes"' });
  }
}

/** @throws BNY-CLI-CONFIG when the environment names no level */
export function createLogger(): Logger {
  const level = process.env['BANYAN_LOG_LEVEL'] ?? 'info';
  const levels = [...Object.keys(pino.levels.values), 'silent'];
  if (!levels.includes(level)) {
    throw cliFault('BNY-CLI-CONFIG', { found: `BANYAN_LOG_LEVEL=${level}`, needed: levels.join(', ') });
  }
  return pino({ level, base: { pid: process.pid }, errorKey: 'error' }, pino.destination({ dest: 2, sync: true }));
}

/** Adds what every command has. */
export function standard(command: Command, examples: readonly string[]): Command {
  return command
    .option('-c, --config <file>', 'the configuration', CONFIG_FILE)
    .option('--json', 'print data as JSON, one document a line')
    .addHelpText('after', `\nExamples:\n${examples.map((example) => `  ${example}`).join('\n')}`);
}

type Handler = (context: Context, positional: string[], options: Record<string, unknown>) => Promise<number>;

/** Runs a command's handler and ends the process with its exit code. */
export function handle(command: Command, handler: Handler): void {
  command.action(async (...args: unknown[]) => {
    const options = (args.at(-2) ?? {}) as Record<string, unknown> & GlobalOptions;
    const positional = args
      .slice(0, -2)
      .flat()
      .filter((value): value is string => typeof value === 'string');
    process.exitCode = await run(handler, positional, options);
  });
}

async function run(
  handler: Handler,
  positional: string[],
  options: Record<string, unknown> & GlobalOptions,
): Promise<number> {
  // Log, stores and backups hold what the monolith's tables hold: they are its user's alone.
  process.umask(0o077);
  const stop = new AbortController();
  let interrupted = false;
  const onSignal = (signal: NodeJS.Signals) => {
    interrupted = signal === 'SIGINT';
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  // Forked by `banyan up`: when that is gone, however it went, its children end too.
  process.once('disconnect', () => stop.abort());
  if (process.send && !process.connected) stop.abort();
  try {
    const config = await loadConfig(options.config);
    const code = await handler(new Context(options, config, stop.signal), positional, options);
    return interrupted ? EXIT.interrupted : code;
  } catch (error) {
    report(error, options.json ?? false);
    return exitCodeOf(error);
  } finally {
    // An open channel to the parent would keep the process.
    if (process.connected) process.disconnect();
  }
}

export function exitCodeOf(error: unknown): number {
  if (!BanyanError.is(error)) return EXIT.error;
  const codes: Record<string, number> = {
    'BNY-CLI-REFUSED': EXIT.refused,
    'BNY-CLI-USAGE': EXIT.usage,
    'BNY-CLI-UNKNOWN-DOMAIN': EXIT.usage,
    'BNY-CLI-UNKNOWN-PROCESSOR': EXIT.usage,
  };
  return codes[error.code] ?? EXIT.error;
}

/** Tells an error with found, needed and cure; a stack only where nobody foresaw it. */
export function report(error: unknown, json: boolean): void {
  if (!BanyanError.is(error)) {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return;
  }
  const { code, message, found, needed, cure } = error;
  if (json) {
    process.stderr.write(`${JSON.stringify({ error: { code, message, found, needed, cure } })}\n`);
    return;
  }
  const lines = [`error: ${message.replace(/ \((found|needed): .*\)$/s, '')}`];
  if (found) lines.push(`  found:  ${found}`);
  if (needed) lines.push(`  needed: ${needed}`);
  lines.push(`  cure:   ${cure}`);
  process.stderr.write(`${lines.join('\n')}\n`);
}
