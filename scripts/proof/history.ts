import { openLog, topicsOf } from '../../cli/config/adapters.ts';
import type { Config } from '../../cli/config/schema.ts';
import { fromStart, type LoggedEvent } from '../../log/index.ts';
import { aggregate, fact, type Ledger } from '../traffic/ledger.ts';

/** What the log says of every write that the traffic was promised. */
export interface LogVerdict {
  /** Acknowledged facts that the log does not hold. */
  lost: string[];
  /** Acknowledged facts of one aggregate that stand in another order than they were acknowledged in. */
  outOfOrder: string[];
  /** Event ids that stand in a topic twice. */
  doubled: string[];
  events: number;
}

/** Reads the whole log once and holds it against the ledger. */
export async function checkLog(config: Config, ledger: Ledger): Promise<LogVerdict> {
  const log = await openLog(config);
  const domains = config.domains.map(({ name }) => name);
  const seen = new Set<string>();
  const doubled: string[] = [];
  /** Aggregate → fact → where it stands, each time. */
  const places = new Map<string, Map<string, number[]>>();
  let events = 0;
  for await (const batch of log.read(fromStart(domains, topicsOf(config)), { follow: false, limit: 5000 })) {
    for (const event of batch) {
      events++;
      if (seen.has(event.id)) doubled.push(`${event.topic} ${event.id}`);
      seen.add(event.id);
      for (const { of, says } of factsOf(event)) note(places, of, says, event.sequence);
    }
  }
  await log.close();
  return { ...judge(ledger, places), doubled, events };
}

function note(places: Map<string, Map<string, number[]>>, of: string, says: string, sequence: number): void {
  const facts = places.get(of) ?? new Map<string, number[]>();
  places.set(of, facts);
  const sequences = facts.get(says);
  if (sequences) sequences.push(sequence);
  else facts.set(says, [sequence]);
}

function judge(ledger: Ledger, places: Map<string, Map<string, number[]>>): Pick<LogVerdict, 'lost' | 'outOfOrder'> {
  const lost: string[] = [];
  const outOfOrder: string[] = [];
  for (const [of, facts] of ledger.acknowledged) {
    let after = -1;
    for (const says of facts) {
      const sequences = places.get(of)?.get(says);
      const next = sequences?.find((sequence) => sequence >= after);
      if (!sequences) lost.push(`${of} ${says}`);
      else if (next === undefined) outOfOrder.push(`${of} ${says}`);
      after = next ?? after;
    }
  }
  return { lost, outOfOrder };
}

/** The facts that an event states, in the ledger's words. */
function factsOf({ topic, type, data: text }: LoggedEvent): { of: string; says: string }[] {
  const data = JSON.parse(text) as Record<string, unknown>;
  switch (topic) {
    case 'posts': {
      if (!('title' in data)) return [];
      const of = aggregate.post(data['id']);
      return [
        { of, says: fact.title(data['title']) },
        { of, says: fact.status(data['status']) },
      ];
    }
    case 'claps': {
      const count = type === 'ClapsTakenBack' ? 0 : data['count'];
      return [{ of: aggregate.claps(data['memberId'], data['postId']), says: fact.claps(count) }];
    }
    case 'profiles':
      return [{ of: aggregate.member(data['id']), says: fact.bio(data['bio']) }];
    default:
      return 'status' in data ? [{ of: aggregate.submission(data['id']), says: fact.status(data['status']) }] : [];
  }
}
