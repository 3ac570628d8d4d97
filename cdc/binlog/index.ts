export type { BinlogSourceOptions } from './options.ts';
export { openBinlogSource } from './source.ts';
