import { parentPort, workerData } from 'node:worker_threads';
import { BanyanError } from '../errors.ts';
import type { sqliteFault } from './errors.ts';
import { openSqliteLog } from './log.ts';
import type { AppendRequest, WriterThreadAnswer, WriterThreadData } from './thread-writer.ts';

/** Thread of a `ThreadWriter`: opens the writer on a connection of its own and appends what it is handed. */
const { id, file, topics } = workerData as WriterThreadData;
const answer = (message: WriterThreadAnswer) => parentPort?.postMessage(message);

try {
  const writer = await openSqliteLog({ file, topics }).writer(id);
  const { generation } = writer;
  parentPort?.on('message', ({ events, state }: AppendRequest) => {
    writer.append(events, state).then((checkpoint) => answer({ generation, checkpoint }), refuse);
  });
  answer({ generation, checkpoint: writer.checkpoint });
} catch (error) {
  refuse(error);
}

/** An error of ours loses its class on the way: its facts are sent, and it is made again from them. */
function refuse(error: unknown): void {
  if (!BanyanError.is(error)) {
    answer({ error });
    return;
  }
  const { code, found, needed, cause } = error;
  answer({
    fault: {
      code: code as Parameters<typeof sqliteFault>[0],
      ...(found !== undefined && { found }),
      ...(needed !== undefined && { needed }),
      cause,
    },
  });
}
