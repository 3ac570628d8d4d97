import { CONTRACT_TABLES, testSource } from '../contract.ts';
import { openDebeziumSource, startTestStack } from './test-support.ts';

testSource('the Debezium source', async () => {
  const stack = await startTestStack();
  // One connector for all tests: each reads from its own beginning on.
  const options = stack.options('contract', CONTRACT_TABLES);
  await stack.apply(options);
  return {
    session: () => stack.server.session(),
    open: (given) => openDebeziumSource({ ...options, ...given }),
    dispose: () => stack.dispose(),
  };
});
