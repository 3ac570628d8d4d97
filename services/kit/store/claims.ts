import { createHash } from 'node:crypto';
import type { Projection } from '../projection.ts';
import type { StoreOrigin } from './types.ts';

/** What stays the same for the life of a store, and the error when it does not. */
export function claimsOf({ logIdentity, projection }: StoreOrigin) {
  return [
    { key: 'log', value: logIdentity, code: 'BNY-SERVICE-STORE-LOG' },
    { key: 'schema', value: schemaOf(projection), code: 'BNY-SERVICE-STORE-SCHEMA' },
  ] as const;
}

function schemaOf({ tables }: Projection): string {
  const shape = [...tables.values()].map(({ name, from, columns, key }) => ({ name, from, columns, key }));
  return createHash('sha256').update(JSON.stringify(shape)).digest('hex').slice(0, 16);
}
