import { describe, expect, it } from '@jest/globals';
import pino from 'pino';
import { type BanyanConfig, configSchema } from './config/schema.ts';
import { routerOptions } from './router-options.ts';

function optionsOf(settings: Pick<BanyanConfig, 'services' | 'router'>) {
  const orders = { name: 'orders', tables: {}, routes: { reads: [], writes: [] } };
  const monolith = { url: 'http://127.0.0.1:1', database: { schema: 'shop' } };
  const config = configSchema.parse({ monolith, domains: [orders], ...settings });
  return routerOptions({ config, secret: 's', logger: pino({ level: 'silent' }) }, async () => 'p');
}

describe('the options of the router', () => {
  it.each([500, 10_000, 10_001, 90_000])(
    'let a session ask for its writes for longer than a service that lags %d ms may answer without them',
    (maxLagMs) => {
      expect(optionsOf({ services: { maxLagMs } }).positionTtlSeconds * 1000).toBeGreaterThan(maxLagMs);
    },
  );

  it('are those that the configuration gives', () => {
    const router = {
      secureCookies: true,
      trustedProxies: ['10.0.0.0/8'],
      adminHost: '0.0.0.0',
      adminAllowedHosts: ['router.internal:4001'],
    };
    expect(optionsOf({ router })).toMatchObject({
      secureCookies: true,
      trustedProxies: ['10.0.0.0/8'],
      admin: { host: '0.0.0.0', port: 4001, allowedHosts: ['router.internal:4001'] },
    });
  });
});
