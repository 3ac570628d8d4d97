import type { CapturedTable } from '../types.ts';
import { rowColumns } from '../values/supported.ts';
import type { CapturedDomain } from './capture.ts';
import type { EmitterState } from './state.ts';

export interface Reconfigured {
  state: EmitterState;
  /** Domains that now want tables or columns whose changes so far were not captured. */
  missed: { domain: string; what: string }[];
}

/** The columns of a table's rows, each with the type that it is declared to have. */
function carried(table: CapturedTable): string[] {
  return rowColumns(table).map((name) => (table.types?.[name] ? `${name} (${table.types[name]})` : name));
}

/** Holds the configuration against what the checkpoint says was captured. Pure. */
export function reconfigured(state: EmitterState, configured: readonly CapturedDomain[]): Reconfigured {
  const missed: Reconfigured['missed'] = [];
  const domains: EmitterState['domains'] = {};
  for (const [name, known] of Object.entries(state.domains)) domains[name] = { ...known, captured: {} };
  for (const { name, tables } of configured) {
    const captured = Object.fromEntries(Object.entries(tables).map(([table, columns]) => [table, carried(columns)]));
    const known = state.domains[name] ?? { owner: 'monolith' as const, epoch: 0, captured: undefined };
    const before = known.captured;
    const added = Object.entries(captured).flatMap(([table, columns]) =>
      columns.filter((column) => !before?.[table]?.includes(column)).map((column) => `${table}.${column}`),
    );
    if (before !== undefined && added.length > 0) missed.push({ domain: name, what: added.join(', ') });
    domains[name] = { ...known, captured };
  }
  return { state: { ...state, domains }, missed };
}
