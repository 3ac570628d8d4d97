import type { Request } from 'express';
import { malformed, notFound } from './errors.ts';
import { inOrder, type PostBody } from './values.ts';

export type Fields = Record<string, unknown>;

export function fields(req: Request): Fields {
  if (!isObject(req.body)) throw malformed('The body must be a JSON object.');
  return req.body;
}

const isObject = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** What the readers make of the fields that were sent, at least one. */
export function changes<T extends Record<string, (from: Fields, name: string) => unknown>>(
  from: Fields,
  readers: T,
): { [K in keyof T]?: ReturnType<T[K]> } {
  const sent = Object.entries(readers).filter(([name]) => from[name] !== undefined);
  if (sent.length === 0) throw malformed(`Nothing to change: send ${Object.keys(readers).join(', ')}.`);
  return Object.fromEntries(sent.map(([name, read]) => [name, read(from, name)])) as {
    [K in keyof T]?: ReturnType<T[K]>;
  };
}

/** Kept as it was typed, spaces and emoji included. Length is counted in characters, as the database does. */
export const text = (max: number) => (from: Fields, name: string) => {
  const value = from[name];
  if (typeof value !== 'string' || value.trim() === '' || [...value].length > max) {
    throw malformed(`${name} must be text of 1 to ${max} characters.`);
  }
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

// Usernames, slugs and tags are lower-case ASCII: what a case-insensitive collation takes for equal never gets in.
const HANDLE = /^[a-z0-9]+(-[a-z0-9]+)*$/;

const isHandle = (value: unknown, max: number): value is string =>
  typeof value === 'string' && value.length <= max && HANDLE.test(value);

export const handle = (max: number) => (from: Fields, name: string) => {
  const value = from[name];
  if (!isHandle(value, max))
    throw malformed(`${name} must be lower-case letters, digits and single hyphens, at most ${max}.`);
  return value;
};

/** What a title becomes in an address; empty when it has no Latin letter or digit. */
export function slugify(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{Mn}/gu, '');
  return plain
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 120)
    .replace(/^-+|-+$/g, '');
}

export function tags(from: Fields, name: string): string[] {
  const value = from[name] ?? [];
  if (!Array.isArray(value) || value.length > 5 || !value.every((tag) => isHandle(tag, 40))) {
    throw malformed(`${name} must be at most 5 tags of lower-case letters, digits and single hyphens.`);
  }
  return [...new Set<string>(value)].sort(inOrder);
}

export function integer(from: Fields, name: string, max: number): number {
  const value = from[name];
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 1 || value > max) {
    throw malformed(`${name} must be a whole number from 1 to ${max}.`);
  }
  return value;
}

export function jsonObject(from: Fields, name: string): Fields {
  const value = from[name] ?? {};
  if (!isObject(value) || !isShallow(value, 10))
    throw malformed(`${name} must be a JSON object, at most 10 levels deep.`);
  return value;
}

export function postBody(from: Fields, name: string): PostBody {
  const { blocks } = jsonObject(from, name);
  const fits = (block: unknown) =>
    isObject(block) && typeof block['type'] === 'string' && typeof block['text'] === 'string';
  if (!Array.isArray(blocks) || !blocks.every(fits)) throw malformed(`${name} must be {blocks: [{type, text}]}.`);
  return from[name] as PostBody;
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((inner) => isShallow(inner, levels - 1));
}

export function page(req: Request): number {
  const value = req.query['page'] ?? '1';
  if (typeof value !== 'string' || !/^[1-9]\d{0,4}$/.test(value))
    throw malformed('page must be a number from 1 to 99999.');
  return Number(value);
}

/** An id in the path. What cannot be one names nothing. */
export function pathId(req: Request, name = 'id'): number {
  const value = req.params[name];
  if (typeof value !== 'string' || !/^[1-9]\d{0,14}$/.test(value)) throw notFound();
  return Number(value);
}

export function pathHandle(req: Request, name: string, max: number): string {
  const value = req.params[name];
  if (!isHandle(value, max)) throw notFound();
  return value;
}
