import { testSource } from '../contract.ts';
import { startTestServer } from './test-support.ts';

testSource('the binlog source', () => startTestServer());
