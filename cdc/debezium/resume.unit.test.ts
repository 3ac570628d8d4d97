import { expect, it } from '@jest/globals';
import { resumePointOf as binlogPoint, resumeFromNow, resumeOf as resumeOfBinlog } from '../binlog/resume.ts';
import { resumeOf, resumePointOf } from './resume.ts';

const fromNow = { serverId: 1, serverUid: 'u', file: 1, offset: 4, gtidPosition: '', gtidState: [] };
const ofBinlog = binlogPoint(resumeFromNow({ ...fromNow, charsets: new Map(), fold: (name) => name }));
const ofTopic = resumePointOf({
  ...{ version: 1, topic: 't', offset: 0, gtid: '', fingerprint: '', unfinished: null },
  structures: {},
} as never);

it('what one source left the other does not take for its own, and says how to begin anew', () => {
  expect(resumeOf(ofTopic)).toBe(ofTopic);
  expect(resumeOfBinlog(ofBinlog)).toBe(ofBinlog);
  const refused = expect.objectContaining({
    code: 'BNY-CDC-CHECKPOINT',
    cure: expect.stringContaining('a new `log.prefix`'),
  });
  expect(() => resumeOf(ofBinlog)).toThrow(refused);
  expect(() => resumeOfBinlog(ofTopic)).toThrow(refused);
});
