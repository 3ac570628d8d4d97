import { CONTRACT_TOPICS, testEventLog } from '../contract.ts';
import { openMemoryLog } from './log.ts';

testEventLog('the in-memory log', async () => {
  const log = openMemoryLog(CONTRACT_TOPICS);
  return { log, dispose: () => log.close() };
});
