export { startRouter } from './router.ts';
export type { RoutingState } from './routing-state.ts';
