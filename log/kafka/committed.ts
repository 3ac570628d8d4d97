import type { AbortedTransaction } from './fetch.ts';
import type { KafkaRecord, RecordBatch } from './record-batch.ts';

/**
 * The records of committed transactions, and those written outside of any. As the Java client tells them
 * (`CompletedFetch.nextFetchedRecord`): kafkajs steps into one aborted transaction a record and takes a data record with
 * four zero bytes as key for the end of one, so it can deliver what was aborted.
 *
 * @param aborted the transactions aborted in the range of `batches`, as the broker names them
 */
export function committed(batches: readonly RecordBatch[], aborted: readonly AbortedTransaction[]): KafkaRecord[] {
  const ahead = aborted.toSorted((a, b) => a.firstOffset - b.firstOffset);
  const open = new Set<bigint>();
  const records: KafkaRecord[] = [];
  for (const batch of batches) {
    while (ahead[0] && ahead[0].firstOffset <= batch.lastOffset)
      open.add((ahead.shift() as AbortedTransaction).producerId);
    if (batch.marker === 'abort') open.delete(batch.producerId);
    else if (batch.marker === undefined && !(batch.transactional && open.has(batch.producerId))) {
      for (const record of batch.records) records.push(record);
    }
  }
  return records;
}
