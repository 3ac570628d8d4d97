export { type Change, changedColumns, type Row } from '../../cdc/index.ts';
export { confluent } from './confluent.ts';
export { type Captures, type Domain, type DomainRoutes, defineDomain, type Route } from './domain.ts';
export { SERVICE_ERRORS } from './errors.ts';
export { defineEvents, type EventData, type EventOf, type EventRegistry } from './events.ts';
export { changedFields, fields } from './fields.ts';
export type { Identity } from './http/identity-header.ts';
export { defineProjection, ignore } from './projection.ts';
export { type Queries, type QueryRequest, Reply, reply } from './queries.ts';
