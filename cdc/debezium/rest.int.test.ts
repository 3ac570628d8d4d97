import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it } from '@jest/globals';
import { ask } from './rest.ts';

it.each([
  [409, 'Cannot complete request momentarily due to stale configuration'],
  [500, 'Request cannot be completed because a rebalance is expected'],
])('Connect that answers %i while its workers agree is asked again', async (status, message) => {
  let asked = 0;
  const server = createServer((_, response) => {
    response.statusCode = asked++ === 0 ? status : 200;
    response.end(JSON.stringify({ message }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  expect(await ask({ url }, 'GET', '/connectors')).toMatchObject({ status: 200 });
  expect(asked).toBe(2);
  server.closeAllConnections();
  server.close();
});
