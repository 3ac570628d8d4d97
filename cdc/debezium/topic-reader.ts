import { createHash } from 'node:crypto';
import type { BanyanError } from '../../log/errors.ts';
import { kafkaFault } from '../../log/kafka/fault.ts';
import { patiently } from '../../log/kafka/patience.ts';
import { Puller } from '../../log/kafka/puller.ts';
import type { KafkaRecord } from '../../log/kafka/record-batch.ts';
import { Wire } from '../../log/kafka/wire.ts';
import { debeziumFault } from './errors.ts';
import { type DebeziumOptions, topicOf } from './options.ts';

const PARTITION = 0;
const SCAN_BYTES = 4_000_000;

/** Reads the connector's topic by offset. A broker that goes away and comes back is waited for. */
export class TopicReader {
  readonly topic: string;
  readonly #options: DebeziumOptions;
  readonly #signal: AbortSignal;
  #puller: Puller | undefined;
  /** What its first record must be. */
  #identity: string | undefined;

  constructor(options: DebeziumOptions, signal: AbortSignal, identity?: string) {
    this.topic = topicOf(options);
    this.#options = options;
    this.#signal = signal;
    this.#identity = identity;
  }

  get aborted(): boolean {
    return this.#signal.aborted;
  }

  /** What there is from an offset on; nothing after a second without news, or when it is aborted. @throws BNY-CDC-OTHER-TOPIC, BNY-LOG-… */
  next(from: number): Promise<{ records: KafkaRecord[]; next: number }> {
    return this.#patiently(async (puller) => {
      const [fetched] = await puller.next([this.#at(from)]);
      return { records: fetched?.records ?? [], next: fetched?.next ?? from };
    });
  }

  /** The offset behind everything that is there now. */
  end(): Promise<number> {
    return this.#patiently(async ({ wire }) => (await wire.offsets([this.#at(0)], 'stable'))[0] ?? 0);
  }

  /** Its first record's fingerprint: another topic of the same name has another one. Undefined while it is empty. */
  identity(): Promise<string | undefined> {
    return this.#patiently(({ wire }) => this.#identityOn(wire));
  }

  async #identityOn(wire: Wire): Promise<string | undefined> {
    const [fetched] = await wire.fetch([this.#at(0)], { waitMs: 0, bytes: SCAN_BYTES });
    const first = fetched?.records[0];
    if (!first) return undefined;
    if (first.offset !== 0) throw this.#another(`its first record at offset ${first.offset}`);
    return createHash('sha1')
      .update(first.value ?? '')
      .digest('base64url')
      .slice(0, 16);
  }

  #at(from: number) {
    return { topic: this.topic, partition: PARTITION, from };
  }

  #patiently<T>(action: (puller: Puller) => Promise<T>): Promise<T> {
    const where = this.#options.kafka.brokers.join();
    const attempt = async () => {
      try {
        return await action(await this.#open());
      } catch (error) {
        await this.close();
        const fault = kafkaFault(error, where);
        // An offset that is not there.
        throw fault.code === 'BNY-LOG-ANOTHER' ? this.#another('no record at the offset to go on from') : fault;
      }
    };
    return patiently(where, attempt, { signal: this.#signal });
  }

  async #open(): Promise<Puller> {
    if (this.#puller) return this.#puller;
    const wire = await Wire.open(this.#options.kafka, [this.topic]);
    const puller = new Puller(wire, this.#signal);
    try {
      if (this.#identity !== undefined) {
        const found = await this.#identityOn(wire);
        if (found !== this.#identity)
          throw this.#another(found === undefined ? 'an empty one' : `first record ${found}`);
      }
    } catch (error) {
      await puller.close();
      throw error;
    }
    this.#puller = puller;
    return puller;
  }

  #another(found: string): BanyanError {
    return debeziumFault('BNY-CDC-OTHER-TOPIC', {
      found: `${this.topic}: ${found}`,
      needed: `first record ${this.#identity ?? 'at offset 0'}`,
    });
  }

  async close(): Promise<void> {
    const puller = this.#puller;
    this.#puller = undefined;
    await puller?.close();
  }
}
