import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { nodeProblem } from './node-version.ts';

describe('the version of Node', () => {
  it.each(['22.18.0', '22.23.3', '24.0.0', '24.21.0', '100.0.0'])('%s will do', (version) =>
    expect(nodeProblem(version)).toBeUndefined(),
  );

  it.each(['20.20.2', '22.6.0', '22.17.9', '18.0.0'])(
    '%s is refused with what was found, needed, and the cure',
    (version) => {
      const text = nodeProblem(version) ?? '';
      for (const part of ['BNY-CLI-NODE', `found:  Node.js ${version}`, 'needed: Node.js 22.18', 'cure:   Install'])
        expect(text).toContain(part);
    },
  );

  it('that is needed is the one that package.json names', () => {
    const { engines } = JSON.parse(readFileSync('package.json', 'utf8')) as { engines: { node: string } };
    const needed = engines.node.replace('>=', '');
    expect(nodeProblem(needed)).toBeUndefined();
    expect(nodeProblem('22.17.0')).toContain(`Node.js ${needed}`);
  });

  it('is checked before anything else is imported', () => {
    const imports = [...readFileSync('cli/main.ts', 'utf8').matchAll(/^import .* from '(.*)'/gm)].map(
      ([, path]) => path,
    );
    expect(imports).toEqual(['./node-version.ts']);
    // Not in every Node that package.json allows (24.0 lacks it): there everything that hangs on it is silently left out.
    expect(readFileSync('cli/main.ts', 'utf8')).not.toContain('import.meta.main');
    expect(readFileSync('cli/node-version.ts', 'utf8')).not.toMatch(/^import/m);
  });
});
