import { BanyanError } from '../../../../log/index.ts';
import { serviceFault } from '../../errors.ts';

type Code = Parameters<typeof serviceFault>[0];

/** What the server's error numbers mean for a store. */
const MEANINGS: readonly (readonly [Code, readonly number[]])[] = [
  ['BNY-SERVICE-STORE-ACCESS', [1044, 1045, 1142, 1227, 1698]],
  // Too long, out of range, no such character, larger than a packet or than a row.
  ['BNY-SERVICE-STORE-VALUE', [1118, 1153, 1264, 1366, 1406]],
  // Disk or table full, out of memory, locked, deadlock, interrupted, read-only, too many connections, backup lock.
  ['BNY-SERVICE-STORE-BLOCKED', [3, 28, 1021, 1037, 1040, 1041, 1114, 1203, 1205, 1213, 1290, 1317, 1836, 1969, 3024]],
  // Table or database gone, not readable, index corrupted.
  ['BNY-SERVICE-STORE-DAMAGED', [1030, 1034, 1049, 1054, 1146, 1194, 1195, 1712, 1877, 1932]],
  // Shutting down, connection killed, given up as idle.
  ['BNY-SERVICE-STORE-UNREACHABLE', [1053, 1077, 1079, 1152, 1159, 1160, 1161, 1158, 1184, 1927, 4031]],
];

/** What the server's complaint, or its silence, means for a store; any other error as it is. */
export function asStoreFault(error: unknown): unknown {
  if (BanyanError.is(error)) return error;
  const { errno = 0, code, message, fatal, name } = error as Partial<Record<string, unknown>> & { errno?: number };
  const [known] = MEANINGS.find(([, numbers]) => numbers.includes(errno)) ?? [];
  const gone = fatal === true || name === 'KnexTimeoutError' || /^(E[A-Z]+|PROTOCOL_[A-Z_]+)$/.test(String(code));
  const meaning = known ?? (gone ? 'BNY-SERVICE-STORE-UNREACHABLE' : undefined);
  // Node's error for a name with several addresses has a code and no message.
  return meaning ? serviceFault(meaning, { found: `${String(message || code)}`, cause: error }) : error;
}
