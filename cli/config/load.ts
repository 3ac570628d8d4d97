import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
import { BanyanError } from '../../log/index.ts';
import { cliFault } from '../errors.ts';
import { configKeys } from './keys.ts';
import { type Config, configSchema } from './schema.ts';

export const CONFIG_FILE = 'banyan.config.ts';

/**
 * Reads the configuration: the file, then `BANYAN_*` from the environment over it. Paths in it are relative to the
 * file's folder. @throws BNY-CLI-CONFIG naming each wrong key
 */
export async function loadConfig(file = CONFIG_FILE, env: NodeJS.ProcessEnv = process.env): Promise<Config> {
  const path = resolve(file);
  await access(path).catch(() => {
    throw cliFault('BNY-CLI-NO-CONFIG', { found: `no ${path}` });
  });
  const fromFile = await defaultExport(path);
  if (typeof fromFile !== 'object' || fromFile === null) {
    throw cliFault('BNY-CLI-CONFIG', {
      found: `${file} has no default export`,
      needed: 'export default defineConfig({ … })',
    });
  }
  const merged = overlay(fromFile as Tree, environment(env));
  const checked = configSchema.safeParse(merged);
  if (!checked.success) {
    const needed = 'keys and values as docs/configuration.md has them';
    throw cliFault('BNY-CLI-CONFIG', { found: problems(checked.error), needed, cause: checked.error });
  }
  const config = checked.data;
  return { ...config, data: resolve(path, '..', config.data) };
}

async function defaultExport(path: string): Promise<unknown> {
  try {
    return ((await import(pathToFileURL(path).href)) as { default?: unknown }).default;
  } catch (error) {
    // What the file itself, or a file that it imports, is wrong about; a misfit of a domain's files has its own code.
    if (BanyanError.is(error)) throw error;
    throw cliFault('BNY-CLI-CONFIG', { found: `${path} cannot be loaded: ${(error as Error).message}`, cause: error });
  }
}

type Tree = { [key: string]: unknown };

function problems(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.join('.') || 'config'}: ${issue.message}`).join('; ');
}

/**
 * The settings that the environment gives: `BANYAN_MONOLITH_DATABASE_PASSWORD` is `monolith.database.password`, and with
 * `_FILE` behind it the content of that file.
 */
function environment(env: NodeJS.ProcessEnv): Tree {
  const tree: Tree = {};
  const known = new Set(OTHER_VARIABLES);
  for (const { path, variable, isText } of configKeys()) {
    if (variable === undefined) continue;
    known.add(variable).add(`${variable}_FILE`);
    const value = env[variable] ?? fileContent(`${variable}_FILE`, env);
    if (value !== undefined) set(tree, path, isText || !/^(\d+|true|false)$/.test(value) ? value : JSON.parse(value));
  }
  const unknown = Object.keys(env).filter((name) => name.startsWith('BANYAN_') && !known.has(name));
  if (unknown.length === 0) return tree;
  throw cliFault('BNY-CLI-CONFIG', {
    found: `${unknown.join(', ')} in the environment`,
    needed: 'a variable of docs/configuration.md',
  });
}

/** Of what is no part of the configuration. */
const OTHER_VARIABLES = ['BANYAN_LOG_LEVEL', 'BANYAN_ADMIN_PASSWORD', 'BANYAN_ADMIN_PASSWORD_FILE'];

function fileContent(variable: string, env: NodeJS.ProcessEnv): string | undefined {
  const path = env[variable];
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8').trimEnd();
  } catch (cause) {
    const found = `${variable}: ${(cause as Error).message}`;
    throw cliFault('BNY-CLI-CONFIG', { found, needed: 'the path of a file that can be read', cause });
  }
}

function set(tree: Tree, [key = '', ...rest]: string[], value: unknown): void {
  if (rest.length === 0) tree[key] = value;
  else {
    tree[key] ??= {};
    set(tree[key] as Tree, rest, value);
  }
}

function overlay(base: Tree, over: Tree): Tree {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    const nested = typeof value === 'object' && value !== null;
    result[key] = nested ? overlay((below ?? {}) as Tree, value as Tree) : value;
  }
  return result;
}
