import type { AddressInfo, Server } from 'node:net';

/** Listens on a free port; returns the origin. */
export async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', 511, resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Ends the process by `exit`, so that a CPU profile is written. */
export function exitWhenAsked(): void {
  process.once('SIGTERM', () => process.exit());
}
