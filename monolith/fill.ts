import type { Knex } from 'knex';
import { connect, databaseFromEnvironment } from './database.ts';
import { AWKWARD, body, pick, type Random, random, sentence, TAGS, upTo, username } from './fill-text.ts';
import { createSchema } from './schema.ts';
import { hashPassword } from './session.ts';
import { type PostBody, readingMinutes, stored } from './values.ts';

export const PASSWORD = 'correct horse';

export interface FillOptions {
  posts: number;
  /** In all; fewer are made when the members do not suffice. */
  claps: number;
  members?: number;
  publications?: number;
  /** The same seed and sizes give the same rows. */
  seed: number;
  /** When the newest post was published. */
  until?: Date;
}

export type FillCounts = Record<string, number>;

interface Plan extends Required<FillOptions> {
  counts: FillCounts;
}

/** Fills an empty schema; returns the rows of each table. */
export async function fill(db: Knex, options: FillOptions): Promise<FillCounts> {
  const plan: Plan = {
    members: Math.max(100, Math.ceil(options.posts / 10)),
    publications: Math.max(3, Math.ceil(options.posts / 500)),
    until: new Date('2026-01-01T12:00:00Z'),
    ...options,
    counts: {},
  };
  await insert(db, plan, 'members', await memberRows(plan));
  await insert(db, plan, 'publications', publicationRows(plan));
  await insert(db, plan, 'publication_editors', editorRows(plan));
  for (let from = 1; from <= plan.posts; from += 1000) {
    const ids = range(from, Math.min(from + 999, plan.posts));
    for (const [table, rowsOf] of Object.entries(ROWS_OF_POST)) {
      const rows = ids.flatMap((id) => rowsOf(plan, id));
      await insert(db, plan, table, rows);
    }
  }
  await insert(db, plan, 'sessions', sessionRows(plan));
  await insert(db, plan, 'reading_lists', listRows(plan));
  await insert(db, plan, 'reading_list_items', listItemRows(plan));
  return plan.counts;
}

type Row = Record<string, string | number | null>;

const ROWS_OF_POST: Record<string, (plan: Plan, id: number) => Row[]> = {
  posts: (plan, id) => [postRow(plan, id)],
  post_tags: tagRows,
  submissions: submissionRows,
  claps: clapRows,
};

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, index) => first + index);

/** Rows of one table all have the same columns. */
async function insert(db: Knex, { counts }: Plan, table: string, rows: Row[]): Promise<void> {
  counts[table] = (counts[table] ?? 0) + rows.length;
  const columns = Object.keys(rows[0] ?? {});
  for (let from = 0; from < rows.length; from += 5000) {
    const values = rows.slice(from, from + 5000).map((row) => Object.values(row));
    // The driver writes nested arrays as (…),(…). Far cheaper than knex's insert for this many rows.
    await db.raw(`INSERT INTO ${table} (${columns.join()}) VALUES ?`, [values as unknown as Knex.Value]);
  }
}

/** Each row has randomness of its own, so that one kind of row can change without the others. */
const randomOf = (plan: Plan, kind: number, id: number): Random =>
  random(plan.seed ^ Math.imul(kind * 2 ** 24 + id, 0x9e3779b1));

const MINUTE_MS = 60_000;

const minutesBefore = (plan: Plan, minutes: number, digits: 0 | 3 = 0) =>
  stored(new Date(plan.until.getTime() - minutes * MINUTE_MS), digits);

/** Minutes from a post's publication to the newest one's: three in a row share theirs. */
const age = (plan: Plan, id: number) => Math.floor((plan.posts - id) / 3) * 20;

/** Some minutes later than a post's publication, but not in the future. */
const after = (plan: Plan, id: number, minutes: number) => Math.max(0, age(plan, id) - minutes);

/** Member 1 is `admin`. */
async function memberRows(plan: Plan): Promise<Row[]> {
  const password_hash = await hashPassword(PASSWORD, 'the same salt for all');
  return range(1, plan.members).map((id) => {
    const next = randomOf(plan, 1, id);
    const name = id === 1 ? 'admin' : username(next, id);
    return {
      id,
      username: name,
      name: next() < 0.05 ? pick(next, AWKWARD) : sentence(next, 2).slice(0, -1),
      bio: next() < 0.2 ? null : `${sentence(next, 12)} ${pick(next, ['🌱', '☕️', '🏳️‍🌈', '', ''])}`,
      password_hash,
      email: `${name}@mail.example`,
      status: id % 50 === 49 ? 'suspended' : 'active',
      joined_at: minutesBefore(plan, age(plan, 1) + 1440 + upTo(next, 5) * 1440),
      last_seen_at: next() < 0.3 ? null : `${minutesBefore(plan, upTo(next, 200_000), 3)}456`,
    };
  });
}

const ownerOf = (plan: Plan, publication: number) => ((publication * 7) % plan.members) + 1;

function publicationRows(plan: Plan): Row[] {
  return range(1, plan.publications).map((id) => {
    const next = randomOf(plan, 2, id);
    const name = id % 5 === 0 ? pick(next, AWKWARD) : `The ${pick(next, TAGS)} review`;
    const settings = { theme: pick(next, ['light', 'dark']), accent: '#0a7', review: { minutes: 15, auto: false } };
    return {
      id,
      slug: `${pick(next, TAGS)}-review-${id}`,
      name,
      description: next() < 0.2 ? null : sentence(next, 20),
      owner_id: ownerOf(plan, id),
      settings: JSON.stringify(settings),
    };
  });
}

function editorRows(plan: Plan): Row[] {
  const editors = (publication: number) =>
    [1, 2, 3].map((step) => ((ownerOf(plan, publication) + step) % plan.members) + 1);
  return range(1, plan.publications).flatMap((id) =>
    editors(id).map((member) => ({ publication_id: id, member_id: member })),
  );
}

type Status = 'draft' | 'published' | 'deleted';

const statusOf = (id: number): Status => (id % 20 === 7 ? 'draft' : id % 20 === 13 ? 'deleted' : 'published');

/** Every fourth published post is in a publication. */
const publicationOf = (plan: Plan, id: number) =>
  statusOf(id) === 'published' && id % 4 === 0 ? ((id / 4) % plan.publications) + 1 : null;

const authorOf = (plan: Plan, id: number) => upTo(randomOf(plan, 3, id), plan.members) + 1;

function postRow(plan: Plan, id: number): Row {
  const next = randomOf(plan, 4, id);
  const title = id % 10 === 0 ? pick(next, AWKWARD) : sentence(next, 3 + upTo(next, 8)).slice(0, -1);
  const text = body(next, title);
  const created = age(plan, id) + 5 + upTo(next, 600);
  return {
    id,
    author_id: authorOf(plan, id),
    publication_id: publicationOf(plan, id),
    slug: `${pick(next, TAGS)}-${id}`,
    title,
    body: text,
    reading_minutes: readingMinutes(JSON.parse(text) as PostBody),
    status: statusOf(id),
    clap_count: clapRows(plan, id).reduce((sum, { count }) => sum + Number(count), 0),
    published_at: statusOf(id) === 'draft' ? null : minutesBefore(plan, age(plan, id)),
    created_at: minutesBefore(plan, created),
    updated_at: minutesBefore(plan, after(plan, id, 30 * next()), 3),
  };
}

function tagRows(plan: Plan, id: number): Row[] {
  const next = randomOf(plan, 5, id);
  const tags = new Set(
    Array.from({ length: upTo(next, 5) }, () => TAGS[Math.floor(next() ** 2 * TAGS.length)] ?? 'go'),
  );
  return [...tags].map((tag) => ({ post_id: id, tag }));
}

/** One accepted for every post in a publication; of the others some wait and some were refused. */
function submissionRows(plan: Plan, id: number): Row[] {
  const publication = publicationOf(plan, id);
  if (statusOf(id) !== 'published' || (publication === null && id % 25 > 1)) return [];
  const status = publication !== null ? 'accepted' : id % 25 === 0 ? 'refused' : 'pending';
  const row = {
    publication_id: publication ?? (id % plan.publications) + 1,
    post_id: id,
    author_id: authorOf(plan, id),
    status,
  };
  const decided_at = status === 'pending' ? null : minutesBefore(plan, after(plan, id, 45));
  return [{ ...row, submitted_at: minutesBefore(plan, after(plan, id, 15)), decided_at }];
}

/** Drafts have none. Of the others a few have very many: a post's share grows with the fifth power of its rank. */
function clapRows(plan: Plan, id: number): Row[] {
  if (statusOf(id) === 'draft') return [];
  const next = randomOf(plan, 6, id);
  const clapped = plan.posts - Math.floor((plan.posts + 13) / 20);
  const place = id - 1 - Math.floor((id + 12) / 20);
  const rank = (place * 7919) % clapped;
  const share = (upper: number) => Math.floor(plan.claps * (upper / clapped) ** 5);
  const wanted = Math.min(share(rank + 1) - share(rank), plan.members);
  const start = upTo(next, plan.members);
  return range(0, wanted - 1).map((step) => ({
    member_id: ((start + step) % plan.members) + 1,
    post_id: id,
    count: next() < 0.1 ? 50 : 1 + upTo(next, 20),
    updated_at: minutesBefore(plan, after(plan, id, upTo(next, 20_000) / 4), 3),
  }));
}

/** Half of them expired. */
function sessionRows(plan: Plan): Row[] {
  return range(1, Math.min(plan.members, 500)).map((id) => {
    const next = randomOf(plan, 7, id);
    const token = Array.from({ length: 43 }, () => pick(next, [...'ABCDEFabcdef0123456789-_'])).join('');
    return { token, member_id: id, expires_at: minutesBefore(plan, (id % 2 === 0 ? 1 : -1) * 1440 * 20) };
  });
}

function listRows(plan: Plan): Row[] {
  const names = ['Later', 'Best of', ...AWKWARD];
  return range(1, Math.ceil(plan.members / 4)).map((id) => ({
    id,
    member_id: upTo(randomOf(plan, 8, id), plan.members) + 1,
    name: pick(randomOf(plan, 9, id), names),
  }));
}

function listItemRows(plan: Plan): Row[] {
  return range(1, Math.ceil(plan.members / 4)).flatMap((list) => {
    const next = randomOf(plan, 10, list);
    const posts = new Set(Array.from({ length: upTo(next, 8) }, () => upTo(next, plan.posts) + 1));
    return [...posts].map((post_id, index) => ({
      list_id: list,
      post_id,
      position: index + 1,
      added_at: minutesBefore(plan, upTo(next, 1000)),
    }));
  });
}

if (process.argv[1] === import.meta.filename) {
  const db = connect(databaseFromEnvironment());
  const [posts = 1000, claps = posts * 25, seed = 1] = process.argv.slice(2).map(Number);
  await createSchema(db);
  console.log(await fill(db, { posts, claps, seed, until: new Date() }).finally(() => db.destroy()));
}
