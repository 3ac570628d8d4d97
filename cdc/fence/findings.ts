import type { Connection } from 'mysql2/promise';
import type { Ownership } from '../../log/control/ownership.ts';
import { quoteText } from '../schema/install.ts';
import type { Finding } from '../types.ts';
import { type Inspection, inspect } from './inspect.ts';
import { refusals } from './refusals.ts';
import { ownershipTable, type StoredOwnership } from './row.ts';
import type { Fence } from './triggers.ts';

/**
 * Whatever keeps a domain's fence from holding, empty when it holds: what stands against what is wanted, the row, and
 * what triggers cannot protect from. `ownership`, where it is known: who owns the domain as the log says.
 */
export async function fenceFindings(connection: Connection, fence: Fence, ownership?: Ownership): Promise<Finding[]> {
  const seen = await inspect(connection, fence);
  return [
    ...(await refusals(connection, fence, seen)),
    ...differing(fence, seen),
    ...rowFindings(fence, seen.row, ownership),
  ];
}

function differing(fence: Fence, { differences }: Inspection): Finding[] {
  return differences.map(({ table, found }) => ({
    check: 'fence',
    level: 'error',
    table,
    found,
    needed: 'the triggers of the fence, as they are made',
    cure: installCure(fence),
  }));
}

function installCure({ domain }: Fence): string {
  return `banyan fence install ${domain} --yes`;
}

export function rowFindings(fence: Fence, row: StoredOwnership | undefined, ownership?: Ownership): Finding[] {
  const found = row && `${row.owner}, epoch ${row.epoch}`;
  const needed = ownership ? `${ownership.owner}, epoch ${ownership.epoch}, as the log says` : 'a row';
  const table = ownershipTable(fence.banyanSchema);
  const domain = quoteText(fence.domain);
  const finding = (what: string, cure: string): Finding[] => [
    { check: 'owner', level: 'error', found: `${table}: ${what}`, needed, cure },
  ];
  if (!row) {
    // A row made anew says that the monolith owns the domain: only where it never was another's.
    const first = !ownership || ownership.epoch === 0;
    const values = `${domain}, ${quoteText(ownership?.owner ?? '')}, ${ownership?.epoch}`;
    const insert = `INSERT INTO ${table} (domain, owner, epoch) VALUES (${values});`;
    return finding(`no row of ${fence.domain}: nobody may write`, first ? installCure(fence) : insert);
  }
  if (!ownership || isPlausible(row, ownership)) return [];
  const { owner, epoch } = ownership;
  const cure = `Nobody but Banyan writes this row: UPDATE ${table} SET owner = ${quoteText(owner)}, epoch = ${epoch} WHERE domain = ${domain};`;
  return finding(`${found}`, cure);
}

/** While the owner changes, the row is one epoch ahead until the log has its marker. */
function isPlausible({ owner, epoch }: StoredOwnership, now: Ownership): boolean {
  const changing = now.moving !== undefined || now.outcome === 'burnt' || now.outcome === 'closed';
  return (owner === now.owner && epoch === now.epoch) || (changing && epoch === now.epoch + 1);
}
