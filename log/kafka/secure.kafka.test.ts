import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { type Kafka, startKafka } from '../../scripts/lib/kafka.ts';
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

/** It closes the connection, and cannot say why. */
function kafkaRefuses(): string {
  return 'KafkaJSConnection';
}
