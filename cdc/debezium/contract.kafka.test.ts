import { CONTRACT_SCHEMA, CONTRACT_TABLES, fromNow, testSource } from '../contract.ts';
import { openDebeziumSource, startTestStack } from './test-support.ts';

testSource('the Debezium source', async () => {
  const stack = await startTestStack();
  // One connector for all tests: each reads from its own beginning on.
  const options = stack.options('contract', CONTRACT_TABLES);
  const session = await stack.server.session();
  await session.sql(...CONTRACT_SCHEMA);
  await session.end();
  await stack.apply(options);
  // Until it has read the tables' structures: one that is made meanwhile may escape it.
  const source = openDebeziumSource(options);
  await fromNow(source);
  await source.close();
  return {
    session: () => stack.server.session(),
    open: (given) => openDebeziumSource({ ...options, ...given }),
    dispose: () => stack.dispose(),
  };
});
