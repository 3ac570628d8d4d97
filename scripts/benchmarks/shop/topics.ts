import { topicsFor } from '../../../log/index.ts';
import { orders, readings } from './domains.ts';

/** As the command line opens the shop's log. */
export const TOPICS = topicsFor({
  [orders.name]: { partitions: orders.partitions },
  [readings.name]: { partitions: readings.partitions },
});
