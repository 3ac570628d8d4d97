import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { controlEvent, topicsFor } from '../../../log/index.ts';
import { LogOnKafka } from '../../../log/kafka/test-support.ts';
import { type Kafka, startKafka } from '../../../scripts/lib/kafka.ts';
import { until } from '../projector/test-support.ts';
import { standOf, writersOf } from './progress.ts';
import { job, jobsProcessor, ProcessorBed } from './test-support.ts';

describe('a processor with its log on Kafka', () => {
  let kafka: Kafka;
  beforeAll(async () => {
    kafka = await startKafka();
  });
  afterAll(() => kafka.stop());

  it('shares its partitions, hands over, and keeps and replays its dead letters', async () => {
    const on = new LogOnKafka(kafka);
    const seen: number[] = [];
    let broken = true;
    const processor = jobsProcessor({
      JobAdded: ({ data }) => {
        if (broken && data.id === 5) throw new Error('broken');
        seen.push(data.id);
      },
    });
    const topics = topicsFor({ jobs: { partitions: 4 } }, ['worker']);
    const writers = ['emitter', ...writersOf(processor, () => 4)];
    const log = on.open({ topics, writers });
    {
      await using bed = await ProcessorBed.of(log);
      const first = bed.start(processor);
      await bed.add(...Array.from({ length: 40 }, (_, id) => job(`key ${id}`, id)));
      await until(async () => (await standOf(log, processor)).lag === 0);
      bed.start(processor, on.open({ topics, writers }));
      await first.end();
      await bed.add(...Array.from({ length: 40 }, (_, i) => job(`key ${i === 5 ? 50 : i}`, 40 + i)));
      await until(() => seen.length === 79);
      expect(seen.toSorted((a, b) => a - b)).toEqual([...Array(80).keys()].filter((id) => id !== 5));
      await until(async () => (await standOf(log, processor)).dead === 1);
      broken = false;
      await log.post([controlEvent('DeadReplayRequested', { processor: 'worker', events: ['job-5'] }, 'anna')]);
      await until(async () => (await standOf(log, processor)).dead === 0);
      expect(seen.at(-1)).toBe(5);
    }
    await on.close();
  }, 120_000);
});
