import { describe, expect, it } from '@jest/globals';
import { brokerFindings, tooOld } from './check-brokers.ts';

describe('what brokers can do and how they are set', () => {
  it('is found too little in a Kafka before 2.3, request by request', () => {
    const kafka22 = { 0: { maxVersion: 7 }, 1: { maxVersion: 10 }, 24: { maxVersion: 1 }, 26: { maxVersion: 1 } };
    expect(tooOld(kafka22)).toMatchObject([{ level: 'error', check: 'version', found: 'Fetch up to version 10' }]);
    expect(tooOld({ ...kafka22, 1: { maxVersion: 17 } })).toEqual([]);
    expect(tooOld({})[0]?.found).toContain('EndTxn up to version none');
  });

  it.each([
    ['transaction.max.timeout.ms', '5000', '900000', 'error'],
    ['socket.request.max.bytes', '8388608', '104857600', 'error'],
    ['unclean.leader.election.enable', 'true', 'false', 'error'],
    ['min.insync.replicas', '1', '2', 'warning'],
  ])('is found wrong with %s=%s', (setting, wrong, right, level) => {
    expect(brokerFindings(new Map([[setting, wrong]]))).toMatchObject([{ check: setting, level, found: wrong }]);
    expect(brokerFindings(new Map([[setting, right]]))).toEqual([]);
  });
});
