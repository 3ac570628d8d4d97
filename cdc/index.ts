export { type Capture, type CapturedDomain, changedColumns, type DomainEvent } from './emitter/capture.ts';
export { EMITTER, type EmitterState, type SeedProgress } from './emitter/state.ts';
export * from './types.ts';
