import { createHash } from 'node:crypto';
import { accountName, quoteText } from '../schema/install.ts';
import type { CapturedTables } from '../types.ts';
import { quoteName } from '../values/select.ts';
import { ownershipTable } from './row.ts';

/** Which tables are fenced, and for whom. */
export interface Fence {
  domain: string;
  tables: CapturedTables;
  /** The monolith's schema. */
  schema: string;
  banyanSchema: string;
  /** Banyan's own account: the triggers run as it. It is there as long as Banyan is, which a person's account is not. */
  user: string;
  /** The user name of the one account that may write while a service owns the domain. */
  handback: string;
}

const EVENTS = ['INSERT', 'UPDATE', 'DELETE'] as const;

export interface Trigger {
  name: string;
  table: string;
  event: (typeof EVENTS)[number];
  body: string;
}

/** `stored`: the columns that the table has by now, without the generated ones. */
export function triggersOf(fence: Fence, table: string, stored: readonly string[]): Trigger[] {
  const { derived = [] } = fence.tables[table] ?? {};
  const kept = stored.filter((column) => !derived.includes(column));
  return EVENTS.map((event) => {
    const sometimes = event === 'UPDATE' && derived.length > 0;
    return { name: nameOf(event, table), table, event, body: bodyOf(fence, sometimes ? kept : undefined) };
  });
}

/** To be run under `SESSION`. */
export function createSql({ schema, user }: Fence, { name, table, event, body }: Trigger): string {
  return `CREATE OR REPLACE DEFINER = ${accountName(user)} TRIGGER ${quoteName(schema)}.${quoteName(name)}
BEFORE ${event} ON ${quoteName(schema)}.${quoteName(table)} FOR EACH ROW
${body}`;
}

const PREFIX = 'banyan_fence_';
/** Of an identifier; also of the text of a SIGNAL, whose limit is 128. */
const NAME_LENGTH = 64;
const MESSAGE_LENGTH = 128;
const HASH_LENGTH = 8;

function nameOf(event: Trigger['event'], table: string): string {
  const prefix = `${PREFIX}${event.toLowerCase()}_`;
  const room = NAME_LENGTH - prefix.length;
  const letters = [...table];
  if (letters.length <= room) return prefix + table;
  const hash = createHash('sha256').update(table).digest('hex').slice(0, HASH_LENGTH);
  return `${prefix}${letters.slice(0, room - HASH_LENGTH - 1).join('')}_${hash}`;
}

/** Whether a trigger is one of this domain's fence, wherever it stands by now. */
export function isOf({ domain }: Pick<Fence, 'domain'>, { name, body }: Pick<Trigger, 'name' | 'body'>): boolean {
  return isFence({ name }) && body.includes(`domain = ${quoteText(domain)}`);
}

/** Whether a trigger is one of any fence. */
export function isFence({ name }: Pick<Trigger, 'name'>): boolean {
  return name.startsWith(PREFIX);
}

/**
 * The shared lock is held until the transaction ends. So who changes the row waits for every write that was let by, and
 * a read that is not locked (an old snapshot) decides nothing. USER() is who has signed in: what a session may set can
 * leak to others through a pooler. `unless`: when none of these columns changes, the row is not looked at.
 */
function bodyOf({ domain, banyanSchema, handback }: Fence, unless?: readonly string[]): string {
  const [name, table] = [quoteText(domain), ownershipTable(banyanSchema)];
  const look = `SELECT fence.owner, fence.epoch INTO banyan_owner, banyan_epoch
    FROM ${table} AS fence WHERE fence.domain = ${name} LOCK IN SHARE MODE;
  IF NOT COALESCE(
    IF(banyan_handback, banyan_owner = 'service' AND @banyan_epoch = banyan_epoch, banyan_owner = 'monolith'), FALSE)
  THEN
    SET banyan_message = LEFT(CONCAT('banyan: ', ${name}, COALESCE(
      CONCAT(' is owned by ', IF(banyan_owner = 'service', 'its service', 'the monolith'), ' (epoch ', banyan_epoch, ')',
        IF(banyan_handback, CONCAT('; handback has epoch ', COALESCE(@banyan_epoch, 'none')), '')),
      ${quoteText(` has no owner: no row in ${banyanSchema}.ownership`)})), ${MESSAGE_LENGTH});
    SIGNAL SQLSTATE '45000' SET MYSQL_ERRNO = 1644, MESSAGE_TEXT = banyan_message;
  END IF;`;
  return `BEGIN
  DECLARE banyan_owner VARCHAR(8) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;
  DECLARE banyan_epoch INT UNSIGNED;
  DECLARE banyan_message VARCHAR(${MESSAGE_LENGTH}) CHARACTER SET utf8mb4;
  DECLARE banyan_handback BOOLEAN DEFAULT
    BINARY USER() = BINARY CONCAT(${quoteText(`${handback}@`)}, SUBSTRING_INDEX(USER(), '@', -1));
  ${unless ? `IF NOT (${unless.map(unchanged).join('\n    AND ')})\n  THEN\n  ${look}\n  END IF;` : look}
END`;
}

/** A collation takes 'a' and 'A' for equal, or 'a' and 'a '; as text a FLOAT has six digits. */
function unchanged(column: string): string {
  const name = quoteName(column);
  return `NEW.${name} <=> OLD.${name} AND BINARY NEW.${name} <=> BINARY OLD.${name}`;
}
