import { expect, it } from '@jest/globals';
import { setBackConnector } from './connect.ts';
import { stubConnect } from './test-connect.ts';

it('a connector whose offset cannot be changed goes on where it was', async () => {
  const saved = { partition: { server: 's' }, offset: { file: 'bin.1', pos: 4, server_id: 1 } };
  await using connect = await stubConnect((asked) =>
    asked.at(-1)?.startsWith('PATCH') ? [500, { message: 'no' }] : [200, { offsets: [saved] }],
  );
  const options = { kafka: { brokers: ['127.0.0.1:1'] }, connect };
  await expect(setBackConnector(options, '0-1-5')).rejects.toMatchObject({ code: 'BNY-CDC-CONNECT-UNREACHABLE' });
  expect(connect.asked.map((each) => each.replace(/ .*\//, ' '))).toEqual([
    'GET offsets',
    'PUT stop',
    'PATCH offsets',
    'PUT resume',
  ]);
});
