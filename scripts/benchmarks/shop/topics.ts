import { topicsFor } from '../../../log/index.ts';
import { orders, readings } from './domains.ts';

/** As the command line opens the shop's log. */
export const PARTITIONS = { [orders.name]: orders.partitions, [readings.name]: readings.partitions };
export const TOPICS = topicsFor({ orders: { partitions: orders.partitions }, readings: { partitions: readings.partitions } });
