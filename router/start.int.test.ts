import { describe, expect, it } from '@jest/globals';
import { BanyanError } from '../log/errors.ts';
import { ask, ROUTES, type TestbedOptions, testbed } from './test-bed.ts';

async function faultOf(options: TestbedOptions): Promise<BanyanError> {
  try {
    await using _ = await testbed(options);
  } catch (error) {
    if (BanyanError.is(error)) return error;
  }
  throw new Error('the router started');
}

describe('startRouter', () => {
  it('says who may listen on the port already, and leaves nothing behind', async () => {
    await using bed = await testbed();
    const { code, found, needed, cure } = await faultOf({ listen: { host: '127.0.0.1', port: bed.port } });
    expect(code).toBe('BNY-ROUTER-PORT-IN-USE');
    expect([found, needed, cure].join(' ')).toContain(String(bed.port));
    const adminPort = Number(new URL(bed.router.adminUrl).port);
    expect((await faultOf({ admin: { port: adminPort } })).code).toBe('BNY-ROUTER-PORT-IN-USE');
  });

  it('refuses an address that is not this machine’s', async () => {
    expect((await faultOf({ listen: { host: '192.0.2.1', port: 0 } })).code).toBe('BNY-ROUTER-LISTEN');
  });

  it('names everything that is wrong with the options at once', async () => {
    const { code, found } = await faultOf({
      monolith: 'http://127.0.0.1/path',
      services: { shops: 'shops' },
      secret: 'short',
      testerToken: 'short',
      trustedProxies: ['10.0.0.0/33', '10.0.0.0/8', 'balancer'],
    });
    expect(code).toBe('BNY-ROUTER-OPTIONS');
    const flaws = ['http://127.0.0.1/path', 'shops is not', 'secret', 'testerToken', 'services lack orders'];
    for (const flaw of [...flaws, '10.0.0.0/33 is no address', 'balancer is no address']) {
      expect(found).toContain(flaw);
    }
  });

  it('refuses routes that take the same requests', async () => {
    expect((await faultOf({ routes: [...ROUTES, ...ROUTES] })).code).toBe('BNY-ROUTER-ROUTES');
  });

  it('listens on IPv6, and says so to the monolith', async () => {
    await using bed = await testbed({ listen: { host: '::1', port: 0 } });
    expect(bed.router.url).toMatch(/^http:\/\/\[::1\]:\d+$/);
    await fetch(bed.router.url);
    expect(bed.monolith.seen[0]?.headers).toMatchObject({ 'x-forwarded-for': '::1' });
    expect(bed.monolith.seen[0]?.headers['forwarded']).toMatch(/^for="\[::1\]";host="\[::1\]:\d+";proto=http$/);
    await expect(ask(bed.port, '/')).rejects.toThrow('ECONNREFUSED');
  });
});
