import type { Server } from 'node:http';

/** Listens. @throws what `faultOf` makes of why it cannot */
export function listen(
  server: Server,
  at: { host: string; port: number },
  faultOf: (error: NodeJS.ErrnoException) => Error,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: Error) => reject(faultOf(error));
    server.once('error', refuse);
    server.listen({ host: at.host, port: at.port }, () => {
      // An error from now on is one that nobody expects.
      server.off('error', refuse);
      resolve();
    });
  });
}
