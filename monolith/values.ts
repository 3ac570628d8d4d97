/** `2024-05-01 10:11:12.120` → `2024-05-01T10:11:12.120`: a DATETIME has no zone. */
export function datetime(stored: string | null): string | null {
  return stored === null ? null : stored.replace(' ', 'T');
}

/** A TIMESTAMP read in a session that speaks UTC. */
export function timestamp(stored: string): string {
  return `${stored.replace(' ', 'T')}Z`;
}

/** A point in time as a column with `digits` fraction digits takes it; UTC. */
export function stored(at: Date, digits: 0 | 3 = 0): string {
  return at
    .toISOString()
    .slice(0, digits === 0 ? 19 : 23)
    .replace('T', ' ');
}

export const now = (digits: 0 | 3 = 0) => stored(new Date(), digits);

export const DAY_MS = 24 * 60 * 60 * 1000;

export const inOrder = (a: string, b: string) => (a < b ? -1 : 1);

/** Parses a JSON column. MariaDB keeps the text as it was written, so the keys are sorted here, at every depth. */
export function parseJson(text: string): unknown {
  return JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => inOrder(a, b)))
      : value,
  );
}

export interface PostBody {
  blocks: { type: string; text: string }[];
}

export const wordsOf = (body: PostBody) =>
  body.blocks.reduce((words, { text }) => words + (text.match(/\S+/g)?.length ?? 0), 0);

const WORDS_PER_MINUTE = 230;

/** As DECIMAL(6,2) has it: `4.50`. */
export const readingMinutes = (body: PostBody) => (wordsOf(body) / WORDS_PER_MINUTE).toFixed(2);
