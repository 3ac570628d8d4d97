import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from '@jest/globals';

// In processes of their own: Jest's does not end by a rejection that nobody handles.
it.each([
  [
    'the lag probe',
    `const { LagProbe } = await import('./scripts/lib/lag-probe.ts');
     const database = () => { throw new Error('gone'); };
     const running = new LagProbe({ database, urls: { services: { profiles: 'http://127.0.0.1:1' } }, site: { usernames: ['ann'] } });
     running.start();`,
  ],
  [
    'the traffic',
    `const { Traffic } = await import('./scripts/traffic/traffic.ts');
     const usernames = { get length() { throw new Error('gone'); } };
     const running = new Traffic({ site: { usernames }, members: 2, password: '', pauseMs: 1, seed: 1 });`,
  ],
])('%s tells of its failure when it is stopped, and ends nothing else by that', async (_, start) => {
  const script = `${start}
     await new Promise((resolve) => setTimeout(resolve, 20));
     await running.stop().catch(({ message }) => console.log(message));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  expect(stdout).toBe('gone\n');
});
