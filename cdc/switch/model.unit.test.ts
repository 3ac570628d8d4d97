import { describe, expect, it } from '@jest/globals';
import { events, firstWorld, isSettled, type Mutation, type Size, type World } from './model.ts';

interface Found {
  states: number;
  /** How it comes to what must not be, or to where nothing goes on. */
  broken: string[] | undefined;
  stuck: string[] | undefined;
}

/** Breadth first, so that what is found is shown by the fewest events. */
function search(size: Size, mutation?: Mutation): Found {
  const first = firstWorld(size);
  const worlds: World[] = [first];
  const numbers = new Map([[JSON.stringify(first), 0]]);
  const cameFrom: { number: number; by: string }[] = [{ number: -1, by: '' }];
  const leadTo: number[][] = [[]];
  const story = (number: number): string[] => {
    const { number: before, by } = cameFrom[number] as { number: number; by: string };
    return before < 0 ? [] : [...story(before), by];
  };
  for (let at = 0; at < worlds.length; at++) {
    for (const [by, world] of events(worlds[at] as World, mutation)) {
      if (world.broken) return { states: worlds.length, broken: [...story(at), by, world.broken], stuck: undefined };
      const key = JSON.stringify(world);
      let number = numbers.get(key);
      if (number === undefined) {
        number = worlds.push(world) - 1;
        numbers.set(key, number);
        cameFrom.push({ number: at, by });
        leadTo.push([]);
      }
      leadTo[number]?.push(at);
    }
  }
  const settles = new Set([...worlds.keys()].filter((number) => isSettled(worlds[number] as World)));
  for (const number of settles) for (const before of leadTo[number] as number[]) settles.add(before);
  const stuck = [...worlds.keys()].find((number) => !settles.has(number));
  return { states: worlds.length, broken: undefined, stuck: stuck === undefined ? undefined : story(stuck) };
}

describe('the change of owner, searched exhaustively', () => {
  it.each([
    { requests: 1, crashes: 2, writes: 2 },
    { requests: 2, crashes: 1, writes: 2 },
  ])(
    'has one owner, loses nothing, and ends: %j',
    (size) => {
      expect(search(size)).toMatchObject({ broken: undefined, stuck: undefined });
    },
    300_000,
  );

  it.each<[Mutation]>([
    ['no drain'],
    ['no fence'],
    ['waits for nobody at the row'],
    ['no epoch in the fence'],
    ['outcome not read back'],
    ['outcome not looked at'],
    ['older coordinator not waited for'],
    ['given back early'],
  ])(
    'is found out when it is broken: %s',
    (mutation) => {
      const { broken, stuck } = search({ requests: 2, crashes: 1, writes: 1 }, mutation);
      expect(broken ?? stuck).toBeDefined();
    },
    300_000,
  );
});
