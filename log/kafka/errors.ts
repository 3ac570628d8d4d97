import { type ErrorCatalogue, faultsOf } from '../errors.ts';

export const KAFKA_LOG_ERRORS = {
  'BNY-LOG-UNREACHABLE': {
    means: 'the Kafka cluster does not answer, or not as it should',
    normal: 'while a broker restarts or another one takes its place; it is tried again by itself',
    cure: 'Check `log.brokers` in banyan.config.ts, and that the brokers run and can be reached from here.',
    retryable: true,
  },
  'BNY-LOG-ACCESS': {
    means: 'the Kafka cluster refuses this account',
    normal: 'never',
    cure: 'Check `log.sasl` and `log.tls`, and the rights of the account (docs/kafka.md lists them).',
  },
  'BNY-LOG-HUNG': {
    means: 'a transaction is open in the log, and hides everything behind it',
    normal: 'for some seconds after a process was killed',
    cure: 'It ends by its time-out. If it stays, somebody else writes to the topic: `kafka-transactions.sh find-hanging` names the producer.',
    retryable: true,
  },
  'BNY-LOG-FORGETS': {
    means: 'events have been deleted from the log',
    normal: 'never',
    cure: 'Set `retention.ms` and `retention.bytes` of the topic to -1. What is gone cannot be read again: start with a new log and seed again.',
  },
  'BNY-LOG-TOPIC': {
    means: 'a topic is set up so that it loses or refuses events',
    normal: 'never',
    cure: 'Correct the named settings of the topic with kafka-configs.sh; nothing was written.',
  },
  'BNY-LOG-FOREIGN': {
    means: 'the log holds something that Banyan did not write',
    normal: 'never',
    cure: 'Find out who writes to the topic and stop it. Start with a new log (another `log.prefix`) and seed again.',
  },
  'BNY-LOG-GAP': {
    means: "events are missing in the log: a writer's count has a hole",
    normal: 'never',
    cure: 'The cluster has lost what it had confirmed (an unclean election, a deleted segment). Start with a new log and seed again.',
  },
} as const satisfies ErrorCatalogue;

export const clusterFault = faultsOf(KAFKA_LOG_ERRORS);
