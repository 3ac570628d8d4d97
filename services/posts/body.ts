import { type Fields, isObject, jsonObject } from '../input.ts';
import { malformed } from '../refusals.ts';
import { isHandle } from '../request.ts';

interface PostBody extends Fields {
  blocks: { type: string; text: string }[];
}

export function postBody(from: Fields, name: string): PostBody {
  const body = jsonObject(from, name);
  const { blocks } = body;
  const fits = (block: unknown) =>
    isObject(block) && typeof block['type'] === 'string' && typeof block['text'] === 'string';
  if (!Array.isArray(blocks) || !blocks.every(fits)) throw malformed(`${name} must be {blocks: [{type, text}]}.`);
  return body as PostBody;
}

export const wordsOf = (body: unknown): number =>
  (body as PostBody).blocks.reduce((words, { text }) => words + (text.match(/\S+/g)?.length ?? 0), 0);

const WORDS_PER_MINUTE = 230;

/** As DECIMAL(6,2) has it: `4.50`. */
export const readingMinutes = (body: PostBody): string => (wordsOf(body) / WORDS_PER_MINUTE).toFixed(2);

export function tagList(from: Fields, name: string): string[] {
  const value = from[name] ?? [];
  if (!Array.isArray(value) || value.length > 5 || !value.every((tag) => isHandle(tag, 40)))
    throw malformed(`${name} must be at most 5 tags of lower-case letters, digits and single hyphens.`);
  return [...new Set<string>(value)].sort((a, b) => (a < b ? -1 : 1));
}

/** What a title becomes in an address; empty when it has no Latin letter or digit. */
export function slugify(title: string): string {
  const plain = title.normalize('NFKD').replace(/\p{Mn}/gu, '');
  return plain
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 120)
    .replace(/^-+|-+$/g, '');
}
