import { describe, expect, it } from '@jest/globals';
import type { LatestRecord } from '../../../log/index.ts';
import { type Beat, Members } from './members.ts';

const PLACES = [0, 1, 2, 3].map((partition) => ({ topic: 'jobs', partition }));

/** What `banyan.latest` holds. */
class Latest {
  readonly #records = new Map<string, LatestRecord>();

  beat(instance: string, slot: string, number: number, more: Partial<Beat> = {}): this {
    const data: Beat = { processor: 'worker', instance, number, holds: [], state: 'live', error: null, ...more };
    this.#records.set(slot, { type: 'ProcessorBeat', key: slot, time: '', data });
    return this;
  }

  seenBy(members: Members): void {
    members.see(this.#records.values());
  }
}

const ZERO = 'processor:worker:0';
const ONE = 'processor:worker:1';
const share = (members: Members) => members.share(PLACES).map(({ partition }) => partition);

describe('the members of a processor', () => {
  it('share the partitions without a rest and without an overlap', () => {
    const latest = new Latest().beat('a', ZERO, 1).beat('b', ONE, 1).beat('c', 'processor:worker:2', 1);
    const shares = ['a', 'b', 'c'].map((name) => {
      const members = new Members('worker', name);
      latest.seenBy(members);
      return share(members);
    });
    expect(shares).toEqual([[0, 3], [1], [2]]);
  });

  it('take one for dead that is silent while four of their own beats come back, and for alive when it speaks again', () => {
    const members = new Members('worker', 'a');
    const latest = new Latest().beat('b', ONE, 7, { holds: ['jobs/0'] });
    for (let number = 1; number <= 3; number++) latest.beat('a', ZERO, number).seenBy(members);
    expect([share(members), members.isHeld(PLACES[0] as never)]).toEqual([[0, 2], true]);
    latest.seenBy(members);
    expect(share(members)).toEqual([0, 2]);
    latest.beat('a', ZERO, 4).seenBy(members);
    expect([share(members), members.isHeld(PLACES[0] as never)]).toEqual([[0, 1, 2, 3], false]);
    latest.beat('b', ONE, 8).seenBy(members);
    expect(share(members)).toEqual([0, 2]);
  });

  it('do not wait for one that has signed off', () => {
    const members = new Members('worker', 'a');
    new Latest().beat('b', ZERO, 7, { holds: ['jobs/0'], state: 'stopped' }).seenBy(members);
    expect([share(members), members.isHeld(PLACES[0] as never), members.slot()]).toEqual([[0, 1, 2, 3], false, ZERO]);
  });

  it('know nobody of another processor', () => {
    const members = new Members('worker', 'a');
    new Latest().beat('b', 'processor:other:0', 1, { processor: 'other' }).seenBy(members);
    expect(share(members)).toEqual([0, 1, 2, 3]);
  });

  it('of two that begin in one place at once know only the one that is left there, at its second beat', () => {
    const [a, b] = [new Members('worker', 'a'), new Members('worker', 'b')];
    const latest = new Latest().beat('a', ZERO, 1);
    latest.seenBy(a);
    latest.beat('b', ZERO, 1);
    for (const each of [a, b]) latest.seenBy(each);
    expect([a.isKnown, b.isKnown, a.slot(), b.slot()]).toEqual([false, false, ONE, ZERO]);
    latest.beat('a', ONE, 2).beat('b', ZERO, 2);
    for (const each of [a, b]) latest.seenBy(each);
    expect([a.isKnown, b.isKnown]).toEqual([false, true]);
    expect(share(b)).toEqual([1, 3]);
  });
});
