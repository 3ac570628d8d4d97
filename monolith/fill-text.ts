/** A small PRNG (mulberry32): numbers from 0 up to, not including, 1. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Random = () => number;

export const upTo = (next: Random, end: number) => Math.floor(next() * end);

export const pick = <T>(next: Random, from: readonly T[]): T => from[upTo(next, from.length)] as T;

const FIRST = [
  'ada',
  'bela',
  'chidi',
  'dana',
  'emil',
  'fatou',
  'goran',
  'hana',
  'ivo',
  'jun',
  'kai',
  'lena',
  'mira',
  'noor',
];
const LAST = ['adler', 'brook', 'castro', 'diaz', 'ekman', 'fox', 'gupta', 'hill', 'ito', 'jansen', 'kim', 'lund'];

/** Unique by its number. */
export const username = (next: Random, number: number) => `${pick(next, FIRST)}-${pick(next, LAST)}-${number}`;

export const TAGS = `javascript rust databases design writing travel food health history music science startups climate
  philosophy photography gardening cycling chess books film web-development machine-learning 3d-printing go c
  self-improvement remote-work open-source public-transport 90s`.split(/\s+/);

/** What makes trouble on its way through drivers, JSON, logs and other databases. */
export const AWKWARD = [
  '🌳 and 👩‍👩‍👧‍👦 and 🏴󠁧󠁢󠁳󠁣󠁴󠁿',
  'O\'Brien said: "it\'s 100% fine" \\ really',
  'Ünïcödé, e\u0301 and é, ﬃ, ß, İstanbul',
  'سلام — مرحبا — שלום',
  '日本語のタイトル、𠮷野家',
  'line\u2028separator, zero\u200bwidth, tab\tand bell\u0007',
  '  spaces before and behind  ',
  "'); DROP TABLE posts; --",
  'null',
  '<b>&amp;</b> #{x} %s %00 \\u0000 \\n',
];

const WORDS = `the a tree grows slowly around its host and one day we saw that nothing of old code was left but why not
  write tests first measure twice cut once every database remembers more than you think people read on trains in bed
  with coffee or tea light falls through leaves small steps beat great plans rain came late that year`.split(/\s+/);

export function sentence(next: Random, words: number): string {
  const text = Array.from({ length: words }, () => pick(next, WORDS)).join(' ');
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** A post's body. Keys stand in no order, as in data that several versions of an editor have written. */
export function body(next: Random, title: string): string {
  const blocks: Record<string, unknown>[] = [{ type: 'heading', text: title, level: 1 }];
  for (let left = 1 + upTo(next, 5); left > 0; left--) {
    blocks.push({ text: sentence(next, 10 + upTo(next, 60)), type: 'paragraph' });
  }
  if (next() < 0.2) blocks.push({ type: 'code', lang: 'sql', text: 'SELECT 1;\n\t-- "quoted"\n' });
  if (next() < 0.2)
    blocks.push({ url: 'https://img.example/1.jpg', type: 'image', text: '', size: { w: 1200, h: 630.5 } });
  if (next() < 0.1) blocks.push({ type: 'quote', text: pick(next, AWKWARD) });
  return JSON.stringify({ version: 2, blocks, editor: { theme: null, beta: next() < 0.5 } });
}
