import { testSource } from '../contract.ts';
import { startTestServer } from './test-server.ts';

testSource('the binlog source', () => startTestServer());
