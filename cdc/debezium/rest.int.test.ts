import { expect, it } from '@jest/globals';
import { ask } from './rest.ts';
import { stubConnect } from './test-connect.ts';

it.each([
  [409, 'Cannot complete request momentarily due to stale configuration'],
  [500, 'Request cannot be completed because a rebalance is expected'],
])('Connect that answers %i while its workers agree is asked again', async (status, message) => {
  await using connect = await stubConnect((asked) => [asked.length === 1 ? status : 200, { message }]);
  expect(await ask(connect, 'GET', '/connectors')).toMatchObject({ status: 200 });
  expect(connect.asked).toHaveLength(2);
});

it.each([
  ['a proxy that asks for a password', 401, { message: 'who are you?' }],
  ['a proxy that lets nobody through', 403, { message: 'no' }],
  ['another server, with pages of its own', 404, '<html>no such page</html>'],
  ['another server, with a page for everything', 200, '<html>welcome</html>'],
])('%s is not taken for Connect', async (_, status, body) => {
  await using connect = await stubConnect(() => [status, body]);
  await expect(ask(connect, 'GET', '/connectors/c/status')).rejects.toMatchObject({
    code: 'BNY-CDC-CONNECT-UNREACHABLE',
    found: expect.stringContaining(`${connect.url}/connectors/c/status: ${status}`),
  });
});
