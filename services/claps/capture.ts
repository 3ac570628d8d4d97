import { type Captures, fields } from '../kit/index.ts';
import type { Claps, events } from './events.ts';

export const capture: Captures<typeof events, 'claps'> = {
  claps({ after, key }) {
    const [memberId, postId] = key as [number, number];
    if (!after) return { type: 'ClapsTakenBack', key: postId, data: { memberId, postId } };
    return { type: 'PostClapped', key: postId, data: fields<Claps>(after) };
  },
};
