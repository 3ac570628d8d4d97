import { BanyanError } from '../../log/errors.ts';
import { connect } from '../connection.ts';
import { cdcFault, connectionFault } from '../errors.ts';
import type { ResumePoint, Transaction } from '../types.ts';
import { Dump } from './dump.ts';
import type { Settings } from './options.ts';
import { TransactionQueue } from './queue.ts';
import { checkServer, diverged, type Resume, resumeFromNow, resumeOf } from './resume.ts';
import { refusedStream, type ServerFacts, serverFacts } from './server.ts';
import { markerOf, Transactions } from './transactions.ts';

/**
 * Reads from the binlog. Without `from` it starts at the server's GTID position of now: that is one value, so there is
 * neither a gap nor an overlap, and the first transaction delivered is an empty one that holds it as a resume point.
 */
export async function* readBinlog(
  settings: Settings,
  from: ResumePoint | undefined,
  signal: AbortSignal,
): AsyncGenerator<Transaction[]> {
  if (signal.aborted) return;
  const server = await factsOf(settings);
  const resume = from ? resumeOf(from) : resumeFromNow(server);
  if (from) checkServer(resume, server);
  const { serverId, serverUid } = server;
  if (resume.serverId !== serverId || resume.serverUid !== serverUid) {
    settings.logger?.warn(
      { serverId, serverUid },
      'the server has changed its names: its history tells whether it is the same',
    );
  }
  if (!from) yield [markerOf(resume, Math.floor(Date.now() / 1000))];

  const queue: TransactionQueue = new TransactionQueue({ pause: () => dump.pause(), resume: () => dump.resume() });
  const transactions = new Transactions(settings, server, resume, (transaction, bytes) => {
    queue.push(transaction, bytes);
  });
  const dump = new Dump(settings, resume.gtidPosition, {
    onEvent: (event) => transactions.onEvent(event),
    onError: (error) => queue.fail(endOfStream(error, resume, server, settings)),
  });
  const wake = () => queue.wake();
  signal.addEventListener('abort', wake);
  try {
    for (;;) {
      const batch = await queue.take(signal);
      if (!batch) return;
      yield batch;
    }
  } finally {
    signal.removeEventListener('abort', wake);
    dump.close();
  }
}

async function factsOf(settings: Settings): Promise<ServerFacts> {
  const connection = await connect(settings.connection);
  try {
    return await serverFacts(connection);
  } catch (error) {
    throw connectionFault(error, settings.connection);
  } finally {
    connection.destroy();
  }
}

/** What ended the stream, as the source's callers know it. */
function endOfStream(error: unknown, resume: Resume, server: ServerFacts, settings: Settings): BanyanError {
  if (BanyanError.is(error)) return error;
  const found = (error as Error).message;
  switch (refusedStream(error)) {
    case 'purged':
      return cdcFault('BNY-CDC-PURGED', { found, needed: `the binlog from ${resume.gtidPosition} on` });
    case 'diverged':
      return diverged(resume, server, found);
    case 'unreadable':
      return cdcFault('BNY-CDC-UNDECODABLE', { found });
    default:
      return connectionFault(error, settings.connection);
  }
}
