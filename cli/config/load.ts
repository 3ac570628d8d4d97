import { readFileSync } from 'node:fs';
import { access } from 'node:fs/promises';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { z } from 'zod';
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
  const module = (await import(pathToFileURL(path).href)) as { default?: unknown };
  const fromFile = module.default;
  if (typeof fromFile !== 'object' || fromFile === null) {
    throw cliFault('BNY-CLI-CONFIG', {
      found: `${file} has no default export`,
      needed: 'export default defineConfig({ … })',
    });
  }
  const merged = overlay(fromFile as Tree, environment(env));
  const checked = configSchema.safeParse(merged);
  if (!checked.success) throw cliFault('BNY-CLI-CONFIG', { found: problems(checked.error), cause: checked.error });
  const config = checked.data;
  return { ...config, data: resolve(path, '..', config.data) };
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
  for (const { path, variable } of configKeys()) {
    if (variable === undefined) continue;
    const value = env[variable] ?? fileContent(env[`${variable}_FILE`]);
    if (value !== undefined) set(tree, path, value);
  }
  return tree;
}

function fileContent(path: string | undefined): string | undefined {
  return path === undefined ? undefined : readFileSync(path, 'utf8').trimEnd();
}

function set(tree: Tree, path: string[], text: string): void {
  const [key = '', ...rest] = path;
  if (rest.length === 0) tree[key] = /^(\d+|true|false)$/.test(text) && !SECRETS.has(key) ? JSON.parse(text) : text;
  else {
    tree[key] ??= {};
    set(tree[key] as Tree, rest, text);
  }
}

/** Text, even when it looks like a number. */
const SECRETS = new Set(['password', 'secret', 'testerToken', 'user', 'schema']);

function overlay(base: Tree, over: Tree): Tree {
  const result = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    const nested = typeof value === 'object' && value !== null;
    result[key] = nested ? overlay((below ?? {}) as Tree, value as Tree) : value;
  }
  return result;
}
