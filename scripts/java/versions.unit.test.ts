import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

describe('compose.yaml', () => {
  it('has the Kafka of the pom in both of its places', () => {
    const version = /<kafka.version>(.+)<\/kafka.version>/.exec(
      readFileSync('scripts/java/worker.pom.xml', 'utf8'),
    )?.[1];
    const images = readFileSync('compose.yaml', 'utf8').matchAll(/apache\/kafka:(\S+)/g);
    expect([...images].map(([, tag]) => tag)).toEqual([version, version]);
  });
});
