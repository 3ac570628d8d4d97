import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { listen } from './listen.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

describe('listening', () => {
  const servers: Server[] = [];
  const started = async (at = anywhere) => {
    const server = createServer();
    servers.push(server);
    await listen(server, at, ({ code }) => new Error(`cannot: ${code}`));
    return server;
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('fails with the fault that was made of the reason', async () => {
    const { port } = (await started()).address() as AddressInfo;
    await expect(started({ ...anywhere, port })).rejects.toThrow('cannot: EADDRINUSE');
  });

  it('takes no error for its own once it has begun', async () => {
    const server = await started();
    expect(() => server.emit('error', new Error('later'))).toThrow('later');
  });
});
