#!/usr/bin/env node
import { nodeProblem } from './node-version.ts';

// Everything else is imported once it is known that this Node can run it: an older one would choke on it, or worse.
const problem = nodeProblem(process.versions.node);
if (problem === undefined) {
  const { runProgram } = await import('./program.ts');
  await runProgram();
} else {
  process.stderr.write(problem);
  process.exitCode = 1;
}
