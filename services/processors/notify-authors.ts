import { appendFile, readFile } from 'node:fs/promises';
import { defineProcessor } from '../kit/index.ts';
import { events as publications, type Submission } from '../publications/events.ts';

/** One line a notification into `NOTIFICATIONS_FILE`, under the id of its event; without that file nobody is notified. */
export const notifyAuthors = defineProcessor({
  name: 'notify-authors',
  topics: [publications],
  handlers: {
    SubmissionAccepted: ({ data }, { idempotencyKey }) => notify(idempotencyKey, data),
    SubmissionRefused: ({ data }, { idempotencyKey }) => notify(idempotencyKey, data),
  },
});

async function notify(id: string, { authorId, postId, status }: Submission): Promise<void> {
  const file = process.env['NOTIFICATIONS_FILE'];
  if (file === undefined || (await isSent(file, id))) return;
  await appendFile(file, `${id}\tmember ${authorId}: your post ${postId} was ${status}\n`);
}

/** An event can come twice, a notification must not. */
async function isSent(file: string, id: string): Promise<boolean> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return text.split('\n').some((line) => line.startsWith(`${id}\t`));
}
