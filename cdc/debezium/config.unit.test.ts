import { describe, expect, it } from '@jest/globals';
import { withoutSecrets } from './config.ts';
import { connectorConfig, type DebeziumOptions } from './index.ts';

const OPTIONS: DebeziumOptions = {
  connection: { host: 'db', port: 3307, user: 'banyan', password: 'from-here' },
  schema: 'my.shop',
  tables: {
    orders: { key: ['id'], columns: ['id'], excluded: ['card_no', 'token'] },
    lines: { key: ['id'], columns: [] },
  },
  alsoFollow: { schema: 'banyan', tables: { heartbeat: { key: ['id'], columns: ['beat'] } } },
  kafka: { brokers: ['a:1', 'b:2'], prefix: 'p.' },
  connect: { url: 'http://connect' },
};

describe('the connector’s configuration', () => {
  it('captures the followed tables, and lets no excluded column out of Connect', () => {
    expect(connectorConfig(OPTIONS)).toMatchObject({
      'database.include.list': 'my\\.shop,banyan',
      'table.include.list': 'my\\.shop\\.orders,my\\.shop\\.lines,banyan\\.heartbeat',
      'column.exclude.list': 'my\\.shop\\.orders\\.card_no,my\\.shop\\.orders\\.token',
    });
  });

  it('routes everything to one topic, whatever its own one would be called', () => {
    const config = connectorConfig(OPTIONS);
    expect(config).toMatchObject({
      'transforms.onetopic.regex': '.*',
      'transforms.onetopic.replacement': 'p.banyan.changes',
    });
    expect(config['tasks.max']).toBe('1');
  });

  it('has the settings without which changes or values would be lost', () => {
    expect(connectorConfig(OPTIONS)).toMatchObject({
      'skipped.operations': 'none',
      'provide.transaction.metadata': 'true',
      'include.schema.changes': 'true',
      'time.precision.mode': 'adaptive_time_microseconds',
      'bigint.unsigned.handling.mode': 'precise',
      'decimal.handling.mode': 'string',
      'value.converter.replace.null.with.default': 'false',
      'errors.tolerance': 'none',
    });
  });

  it('takes the account and the brokers as Connect knows them, its secret as a reference', () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: Connect's own placeholder
    const password = '${file:/etc/connect/banyan.properties:password}';
    const connect = { url: 'http://connect', account: { host: 'db.internal', password }, brokers: ['k:9'] };
    const config = connectorConfig({ ...OPTIONS, connect });
    expect(config).toMatchObject({
      'database.hostname': 'db.internal',
      'database.port': '3307',
      'database.user': 'banyan',
      'database.password': password,
      'schema.history.internal.kafka.bootstrap.servers': 'k:9',
    });
    expect(JSON.stringify(config)).not.toContain('from-here');
  });

  it('is the same each time it is made', () => {
    expect(connectorConfig(OPTIONS)).toEqual(connectorConfig(structuredClone(OPTIONS)));
  });

  it('keeps its secrets out of what Connect says of it, those of `extra` too', () => {
    const extra = {
      'schema.history.internal.producer.sasl.jaas.config': 'jaas!',
      'database.ssl.truststore.password': '',
    };
    const config = connectorConfig({ ...OPTIONS, connect: { ...OPTIONS.connect, extra } });
    expect(withoutSecrets('db: from-here, jaas! of banyan', config)).toBe('db: …, … of banyan');
  });
});
