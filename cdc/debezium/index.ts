export { connectorConfig, connectorTopics, isFree } from './config.ts';
export { applyConnector, type ConnectorStatus, connectorStatus, deleteConnector, setBackConnector } from './connect.ts';
export type { DebeziumOptions } from './options.ts';
export { openDebeziumSource } from './source.ts';
