export { covers, fromStart } from './append.ts';
export type { Owner, Ownership } from './control/ownership.ts';
export { type DomainRecord, isOfProcessor, type ProcessorControl } from './control/processors.ts';
export {
  CONTROL_TOPIC,
  type ControlData,
  type ControlRecord,
  controlEvent,
  LATEST_TOPIC,
  type LatestData,
  type LatestRecord,
  latestEvent,
  readControl,
} from './control/records.ts';
export { applyControl, ControlFold, type DomainControl, FIRST_STORE, initialControl } from './control/state.ts';
export { followControl, readControlState } from './control/tail.ts';
export { Doorbell } from './doorbell.ts';
export { BanyanError, type ErrorCatalogue, type ErrorEntry, type ErrorFacts, faultsOf, LOG_ERRORS } from './errors.ts';
export { checkKafka } from './kafka/check.ts';
export type { LogFinding } from './kafka/check-brokers.ts';
export { type Copied, copyToKafka } from './kafka/copy.ts';
export { KAFKA_LOG_ERRORS } from './kafka/errors.ts';
export { openKafkaLog } from './kafka/log.ts';
export type { KafkaSettings } from './kafka/settings.ts';
export { openMemoryLog } from './memory/log.ts';
export { keyIn } from './partition.ts';
export { isRing, relayDoorbell } from './relay.ts';
export { SQLITE_LOG_ERRORS } from './sqlite/errors.ts';
export { openSqliteLog, type SqliteLog, type SqliteLogOptions } from './sqlite/log.ts';
export { deadTopic, isOwnType, OWNER_TYPE, parkingTopic, RESET_TYPE, topicsFor } from './topics.ts';
export * from './types.ts';
