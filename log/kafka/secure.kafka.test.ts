import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
import { checkKafka } from './check.ts';
import type { KafkaLogOptions } from './log.ts';
import { event, LogOnKafka, readAll } from './test-support.ts';

const keytool = (...args: string[]) => promisify(execFile)('keytool', args);

describe('a broker that wants TLS and a password', () => {
  let folder: string;
  let kafka: Kafka;
  let ca: string;
  let on: LogOnKafka;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'banyan-tls-'));
    const store = ['-keystore', join(folder, 'broker.p12'), '-storepass', 'changeit', '-alias', 'broker'];
    const who = ['-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-ext', 'bc=ca:true'];
    await keytool('-genkeypair', '-keyalg', 'RSA', '-storetype', 'PKCS12', ...who, ...store);
    await keytool('-exportcert', '-rfc', '-file', join(folder, 'ca.pem'), ...store);
    ca = await readFile(join(folder, 'ca.pem'), 'utf8');
    const login = 'org.apache.kafka.common.security.plain.PlainLoginModule required user_banyan="right";';
    kafka = await startKafka({
      extra: {
        'listener.security.protocol.map': 'CLIENT:SASL_SSL,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'listener.name.client.sasl.enabled.mechanisms': 'PLAIN',
        'listener.name.client.plain.sasl.jaas.config': login,
        'listener.name.client.ssl.keystore.location': join(folder, 'broker.p12'),
        'listener.name.client.ssl.keystore.password': 'changeit',
      },
    });
  });
  afterEach(() => on.close());
  afterAll(async () => {
    await kafka.stop();
    await rm(folder, { recursive: true });
  });

  const account = (password: string): KafkaLogOptions['sasl'] => ({ mechanism: 'plain', username: 'banyan', password });
  const open = (options: Partial<KafkaLogOptions>) => {
    on = new LogOnKafka(kafka);
    return on.open(options);
  };

  it('holds a log for whoever has both', async () => {
    const log = open({ ssl: { ca }, sasl: account('right') });
    const writer = await log.writer('emitter');
    await writer.append([event('orders', 'a', 1)], {});
    expect((await readAll(log)).map(({ id }) => id)).toEqual(['orders-1']);
    await writer.close();
  });

  it('is told of by name to whoever has the wrong password', async () => {
    await expect(open({ ssl: { ca }, sasl: account('wrong') }).identity()).rejects.toMatchObject({
      code: 'BNY-LOG-ACCESS',
      found: expect.stringContaining('SASL'),
    });
  });

  it.each([
    ['no authority for its certificate', { ssl: {} }, 'self-signed certificate'],
    ['no TLS at all', {}, kafkaRefuses()],
  ])('is told of to whoever has %s', async (_, options, says) => {
    await expect(open({ ...options, sasl: account('right') }).identity()).rejects.toMatchObject({
      code: 'BNY-LOG-UNREACHABLE',
      found: expect.stringContaining(says),
    });
  });
});

describe.each(['scram-sha-256', 'scram-sha-512'] as const)('a broker that wants a password by %s', (mechanism) => {
  let kafka: Kafka;
  let on: LogOnKafka;

  beforeAll(async () => {
    kafka = await startKafka({
      scram: [`${mechanism.toUpperCase()}=[name=banyan,password=right]`],
      extra: {
        'listener.security.protocol.map': 'CLIENT:SASL_PLAINTEXT,INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT',
        'listener.name.client.sasl.enabled.mechanisms': mechanism.toUpperCase(),
        [`listener.name.client.${mechanism}.sasl.jaas.config`]:
          'org.apache.kafka.common.security.scram.ScramLoginModule required;',
      },
    });
    on = new LogOnKafka(kafka);
  });
  afterAll(async () => {
    await on.close();
    await kafka.stop();
  });

  const account = (password: string, how: 'plain' | typeof mechanism = mechanism): Partial<KafkaLogOptions> => ({
    sasl: { mechanism: how, username: 'banyan', password },
  });

  it('holds a log for whoever has it, and tells of a wrong one by name, also by the check', async () => {
    const log = on.open(account('right'));
    const writer = await log.writer('emitter');
    await writer.append([event('orders', 'a', 1)], {});
    await log.post([event('orders', 'a', 2)]);
    expect((await readAll(log)).map(({ id }) => id)).toEqual(['orders-1', 'orders-2']);
    await writer.close();
    const checked = async (options: Partial<KafkaLogOptions>) =>
      (await checkKafka({ ...on.options, ...options })).filter(({ level }) => level === 'error');
    expect(await checked(account('right'))).toEqual([]);
    for (const wrong of [account('wrong'), account('right', 'plain')]) {
      const refused = expect.stringMatching(/SASL/);
      await expect(on.open(wrong).identity()).rejects.toMatchObject({ code: 'BNY-LOG-ACCESS', found: refused });
      expect(await checked(wrong)).toMatchObject([
        { found: expect.stringMatching(/^BNY-LOG-ACCESS: .*SASL/), cure: expect.stringContaining('`log.sasl`') },
      ]);
    }
  });
});

/** It closes the connection, and cannot say why. */
function kafkaRefuses(): string {
  return 'KafkaJSConnection';
}
