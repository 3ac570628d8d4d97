import type { Workshop } from './workshop.ts';

/** One figure and what it is held against. */
export interface Row {
  name: string;
  value: number;
  unit: string;
  /** In the same unit; measured in the same run, where it is not a limit. */
  reference: { name: string; value: number };
  /** The value divided by the reference's. */
  ratio: number;
  /** What the ratio is to reach, or must not pass where less is better; null: told for comparison only. */
  bar: number | null;
  better: 'more' | 'less';
  pass: boolean | null;
}

export interface Setting {
  /** Small sizes: shows that everything works, its figures mean little. */
  quick: boolean;
  /** Also what takes very long. */
  full: boolean;
  workshop: Workshop;
  /** A line of progress. */
  say(line: string): void;
}

export interface Result {
  rows: Row[];
  /** What a reader must know to make use of the figures: sizes, runs, what is missing. */
  notes: string[];
}

export type Benchmark = (setting: Setting) => Promise<Result>;

type Figure = Pick<Row, 'name' | 'value' | 'unit' | 'reference'>;

/** A figure whose ratio is to be `bar` or more. */
export function atLeast(bar: number | null, figure: Figure): Row {
  const ratio = figure.value / figure.reference.value;
  return { ...figure, ratio, bar, better: 'more', pass: bar === null ? null : ratio >= bar };
}

/** A figure whose ratio is to be `bar` or less. */
export function atMost(bar: number | null, figure: Figure): Row {
  const ratio = figure.value / figure.reference.value;
  return { ...figure, ratio, bar, better: 'less', pass: bar === null ? null : ratio <= bar };
}
