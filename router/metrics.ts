import { Counter, Gauge, type Metric, Registry } from 'prom-client';
import type { BreakerState } from './breaker.ts';

/** All metrics of a router. Labels are sets fixed by configuration and code: no client can add one. */
export class Metrics {
  readonly registry = new Registry();
  readonly requests = new Tally(this.registry, {
    name: 'banyan_router_requests_total',
    help: 'Requests by who answered, why, and with what class of status.',
    labels: ['domain', 'side', 'reason', 'status'],
  });
  readonly fallbacks = new Tally(this.registry, {
    name: 'banyan_router_fallbacks_total',
    help: 'Reads that a service did not answer and the monolith did.',
    labels: ['domain', 'reason'],
  });
  readonly notCanonical = new Tally(this.registry, {
    name: 'banyan_router_not_canonical_total',
    help: 'Requests whose path can be read in more than one way.',
    labels: ['reason'],
  });
  readonly positionsMissed = new Tally(this.registry, {
    name: 'banyan_router_positions_missed_total',
    help: 'Writes after which the position could not be had in time, or at all.',
    labels: ['reason'],
  });
  readonly identitiesMissed = new Tally(this.registry, {
    name: 'banyan_router_identities_missed_total',
    help: 'Reads that the monolith answered because it could not be found out who asked.',
    labels: ['domain'],
  });
  readonly durations = new Durations(this.registry);
  readonly #breakers = new Gauge({
    name: 'banyan_router_breaker_open',
    help: '0: closed; 0.5: a probe is under way; 1: open.',
    labelNames: ['domain'],
    registers: [this.registry],
  });

  breaker(domain: string, state: BreakerState): void {
    this.#breakers.set({ domain }, { closed: 0, probing: 0.5, open: 1 }[state]);
  }
}

// prom-client builds, checks and hashes the labels at each call, 1.5 µs a time. What every request adds to is counted
// here, and handed over when the metrics are read.

class Tally {
  readonly #counts = new Map<string, { values: readonly string[]; count: number }>();

  constructor(registry: Registry, { name, help, labels }: { name: string; help: string; labels: readonly string[] }) {
    const counts = this.#counts;
    new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect() {
        this.reset();
        for (const { values, count } of counts.values()) this.labels(...values).inc(count);
      },
    });
  }

  /** In the order of the labels. */
  add(...values: readonly string[]): void {
    const key = values.join(' ');
    const entry = this.#counts.get(key);
    if (entry) entry.count++;
    else this.#counts.set(key, { values, count: 1 });
  }
}

const BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** A histogram by side. It stands in the registry itself: prom-client's own cannot be given counts. */
class Durations {
  readonly name = 'banyan_router_request_duration_seconds';
  readonly help = 'From the head of a request to the end of its answer, by who answered.';
  readonly type = 'histogram';
  readonly aggregator = 'sum';
  readonly #sides = new Map<string, { buckets: number[]; sum: number }>();

  constructor(registry: Registry) {
    registry.registerMetric(this as unknown as Metric);
  }

  add(side: string, seconds: number): void {
    const entry = this.#sides.get(side) ?? { buckets: Array.from({ length: BOUNDS.length + 1 }, () => 0), sum: 0 };
    this.#sides.set(side, entry);
    let at = 0;
    while (at < BOUNDS.length && seconds > (BOUNDS[at] as number)) at++;
    entry.buckets[at] = (entry.buckets[at] as number) + 1;
    entry.sum += seconds;
  }

  get() {
    const { name, help, type, aggregator } = this;
    const values = [...this.#sides].flatMap(([side, { buckets, sum }]) => {
      let count = 0;
      const cumulated = buckets.map((inBucket, at) => {
        count += inBucket;
        return { metricName: `${name}_bucket`, labels: { side, le: BOUNDS[at] ?? '+Inf' }, value: count };
      });
      return [
        ...cumulated,
        { metricName: `${name}_sum`, labels: { side }, value: sum },
        { metricName: `${name}_count`, labels: { side }, value: count },
      ];
    });
    return { name, help, type, aggregator, values };
  }
}
