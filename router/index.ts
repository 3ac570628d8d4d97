export { ROUTER_ERRORS } from './errors.ts';
export { type Identity, signIdentity, type VerifiedIdentity, verifyIdentity } from './identity-header.ts';
export type { Address, Limits, RouterOptions } from './options.ts';
export { type Router, startRouter } from './router.ts';
export type { RouteDeclaration } from './routes.ts';
export type { DomainState, RoutingState } from './routing-state.ts';
