import { readFileSync } from 'node:fs';
import { extname } from 'node:path';
import type { Command } from 'commander';
import { CATALOGUE } from '../../cli/errors.ts';
import { createProgram } from '../../cli/program.ts';
import { configurationPage } from './configuration.ts';
import { valuesPage } from './values.ts';

/** The generated pages: path → text. */
export function pages(): Record<string, string> {
  return {
    'docs/errors.md': errorPage(),
    'docs/commands.md': commandPage(),
    'docs/configuration.md': configurationPage(),
    'docs/values.md': valuesPage(),
    'docs/first-steps.md': firstSteps(),
  };
}

/** The code in it is the code that the test of docs/shop runs. */
function firstSteps(): string {
  const template = readFileSync(new URL('./first-steps.template.md', import.meta.url), 'utf8');
  return template.replace(
    /^@@(.*)$/gm,
    (_, path: string) => `\`\`\`${extname(path).slice(1)}\n${readFileSync(path, 'utf8').trimEnd()}\n\`\`\``,
  );
}

function errorPage(): string {
  const entries = Object.entries(CATALOGUE).sort(([a], [b]) => (a < b ? -1 : 1));
  const sections = entries.map(
    ([code, { means, normal, cure, retryable }]) =>
      `## ${code}\n\n${capital(means)}.\n\n- Normal: ${normal}.\n- What to do: ${cure}${retryable ? '\n- Banyan tries again by itself.' : ''}\n`,
  );
  return `# Errors\n\nEvery error that Banyan raises on purpose. A message also says what was found and what is needed.\n\n${sections.join('\n')}`;
}

function commandPage(): string {
  const sections = leaves(createProgram()).map((command) => {
    // Help is laid out to a width: the same everywhere, whatever terminal prints this.
    command.configureHelp({ helpWidth: 110 });
    let text = '';
    command.configureOutput({ writeOut: (part) => (text += part) }).outputHelp();
    return `## ${nameOf(command)}\n\n\`\`\`\n${text.trimEnd()}\n\`\`\`\n`;
  });
  return `# Commands\n\nThe same as \`banyan <command> --help\`. stdout is data, stderr is talk.\n\n${sections.join('\n')}`;
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap(leaves);
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name();
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
