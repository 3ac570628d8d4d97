import { expect, it } from '@jest/globals';
import { readRecord } from './record.ts';

it('keeps whole numbers of a row exact behind a column that is named like what follows the rows', () => {
  const after = '{"id":1,"source":{"wkb":"AQ==","srid":null},"n":9223372036854775807}';
  const source = '{"connector":"mariadb","name":"t","ts_ms":0,"ts_ns":1790000000000000001,"db":"d","table":"t"}';
  const text = `{"before":null,"after":${after},"source":${source},"transaction":{"id":"0-1-1"},"op":"c"}`;
  const record = { offset: 0, key: null, value: Buffer.from(text), headers: new Map() };
  expect(readRecord(record, 't')).toMatchObject({ after: { n: '9223372036854775807' } });
});

it('knows a table by its name, quotes and dots and all', () => {
  const id = '"d""b"."a""."".b"';
  const source = { connector: 'mariadb', name: 't', gtid: '0-1-1', ts_ms: 0 };
  const text = JSON.stringify({ source, ddl: 'CREATE', tableChanges: [{ type: 'CREATE', id, table: null }] });
  const record = { offset: 0, key: null, value: Buffer.from(text), headers: new Map() };
  expect(readRecord(record, 't')).toMatchObject({ changes: [{ schema: 'd"b', table: 'a".".b' }] });
});
