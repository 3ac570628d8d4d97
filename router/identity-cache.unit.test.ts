import { describe, expect, it } from '@jest/globals';
import { type Identity, verifyIdentity } from '../services/kit/http/identity-header.ts';
import { type Credentials, IdentityCache } from './identity-cache.ts';

function cache(options: { ttlMs?: number; timeoutMs?: number } = {}) {
  const asked: { answer(identity: Identity | null): void; fail(error: Error): void }[] = [];
  const identities = new IdentityCache({
    identify: () => new Promise((answer, fail) => asked.push({ answer, fail })),
    secret: 's',
    ttlMs: 60_000,
    timeoutMs: 60_000,
    breaker: { failures: 2, delayMs: 60_000 },
    failed: () => {},
    ...options,
  });
  const who = async (credentials: Credentials) => {
    const signed = await identities.signedFor(credentials, () => ({}));
    return signed === undefined ? undefined : verifyIdentity(signed, 's');
  };
  return { identities, asked, who };
}

const ann = { session: 'a', cookie: 'sid=a', authorization: undefined };
const nobody = { session: undefined, cookie: undefined, authorization: undefined };

describe('IdentityCache', () => {
  it('asks once for all requests of a session', async () => {
    const { asked, who } = cache();
    const both = [who(ann), who(ann)];
    asked[0]?.answer({ user: 'ann' });
    expect(await Promise.all(both)).toEqual([{ identity: { user: 'ann' } }, { identity: { user: 'ann' } }]);
    expect(await who(ann)).toEqual({ identity: { user: 'ann' } });
    expect(asked).toHaveLength(1);
  });

  it('does not take the value of a session for the proof of it', async () => {
    const { asked, who } = cache();
    const first = who({ ...ann, cookie: 'sid=a; sid.sig=right' });
    asked[0]?.answer({ user: 'ann' });
    await first;
    const forged = who({ ...ann, cookie: 'sid=a; sid.sig=wrong' });
    asked[1]?.answer(null);
    expect(await forged).toBeUndefined();
  });

  it('asks again after the identity has been in memory for its time', async () => {
    const { asked, who } = cache({ ttlMs: 0 });
    const first = who(ann);
    asked[0]?.answer({ user: 'ann' });
    await first;
    const second = who(ann);
    asked[1]?.answer(null);
    expect(await second).toBeUndefined();
  });

  it('asks again after a write, even where the question was under way', async () => {
    const { identities, asked, who } = cache();
    const before = who(ann);
    identities.forget({ ...ann, cookie: 'sid=a; another=1' });
    const after = who(ann);
    asked[0]?.answer({ user: 'before' });
    asked[1]?.answer({ user: 'after' });
    await before;
    expect(await after).toEqual({ identity: { user: 'after' } });
    expect(await who(ann)).toEqual({ identity: { user: 'after' } });
  });

  it('does not ask about requests without credentials', async () => {
    const { asked, who } = cache();
    expect(await who(nobody)).toBeUndefined();
    expect(asked).toHaveLength(0);
  });

  it('gives up in time, remembers no failure, and stops asking after failures in a row', async () => {
    const { asked, who } = cache({ timeoutMs: 1 });
    await expect(who(ann)).rejects.toThrow('longer');
    await expect(who(ann)).rejects.toThrow('longer');
    await expect(who(ann)).rejects.toThrow('too often');
    expect(asked).toHaveLength(2);
  });

  it('refuses an identity that no header can hold', async () => {
    const { asked, who } = cache();
    const answer = who(ann);
    asked[0]?.answer({ groups: 'x'.repeat(10_000) });
    await expect(answer).rejects.toThrow('too large');
  });

  it('goes on asking about others after identities that no header can hold', async () => {
    const { asked, who } = cache();
    for (let n = 0; n < 3; n++) {
      const answer = who({ ...ann, cookie: `sid=a; n=${n}` });
      asked[n]?.answer({ groups: 'x'.repeat(10_000) });
      await expect(answer).rejects.toThrow('too large');
    }
    const other = who({ ...ann, session: 'b', cookie: 'sid=b' });
    asked[3]?.answer({ user: 'bob' });
    expect(await other).toEqual({ identity: { user: 'bob' } });
  });

  it('forgets those who have not come for longest', async () => {
    const { asked, who } = cache();
    const visit = async (session: number) => {
      const answer = who({ session: `${session}`, cookie: `sid=${session}`, authorization: undefined });
      asked.at(-1)?.answer({ session });
      await answer;
    };
    for (let session = 0; session < 10_000; session++) await visit(session);
    await visit(0);
    await visit(10_000);
    const count = asked.length;
    await visit(0);
    expect(asked).toHaveLength(count);
    await visit(1);
    expect(asked).toHaveLength(count + 1);
  });
});
