import type { CommandRequest } from './kit/index.ts';
import { malformed } from './refusals.ts';
import { isHandle } from './request.ts';

/** How the example's commands read a body: as its monolith does. */

export type Fields = Record<string, unknown>;

export function fieldsOf({ body }: CommandRequest): Fields {
  if (!isObject(body)) throw malformed('The body must be a JSON object.');
  return body;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the readers make of the fields that were sent, at least one. */
export function changesIn<T extends Record<string, (from: Fields, name: string) => unknown>>(
  from: Fields,
  readers: T,
): { [K in keyof T]?: ReturnType<T[K]> } {
  const sent = Object.entries(readers).filter(([name]) => from[name] !== undefined);
  if (sent.length === 0) throw malformed(`Nothing to change: send ${Object.keys(readers).join(', ')}.`);
  return Object.fromEntries(sent.map(([name, read]) => [name, read(from, name)])) as {
    [K in keyof T]?: ReturnType<T[K]>;
  };
}

/** Length is counted in characters, as the monolith's database does. */
export const text = (max: number) => (from: Fields, name: string) => {
  const value = from[name];
  if (typeof value !== 'string' || value.trim() === '' || [...value].length > max)
    throw malformed(`${name} must be text of 1 to ${max} characters.`);
  return value;
};

/** Text that may also be null or, in a new resource, left out. */
export const textOrNull = (max: number) => (from: Fields, name: string) =>
  from[name] === null || from[name] === undefined ? null : text(max)(from, name);

export function email(from: Fields, name: string): string {
  const value = text(254)(from, name);
  if (!/^\S+@\S+$/.test(value)) throw malformed(`${name} must be an e-mail address.`);
  return value;
}

export const handle = (max: number) => (from: Fields, name: string) => {
  const value = from[name];
  if (!isHandle(value, max))
    throw malformed(`${name} must be lower-case letters, digits and single hyphens, at most ${max}.`);
  return value;
};

export function integer(from: Fields, name: string, max: number): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max)
    throw malformed(`${name} must be a whole number from 1 to ${max}.`);
  return value;
}

/** With its keys in order, as every reader of the monolith gets it. */
export function jsonObject(from: Fields, name: string): Fields {
  const value = from[name] ?? {};
  if (!isObject(value) || !isShallow(value, 10))
    throw malformed(`${name} must be a JSON object, at most 10 levels deep.`);
  return inOrder(value) as Fields;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

function inOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inOrder);
  if (!isObject(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, inOrder(inner)]));
}

export { isObject };
