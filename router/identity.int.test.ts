import type { IncomingHttpHeaders } from 'node:http';
import { describe, expect, it } from '@jest/globals';
import { verifyIdentity } from '../services/kit/http/identity-header.ts';
import { ask, metricsOf, SECRET, type TestbedOptions, testbed } from './test-bed.ts';

/** A monolith that knows its users by the cookie `sid`, and is asked for them. */
function withUsers(users: Record<string, string>, options: TestbedOptions = {}) {
  const asked: IncomingHttpHeaders[] = [];
  const identify = async (headers: IncomingHttpHeaders) => {
    asked.push(headers);
    const name = users[headers.cookie?.replace('sid=', '') ?? ''];
    return name === undefined ? null : { name };
  };
  return { asked, bed: testbed({ sessionCookie: 'sid', identify, ...options }) };
}

const ann = { headers: { cookie: 'sid=a' } };

describe('the identity of who reads', () => {
  it('is told to the service in a signed header, in place of the credentials', async () => {
    const { asked, bed: started } = withUsers({ a: 'ann' });
    await using bed = await started;
    await ask(bed.port, '/orders/1', {
      headers: { ...ann.headers, authorization: 'Basic x', 'banyan-identity': 'forged' },
    });
    const { headers = {} } = bed.service.seen[0] ?? {};
    expect(verifyIdentity(String(headers['banyan-identity']), SECRET)).toEqual({ identity: { name: 'ann' } });
    expect(headers).not.toHaveProperty('cookie');
    expect(headers).not.toHaveProperty('authorization');
    expect(asked).toMatchObject([{ cookie: 'sid=a', authorization: 'Basic x', 'x-forwarded-for': '127.0.0.1' }]);
    expect(asked[0]).not.toHaveProperty('banyan-identity');
  });

  it('is asked for once, and again after any request that is not a read', async () => {
    const users = { a: 'ann' };
    const { asked, bed: started } = withUsers(users);
    await using bed = await started;
    await ask(bed.port, '/orders/1', ann);
    await ask(bed.port, '/orders/2', ann);
    expect(asked).toHaveLength(1);
    users.a = 'anna';
    await ask(bed.port, '/rename', { method: 'POST', ...ann });
    await ask(bed.port, '/orders/3', ann);
    expect(asked).toHaveLength(2);
    const last = bed.service.seen.at(-1)?.headers['banyan-identity'];
    expect(verifyIdentity(String(last), SECRET)).toEqual({ identity: { name: 'anna' } });
  });

  it('is forgotten even when the write got no answer', async () => {
    const { asked, bed: started } = withUsers({ a: 'ann' }, { onMonolith: (req) => req.socket.destroy() });
    await using bed = await started;
    await ask(bed.port, '/orders/1', ann);
    expect((await ask(bed.port, '/logout', { method: 'POST', ...ann })).status).toBe(502);
    await ask(bed.port, '/orders/1', ann);
    expect(asked).toHaveLength(2);
  });

  it('is no header for somebody whom the monolith does not know', async () => {
    const { bed: started } = withUsers({});
    await using bed = await started;
    expect((await ask(bed.port, '/orders/1', ann)).body).toBe('service');
    expect(bed.service.seen[0]?.headers).not.toHaveProperty('banyan-identity');
  });

  it.each<[string, () => Promise<null>]>([
    ['fails', () => Promise.reject(new Error('down'))],
    ['takes too long', () => new Promise(() => {})],
  ])('makes the read go to the monolith when identify %s', async (_, identify) => {
    await using bed = await testbed({ sessionCookie: 'sid', identify, limits: { identityTimeoutMs: 20 } });
    const answer = await ask(bed.port, '/orders/1', ann);
    expect(answer).toMatchObject({ status: 200, body: 'monolith' });
    expect(answer.headers['banyan-served-by']).toBe('monolith;domain=orders;reason=identity-missing');
    expect(await metricsOf(bed)).toContain('banyan_router_identities_missed_total{domain="orders"} 1');
    expect(bed.service.seen).toEqual([]);
  });
});
