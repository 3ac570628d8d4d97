import { once } from 'node:events';
import http from 'node:http';
import type { Socket } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { listening, portOf } from './test-bed.ts';
import { upstreamAgent } from './upstream-agent.ts';

/** How long the agent will keep the connection after each of three requests on it. */
async function idleTimeouts(keepAliveTimeout: number): Promise<(number | undefined)[]> {
  const server = http.createServer((_req, res) => res.end());
  server.keepAliveTimeout = keepAliveTimeout;
  await listening(server);
  const agent = upstreamAgent('http:', 4_000);
  const timeouts: (number | undefined)[] = [];
  const sockets = new Set<Socket>();
  for (let request = 0; request < 3; request++) {
    const freed = once(agent, 'free');
    http.get({ host: '127.0.0.1', port: portOf(server), agent }, (res) => res.resume());
    const [socket] = await freed;
    timeouts.push(socket.timeout);
    sockets.add(socket);
  }
  agent.destroy();
  server.close();
  expect(sockets.size).toBe(1);
  return timeouts;
}

describe('upstreamAgent', () => {
  it('gives up an idle connection before its server does', async () => {
    expect(await idleTimeouts(3_000)).toEqual([2_000, 2_000, 2_000]);
  });

  it('keeps an idle connection no longer than it is told to', async () => {
    expect(await idleTimeouts(60_000)).toEqual([4_000, 4_000, 4_000]);
  });
});
