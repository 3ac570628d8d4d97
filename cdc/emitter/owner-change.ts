import { controlEvent, keyIn, type NewEvent, OWNER_TYPE, type Owner } from '../../log/index.ts';
import type { Change, Transaction } from '../types.ts';
import { type CapturedDomain, changeId } from './capture.ts';
import { type Parking, RESUME } from './parking.ts';
import { EMITTER, type EmitterState } from './state.ts';

/** Who owns the domains behind a change of the ownership row, and the events that tell of it. */
export interface OwnerChange {
  domains: EmitterState['domains'];
  events: NewEvent[];
}

/**
 * What a change of a domain's ownership row means: it stands in the stream behind every change that was made under the
 * old owner. Each partition of the domain's topic gets a marker, so that a reader of any one knows where the epoch begins.
 * A row that somebody has edited by hand sets the domain aside.
 */
export function ownerChange(
  change: Change,
  nth: number,
  { gtid, part, position, committedAt }: Transaction,
  domains: EmitterState['domains'],
  configured: ReadonlyMap<string, CapturedDomain>,
): OwnerChange | Parking {
  const row = rowOf(change);
  const known = domains[row.domain];
  const captured = configured.get(row.domain);
  if (!known || !captured || isSame(row, known)) return { domains, events: [] };
  const { domain, owner, epoch } = row;
  if (epoch !== known.epoch + 1) {
    const cause = `the ownership row says ${owner} under epoch ${epoch}; known is ${known.owner} under epoch ${known.epoch}`;
    return { domain, cause, cure: `Put the row back. ${RESUME(domain)}`, reseed: false };
  }
  const { partitions = 1 } = captured;
  const data = { owner, epoch, nextIds: row.nextIds };
  const markers = Array.from(
    { length: partitions },
    (_, partition): NewEvent => ({
      topic: domain,
      key: keyIn(partition, partitions),
      id: changeId(gtid, part, change.table, change.key, nth, partition),
      type: OWNER_TYPE,
      version: 1,
      time: committedAt,
      data: JSON.stringify(data),
      origin: EMITTER,
      epoch,
      position,
    }),
  );
  const told = controlEvent('OwnershipChanged', { domain, id: row.switchId, ...data }, EMITTER);
  return { domains: { ...domains, [domain]: { ...known, owner, epoch } }, events: [...markers, told] };
}

interface Row {
  domain: string;
  owner: Owner;
  epoch: number;
  switchId: string;
  nextIds: Record<string, string>;
}

/** Of a row that was removed: nobody owns, and the fence lets nobody by. */
function rowOf({ key, after = {} }: Change): Row {
  return {
    domain: String(key[0]),
    owner: after['owner'] === 'service' ? 'service' : 'monolith',
    epoch: Number(after['epoch'] ?? -1),
    switchId: String(after['switch_id'] ?? ''),
    nextIds: JSON.parse(String(after['next_ids'] ?? '{}')) as Record<string, string>,
  };
}

/** When the row was made, or only its other columns changed. */
function isSame(row: Row, known: EmitterState['domains'][string]): boolean {
  return row.owner === known.owner && row.epoch === known.epoch;
}
