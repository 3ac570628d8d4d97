/** Imports nothing: it must run on a Node that is too old for everything else. */

/** The first Node that reads `banyan.config.ts` by itself. */
const NEEDED: readonly [major: number, minor: number] = [22, 18];

const CODE = 'BNY-CLI-NODE';
export const NODE_ERRORS = {
  [CODE]: {
    means: 'this Node.js is too old to run Banyan',
    normal: 'never',
    cure: 'Install a newer Node.js, or put it before the old one on the PATH.',
  },
} as const;

/** What is wrong with a version of Node, if anything, as it is told on stderr. */
export function nodeProblem(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  if (major > NEEDED[0] || (major === NEEDED[0] && minor >= NEEDED[1])) return undefined;
  const { means, cure } = NODE_ERRORS[CODE];
  return [
    `error: ${CODE}: ${means}`,
    `  found:  Node.js ${version}, ${process.execPath}`,
    `  needed: Node.js ${NEEDED.join('.')} or newer`,
    `  cure:   ${cure}\n`,
  ].join('\n');
}
