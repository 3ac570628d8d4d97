import { applyOwnership, FIRST_OWNERSHIP, type Ownership, type OwnershipRecord } from '../../log/control/ownership.ts';
import { nextStep, type OwnershipRow, type Step } from './step.ts';

/**
 * The change of a domain's owner as an explicit-state model: everything that can happen, in every order, to two routers,
 * two writes of the monolith, a command of the service and its handback, with a process that crashes and statements that
 * take effect when nobody waits for them any more. What the coordinator does is decided by the function it really uses.
 */
export interface World {
  row: OwnershipRow;
  /** What has committed and does not stand in the log yet: writes of the monolith, a command handed back, a new owner. */
  stream: ('write' | 'handback' | OwnershipRow)[];
  /** Whose the domain is where the stream has been read to. */
  emitted: OwnershipRow['owner'];
  /** As the log says. */
  ownership: Ownership;
  /** The domain's writer in the log: a newer generation fences the older. */
  writer: { generation: number; epoch: number; outcome: 'held' | 'burnt' | 'closed' | undefined };
  writes: Write[];
  routers: Router[];
  /** The generation that the service appends under; -1: none. */
  service: number;
  command: 'none' | 'sent' | 'logged' | 'handed back';
  /** A step that the coordinator has decided on and not begun. */
  decided: Decided | undefined;
  /** The same of one that was taken for dead, and goes on. */
  belated: Decided | undefined;
  /** A statement about the row that the database has not carried out yet. */
  statement: OwnershipRow | undefined;
  /** Handback transactions that are under way, by the epoch under which they were sent. */
  handbacks: number[];
  overdue: boolean;
  crashes: number;
  requests: number;
  /** What must never be. */
  broken?: string;
}

interface Decided {
  step: Step;
  epoch: number;
  /** Of the switch. */
  id: string;
}

interface Write {
  state: 'none' | 'sent' | 'open' | 'over';
  /** The router that it came through; -1: past them, or nobody waits for that one. */
  by: number;
}

interface Router {
  /** As far as it has read the log. */
  view: Ownership;
  /** It was paused for so long that nobody waits for it. */
  expired: boolean;
}

/** What the protocol can be made to leave out. */
export type Mutation =
  | 'no drain'
  | 'no fence'
  | 'waits for nobody at the row'
  | 'no epoch in the fence'
  | 'outcome not read back'
  | 'outcome not looked at'
  | 'older coordinator not waited for'
  | 'given back early';

/** How much may happen. */
export interface Size {
  requests: number;
  crashes: number;
  writes: number;
}

export function firstWorld({ requests, crashes, writes }: Size): World {
  return {
    row: { owner: 'monolith', epoch: 0 },
    stream: [],
    emitted: 'monolith',
    ownership: FIRST_OWNERSHIP,
    writer: { generation: 0, epoch: 0, outcome: undefined },
    writes: Array.from({ length: writes }, () => ({ state: 'none', by: -1 })),
    routers: [0, 1].map(() => ({ view: FIRST_OWNERSHIP, expired: false })),
    service: -1,
    command: 'none',
    decided: undefined,
    belated: undefined,
    statement: undefined,
    handbacks: [],
    overdue: false,
    crashes,
    requests,
  };
}

/** Nothing is under way, and one owner takes writes. */
export function isSettled({ ownership, writer, row, statement, stream }: World): boolean {
  const held = ownership.outcome === 'held' && writer.outcome === 'held' && writer.epoch === ownership.epoch;
  const taken = ownership.owner === 'monolith' || held;
  return taken && !ownership.moving && row.epoch === ownership.epoch && !statement && stream.length === 0;
}

/** Every world that one event leads to, with the event's name. */
export function events(before: World, mutation?: Mutation): [name: string, after: World][] {
  const after: [string, World][] = [];
  const may: May = (condition, name, change) => {
    if (!condition) return;
    const world = copyOf(before);
    change(world);
    after.push([name, world]);
  };
  requests(before, may);
  routers(before, may);
  writes(before, may, mutation);
  coordinator(before, may, mutation);
  row(before, may, mutation);
  handbacks(before, may, mutation);
  service(before, may);
  may(before.stream.length > 0, 'the emitter reads on', emit);
  may(before.crashes > 0 && before.decided !== undefined, 'the coordinator crashes', (world) => {
    world.crashes--;
    world.decided = undefined;
  });
  // Whoever takes over has fenced its records in the log, and holds the lock that its statements needed.
  const remains = before.decided?.step === 'burn' || before.decided?.step === 'close';
  may(before.crashes > 0 && remains, 'another coordinator takes over', (world) => {
    world.crashes--;
    world.belated = world.decided;
    world.decided = undefined;
  });
  may(before.crashes > 0 && before.service !== -1, 'the service crashes', (world) => {
    world.crashes--;
    world.service = -1;
  });
  return after;
}

/** What is changed in place is copied; `structuredClone` takes ten times as long. */
function copyOf(world: World): World {
  return {
    ...world,
    stream: [...world.stream],
    writer: { ...world.writer },
    writes: world.writes.map((write) => ({ ...write })),
    routers: world.routers.map((router) => ({ ...router })),
    handbacks: [...world.handbacks],
  };
}

type May = (condition: boolean, name: string, change: (world: World) => void) => void;

function requests({ ownership, requests, overdue }: World, may: May): void {
  const { owner, epoch, outcome, moving } = ownership;
  const taken = owner === 'monolith' || outcome === 'held';
  may(requests > 0 && taken && !moving, 'somebody asks for a switch', (world) => {
    world.requests--;
    world.overdue = false;
    append(world, 'WritesRequested', {
      id: String(requests),
      to: owner === 'monolith' ? 'service' : 'monolith',
      epoch,
    });
  });
  may(moving !== undefined && !overdue, 'the time is over', (world) => {
    world.overdue = true;
  });
}

function routers(before: World, may: May): void {
  for (const [r, { view, expired }] of before.routers.entries()) {
    const router = (world: World) => world.routers[r] as Router;
    const news = expired || JSON.stringify(view) !== JSON.stringify(before.ownership);
    may(news, `router ${r} reads the log`, (world) => {
      world.routers[r] = { view: world.ownership, expired: false };
    });
    // One is enough: they are alike.
    may(r === 0 && !expired && before.crashes > 0, 'router 0 is paused', (world) => {
      world.crashes--;
      router(world).expired = true;
      // Nobody waits for what it has under way.
      for (const write of world.writes) if (write.by === r) write.by = -1;
    });
    if (view.moving?.holding) continue;
    const next = before.writes.findIndex(({ state }) => state === 'none');
    may(view.owner === 'monolith' && next >= 0, `router ${r} forwards write ${next}`, (world) => {
      world.writes[next] = { state: 'sent', by: expired ? -1 : r };
    });
    may(view.outcome === 'held' && before.command === 'none', `router ${r} forwards the command`, (world) => {
      world.command = 'sent';
    });
  }
  const last = before.writes.length - 1;
  may(before.writes[last]?.state === 'none', 'a job writes past the routers', (world) => {
    world.writes[last] = { state: 'sent', by: -1 };
  });
}

function writes(before: World, may: May, mutation?: Mutation): void {
  for (const [i, { state, by }] of before.writes.entries()) {
    const passes = before.row.owner === 'monolith' || mutation === 'no fence';
    may(state === 'sent', `write ${i} reaches the fence`, (world) => {
      if (!passes && by >= 0) world.broken = 'a write is refused that a router forwarded';
      world.writes[i] = { state: passes ? 'open' : 'over', by };
    });
    may(state === 'open', `write ${i} commits`, (world) => {
      world.writes[i] = { state: 'over', by: -1 };
      world.stream.push('write');
    });
  }
}

function coordinator(before: World, may: May, mutation?: Mutation): void {
  const { ownership, row, decided, belated, command, overdue } = before;
  may(belated !== undefined, `the older coordinator does it: ${belated?.step}`, (world) => {
    world.belated = undefined;
    carryOut(world, belated as Decided, mutation);
  });
  if (decided) {
    may(true, `the coordinator does it: ${decided.step}`, (world) => {
      world.decided = undefined;
      carryOut(world, decided, mutation);
    });
    return;
  }
  // Whoever coordinates holds a lock on the connection that its statements go over: none of an older one is under way.
  if (before.statement && mutation !== 'older coordinator not waited for') return;
  const drained = before.routers.every(
    ({ view, expired }, r) =>
      expired || (view.moving?.holding && !before.writes.some(({ by, state }) => by === r && state !== 'over')),
  );
  const behind = command === 'logged' && mutation !== 'given back early';
  const step = nextStep({
    ownership,
    row,
    drained: drained || mutation === 'no drain',
    overdue,
    handback: behind ? 'behind' : 'complete',
  });
  may(step !== undefined, `the coordinator decides: ${step}`, (world) => {
    world.decided = { step: step as Step, epoch: ownership.epoch, id: ownership.moving?.id ?? '' };
  });
}

function carryOut(world: World, { step, epoch, id }: Decided, mutation?: Mutation): void {
  if (step === 'begin') append(world, 'SwitchBegun', { id });
  if (step === 'end') append(world, 'SwitchEnded', { id, reason: '' });
  if (step === 'take' || step === 'grant again') world.statement = { owner: 'service', epoch };
  if (step === 'give back') world.statement = { owner: 'monolith', epoch };
  if (step !== 'burn' && step !== 'close') return;
  if (step === 'burn' && mutation === 'outcome not read back') {
    world.statement = { owner: 'monolith', epoch };
    return;
  }
  const { writer } = world;
  writer.generation++;
  // What the older generation wrote is seen now, and nothing can follow it.
  const applies = step === 'burn' ? writer.epoch < epoch : writer.epoch === epoch && writer.outcome === 'held';
  if (!applies && mutation !== 'outcome not looked at') return;
  world.writer = { ...writer, epoch, outcome: step === 'burn' ? 'burnt' : 'closed' };
  if (step === 'burn') append(world, 'EpochBurnt', { epoch });
  else append(world, 'EpochClosed', { epoch, nextIds: {} });
}

function row(before: World, may: May, mutation?: Mutation): void {
  const { statement } = before;
  may(statement !== undefined, 'the statement about the row is carried out', (world) => {
    const { owner, epoch } = statement as OwnershipRow;
    world.statement = undefined;
    // NOWAIT: a transaction that has passed the fence holds the row until it commits.
    if (world.writes.some(({ state }) => state === 'open') && mutation !== 'waits for nobody at the row') return;
    if (world.row.epoch !== epoch) return;
    if (owner === 'monolith' && world.command === 'logged')
      world.broken = 'the monolith gets its tables back without all that the service wrote';
    world.row = { owner, epoch: epoch + 1 };
    world.stream.push(world.row);
  });
}

function handbacks(before: World, may: May, mutation?: Mutation): void {
  const { ownership, command } = before;
  const due = ownership.owner === 'service' && command === 'logged';
  // A second one: of an emitter that has taken over, while the first is still under way.
  may(due && before.handbacks.length < 2, 'a handback is sent', (world) => void world.handbacks.push(ownership.epoch));
  for (const [i, epoch] of before.handbacks.entries()) {
    may(true, 'a handback reaches the fence', (world) => {
      world.handbacks.splice(i, 1);
      const { owner, epoch: current } = world.row;
      if (owner !== 'service' || (current !== epoch && mutation !== 'no epoch in the fence')) return;
      if (current !== epoch) world.broken = 'a handback of an older epoch overwrites newer rows';
      world.command = 'handed back';
      world.stream.push('handback');
    });
  }
}

function service({ ownership, writer, service, command }: World, may: May): void {
  const { outcome, epoch } = ownership;
  may(outcome?.startsWith('granted') === true && writer.epoch < epoch, 'the service takes up the epoch', (world) => {
    world.service = writer.generation + 1;
    world.writer = { generation: world.service, epoch, outcome: 'held' };
    append(world, 'EpochHeld', { epoch });
  });
  // Started again, or fenced by somebody who found nothing to do.
  may(service !== writer.generation && writer.outcome === 'held', 'the service goes on', (world) => {
    world.writer.generation++;
    world.service = world.writer.generation;
  });
  const accepts = command === 'sent' && service === writer.generation && writer.outcome === 'held';
  may(accepts, 'the service answers the command', (world) => {
    if (world.ownership.outcome !== 'held') world.broken = 'a command is accepted by a service that does not own';
    if (world.row.owner !== 'service') world.broken = 'a command is accepted while the monolith owns';
    world.command = 'logged';
  });
}

function emit(world: World): void {
  const entry = world.stream.shift() as World['stream'][number];
  if (typeof entry === 'object') {
    world.emitted = entry.owner;
    append(world, 'OwnershipChanged', { ...entry, id: '', nextIds: {} });
  } else if (entry === 'handback' && world.emitted === 'monolith') {
    world.broken = 'a handback becomes an event';
  } else if (entry === 'write' && world.emitted === 'service') {
    world.broken = 'a committed write of the monolith becomes no event';
  }
}

type DataOf<T extends OwnershipRecord['type']> = Omit<Extract<OwnershipRecord, { type: T }>['data'], 'domain'>;

function append<T extends OwnershipRecord['type']>(world: World, type: T, data: DataOf<T>): void {
  const record = { type, data: { domain: 'orders', ...data }, actor: 'model', time: '' } as unknown as OwnershipRecord;
  world.ownership = applyOwnership(world.ownership, record);
}
