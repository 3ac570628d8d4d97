import type { Knex } from 'knex';
import { connect, databaseFromEnvironment, transact } from './database.ts';
import { DAY_MS, now, type PostBody, readingMinutes, stored } from './values.ts';

/** Each task runs alone, so that one that fails does not keep the others from running. */
const TASKS = { readingMinutes: countWords, deletedTags, suspendedClaps, expiredSessions };

type Task = keyof typeof TASKS;

export interface NightlyOptions {
  tasks?: readonly Task[];
  /** Posts edited in these last days are counted anew. */
  editedDays?: number;
  /** Suspended members not seen for so long lose their claps. */
  suspendedDays?: number;
}

/** The job that writes without HTTP. Returns the rows that each task changed, or its error. */
export async function nightly(db: Knex, options: NightlyOptions = {}): Promise<Partial<Record<Task, number | Error>>> {
  const results: Partial<Record<Task, number | Error>> = {};
  for (const task of options.tasks ?? (Object.keys(TASKS) as Task[])) {
    results[task] = await TASKS[task](db, options).catch((error: unknown) => error as Error);
  }
  return results;
}

const daysAgo = (days: number) => stored(new Date(Date.now() - days * DAY_MS), 3);

/** Leaves updated_at alone: nobody edited. A post that is edited meanwhile is left to the next night. */
async function countWords(db: Knex, { editedDays = 2 }: NightlyOptions): Promise<number> {
  let changed = 0;
  for (let last = 0; ; ) {
    const posts = await db('posts')
      .where('id', '>', last)
      .where('updated_at', '>=', daysAgo(editedDays))
      .orderBy('id')
      .limit(500)
      .select<{ id: number; body: string; reading_minutes: string; updated_at: string }[]>(
        'id',
        'body',
        'reading_minutes',
        'updated_at',
      );
    for (const { id, body, reading_minutes, updated_at } of posts) {
      const minutes = readingMinutes(JSON.parse(body) as PostBody);
      if (minutes === reading_minutes) continue;
      changed += await db('posts').where({ id, updated_at }).update({ reading_minutes: minutes });
    }
    const end = posts.at(-1);
    if (end === undefined) return changed;
    last = end.id;
  }
}

async function deletedTags(db: Knex): Promise<number> {
  return transact(db, (trx) => {
    const deleted = trx('posts').select('id').where({ status: 'deleted' });
    return trx('post_tags').whereIn('post_id', deleted).delete();
  });
}

async function suspendedClaps(db: Knex, { suspendedDays = 90 }: NightlyOptions): Promise<number> {
  const members = await db('members')
    .where({ status: 'suspended' })
    .where((seen) => seen.whereNull('last_seen_at').orWhere('last_seen_at', '<', daysAgo(suspendedDays)))
    .orderBy('id')
    .pluck<number[]>('id');
  let deleted = 0;
  for (const memberId of members) {
    let chunk: number;
    do {
      chunk = await deleteClaps(db, memberId);
      deleted += chunk;
    } while (chunk > 0);
  }
  return deleted;
}

/** Up to 200 of a member's claps. Locks the posts before the claps, as a clap does. */
async function deleteClaps(db: Knex, memberId: number): Promise<number> {
  const posts = await db('claps')
    .where({ member_id: memberId })
    .orderBy('post_id')
    .limit(200)
    .pluck<number[]>('post_id');
  if (posts.length === 0) return 0;
  return transact(db, async (trx) => {
    await trx('posts').whereIn('id', posts).orderBy('id').forUpdate().select('id');
    await trx.raw(
      `UPDATE posts p JOIN claps c ON c.post_id = p.id SET p.clap_count = p.clap_count - c.count
       WHERE c.member_id = ? AND c.post_id IN (${posts.map(() => '?').join()})`,
      [memberId, ...posts],
    );
    return trx('claps').where({ member_id: memberId }).whereIn('post_id', posts).delete();
  });
}

async function expiredSessions(db: Knex): Promise<number> {
  return db('sessions').where('expires_at', '<=', now()).delete();
}

if (process.argv[1] === import.meta.filename) {
  const db = connect(databaseFromEnvironment());
  const results = await nightly(db).finally(() => db.destroy());
  console.log(results);
  if (Object.values(results).some((result) => result instanceof Error)) process.exitCode = 1;
}
