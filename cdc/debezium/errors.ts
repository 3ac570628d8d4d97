import { type ErrorCatalogue, faultsOf } from '../../log/errors.ts';

export const DEBEZIUM_ERRORS = {
  'BNY-CDC-CONNECT-UNREACHABLE': {
    means: 'Kafka Connect does not answer, or not as it should',
    normal: 'while its workers restart; it is tried again by itself',
    cure: 'Check the address of its REST interface, and that a worker runs.',
    retryable: true,
  },
  'BNY-CDC-CONNECTOR': {
    means: "Debezium's connector does not run as it should",
    normal: 'never',
    cure: 'Run `banyan connector status`: it names the cause. `banyan connector apply` makes or corrects the connector.',
  },
  'BNY-CDC-FOREIGN-RECORD': {
    means: "the connector's topic holds something that the connector did not write",
    normal: 'never',
    cure: 'Find out who writes to the topic and stop it. Start with a new log and a new topic (another `prefix`), and seed again.',
  },
  'BNY-CDC-OTHER-TOPIC': {
    means: "this is not the connector's topic that the log was filled from, or it has lost records",
    normal: 'never',
    cure: 'Restore the topic. If it is gone, start with a new log and seed again.',
  },
  'BNY-CDC-INCOMPLETE': {
    means: "changes are missing in the connector's topic",
    normal: 'never',
    cure: "The connector has left out transactions: its offsets were lost, or it was made anew. Start with a new log and seed again; keep Connect's topics.",
  },
} as const satisfies ErrorCatalogue;

export const debeziumFault = faultsOf(DEBEZIUM_ERRORS);
