import type { ControlRecord } from './records.ts';

export type Owner = 'monolith' | 'service';

/**
 * Who accepts a domain's writes, as the log says. Each change of owner adds 1 to the epoch. A service that is granted an
 * epoch owns it once it has taken it up (`held`); a grant that is withdrawn before that is burnt; an epoch that ends is closed.
 */
export interface Ownership {
  owner: Owner;
  epoch: number;
  /** What became of the epoch, if it is a service's; `granted again`: the one before was a service's too. */
  outcome: 'granted' | 'granted again' | 'held' | 'burnt' | 'closed' | undefined;
  moving: Moving | undefined;
}

/** A change of owner that is under way. */
export interface Moving {
  id: string;
  to: Owner;
  /** Routers hold the domain's writes. */
  holding: boolean;
}

export const FIRST_OWNERSHIP: Ownership = { owner: 'monolith', epoch: 0, outcome: undefined, moving: undefined };

const TYPES = [
  'WritesRequested',
  'SwitchBegun',
  'SwitchEnded',
  'OwnershipChanged',
  'EpochHeld',
  'EpochBurnt',
  'EpochClosed',
] as const;

export type OwnershipRecord = Extract<ControlRecord, { type: (typeof TYPES)[number] }>;

export function isOfOwnership(record: ControlRecord): record is OwnershipRecord {
  return TYPES.includes(record.type as (typeof TYPES)[number]);
}

/** Pure; a record that is void leaves everything as it was. */
export function applyOwnership(before: Ownership, { type, data }: OwnershipRecord): Ownership {
  const { owner, epoch, outcome, moving } = before;
  switch (type) {
    case 'WritesRequested':
      if (moving || data.epoch !== epoch || data.to === owner) return before;
      return { ...before, moving: { id: data.id, to: data.to, holding: false } };
    case 'SwitchBegun':
      return moving?.id === data.id ? { ...before, moving: { ...moving, holding: true } } : before;
    case 'SwitchEnded':
      return moving?.id === data.id ? { ...before, moving: undefined } : before;
    case 'OwnershipChanged':
      if (data.epoch !== epoch + 1) return before;
      if (data.owner === 'monolith')
        return { owner: 'monolith', epoch: data.epoch, outcome: undefined, moving: undefined };
      return {
        owner: 'service',
        epoch: data.epoch,
        outcome: owner === 'service' ? 'granted again' : 'granted',
        moving,
      };
    case 'EpochHeld':
      return data.epoch === epoch && outcome?.startsWith('granted')
        ? { ...before, outcome: 'held', moving: undefined }
        : before;
    case 'EpochBurnt':
      return data.epoch === epoch && outcome === 'granted' ? { ...before, outcome: 'burnt' } : before;
    case 'EpochClosed':
      return data.epoch === epoch && outcome === 'held' ? { ...before, outcome: 'closed' } : before;
  }
}
