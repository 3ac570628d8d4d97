import { BanyanError, logFault } from '../errors.ts';
import { clusterFault } from './errors.ts';

const ACCESS = /AUTHORIZATION_FAILED|SASL|ILLEGAL_SASL_STATE/;
const FENCED = ['INVALID_PRODUCER_EPOCH', 'INVALID_PRODUCER_ID_MAPPING', 'TRANSACTION_COORDINATOR_FENCED'];

interface KafkaJsError extends Error {
  type?: string;
  code?: string | number;
  cause?: unknown;
  /** Of a request about several topics: each fails by itself. */
  errors?: readonly unknown[];
}

/** What an error of kafkajs means. Whatever is not known to be worse counts as a cluster that does not answer now. */
export function kafkaFault(error: unknown, where: string): BanyanError {
  if (BanyanError.is(error)) return error;
  const cause = rootOf(error as KafkaJsError);
  const { type = '', name, message } = cause;
  const facts = { found: `${where}: ${type || name}: ${message}`, cause: error };
  if (ACCESS.test(type) || ACCESS.test(name))
    return clusterFault('BNY-LOG-ACCESS', {
      ...facts,
      needed: 'an account that it takes, with the rights of docs/kafka.md',
    });
  // Codes newer than kafkajs come as unknown ones; 90 is PRODUCER_FENCED.
  if (FENCED.includes(type) || cause.code === 90) return logFault('BNY-LOG-FENCED', facts);
  if (type === 'OFFSET_OUT_OF_RANGE') return logFault('BNY-LOG-ANOTHER', facts);
  if (type === 'MESSAGE_TOO_LARGE' || type === 'RECORD_LIST_TOO_LARGE') return logFault('BNY-LOG-TOO-LARGE', facts);
  return clusterFault('BNY-LOG-UNREACHABLE', { ...facts, needed: 'a cluster that answers' });
}

export function typeOf(error: unknown): string {
  return rootOf(error as KafkaJsError).type ?? '';
}

function rootOf(error: KafkaJsError): KafkaJsError {
  const cause = error.cause ?? error.errors?.[0];
  return cause instanceof Error && !error.type ? rootOf(cause) : error;
}
