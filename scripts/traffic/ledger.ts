/**
 * What the traffic generator was promised. A fact is one acknowledged write as a line of text that the log must hold:
 * `posts/41 title "…"`. Titles and texts are unique, so that no other write can stand for it.
 */
export class Ledger {
  /** Aggregate → its acknowledged facts in order. */
  readonly acknowledged = new Map<string, string[]>();
  /** Facts whose write ended without an answer: they may or may not have happened. */
  readonly unknown = new Map<string, string[]>();
  writes = 0;

  acknowledge(aggregate: string, ...facts: string[]): void {
    this.writes++;
    append(this.acknowledged, aggregate, facts);
  }

  wonder(aggregate: string, ...facts: string[]): void {
    append(this.unknown, aggregate, facts);
  }
}

function append(map: Map<string, string[]>, key: string, facts: string[]): void {
  const known = map.get(key);
  if (known) known.push(...facts);
  else map.set(key, facts);
}

export const fact = {
  title: (title: unknown) => `title ${JSON.stringify(title)}`,
  status: (status: unknown) => `status ${String(status)}`,
  claps: (count: unknown) => `claps ${String(count)}`,
  bio: (bio: unknown) => `bio ${JSON.stringify(bio)}`,
};

export const aggregate = {
  post: (id: unknown) => `posts/${String(id)}`,
  claps: (member: unknown, post: unknown) => `claps/${String(member)}-${String(post)}`,
  member: (id: unknown) => `profiles/${String(id)}`,
  submission: (id: unknown) => `publications/submission-${String(id)}`,
};
