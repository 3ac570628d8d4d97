import type { IncomingMessage } from 'node:http';

/** More of a request that waits is not read. */
const MAX_HELD_BODY_BYTES = 65_536;

/**
 * The body of a request that has to wait, so that a client that leaves is noticed: while its body lies unread, Node does
 * not tell. Undefined when it is too large, or the client has left.
 */
export function bodyOf(req: IncomingMessage): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  req.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_HELD_BODY_BYTES) {
      chunks.push(chunk);
      return;
    }
    req.pause();
    resolve(undefined);
  });
  req.once('end', () => resolve(Buffer.concat(chunks)));
  req.once('close', () => resolve(undefined));
  req.once('error', () => resolve(undefined));
  return promise;
}
