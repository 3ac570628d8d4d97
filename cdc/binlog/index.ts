export { openBinlogSource } from './source.ts';
