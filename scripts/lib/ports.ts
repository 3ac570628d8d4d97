import { freePort } from './mariadb.ts';

/**
 * Free ports in a row. Below those that the system gives to connections, one of which could take a port between this
 * look and the start of who is to listen there, or between the end and the restart of a server.
 */
export async function consecutivePorts(count: number): Promise<number[]> {
  for (;;) {
    const first = 10_000 + Math.floor(Math.random() * 22_000);
    const wanted = Array.from({ length: count }, (_, i) => first + i);
    const free = await Promise.all(
      wanted.map((port) =>
        freePort(port).then(
          () => true,
          () => false,
        ),
      ),
    );
    if (free.every(Boolean)) return wanted;
  }
}
