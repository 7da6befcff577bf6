// What docs/yardstick.md says, made of the outcomes.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { machine } from '../measure.mjs';
import { checks as allChecks, themes } from './checks/all.mjs';
import { sources } from './checks/sources.mjs';
import { contestants } from './peers/all.mjs';

const signs = { pass: 'pass', fail: '**fail**', 'not offered': '–' };

/** What errors say of files is told from here on, so that the page is the same wherever it was made. */
const root = fileURLToPath(new URL('../../', import.meta.url));

const packageFile = (name) => new URL(`../../node_modules/${name}/package.json`, import.meta.url);

function title({ name, package: packageName }) {
  const { version } = JSON.parse(readFileSync(packageFile(packageName), 'utf8'));
  return version === '0.0.0' ? name : `${name} ${version}`;
}

const row = (cells) => `| ${cells.join(' | ')} |`;

/** @param {Map<string, Map<string, import('./trial.mjs').Trial>>} results by check, by pool */
export function toMarkdown(results) {
  const parts = [
    `# The yardstick

Black-box checks of process pools, drawn from the test suites of the pools below and from what their users report, and run against each of them: \`npm run yardstick\`. Made by \`npm run yardstick -- --write\`; don't edit it.

- **pass**: the pool does what the rule says. **fail**: it was asked for in the pool's own words and does otherwise, or gives no answer in time. **–**: the pool has no words for it.
- Each pool has a small adapter (\`bench/yardstick/peers/\`) that uses it as its documentation says. One that offers processes and threads passes with either; *(threads)* marks where only those pass.
- Each check runs in a process of its own, with a time limit, and nothing that a pool leaves behind outlives it.
- Each check has been seen failing: by one of the pools, or by two that are broken on purpose (\`npm run yardstick -- --broken\`).

${machine()}.

## Totals
`,
    totals(results),
  ];
  for (const { theme, checks } of themes) {
    const lines = checks.map(({ id, rule }) => {
      const outcomes = contestants.map((peer) => cell(results.get(id)?.get(peer.name), peer));
      return row([`\`${id}\``, rule.replaceAll('|', '\\|'), ...outcomes]);
    });
    const names = contestants.map(({ name }) => name);
    parts.push(
      `\n## ${theme}\n`,
      row(['check', 'rule', ...names]),
      row(['---', '---', ...names.map(() => '---')]),
      ...lines,
    );
  }
  return `${parts.join('\n')}\n${failures(results)}${origins()}`;
}

function cell(trial, { kinds }) {
  if (trial === undefined) return '';
  const how = trial.outcome === 'pass' && trial.kind !== kinds[0] ? ` *(${trial.kind})*` : '';
  return signs[trial.outcome] + how;
}

/** How many checks each pool passes, fails and has no words for. */
export function totals(results) {
  const count = (peer, outcome) =>
    [...results.values()].filter((trials) => trials.get(peer.name)?.outcome === outcome).length;
  const lines = contestants.map((peer) =>
    row([title(peer), ...Object.keys(signs).map((outcome) => count(peer, outcome))]),
  );
  return [row(['pool', ...Object.keys(signs)]), row(['---', '---', '---', '---']), ...lines].join('\n');
}

function failures(results) {
  const lines = [];
  for (const [id, trials] of results) {
    for (const [peer, { outcome, observed, kind }] of trials) {
      if (outcome !== 'fail') continue;
      const shown = observed.replaceAll(root, '').replaceAll(/([*_<>`|[\]])/g, '\\$1');
      lines.push(`- \`${id}\`, ${peer} (${kind}): ${shown}`);
    }
  }
  return `\n## What was seen where a pool fails\n\n${lines.join('\n')}\n`;
}

/** Where the checks come from. */
function origins() {
  const lines = [...sources].map(([number, text]) => {
    const ids = allChecks
      .filter(({ source }) => source.split(', ').includes(number))
      .map(({ id }) => `\`${id}\``);
    return `- ${text}: ${ids.join(', ')}`;
  });
  return `\n## Where the checks come from\n\n${lines.join('\n')}\n`;
}

/** The ids that a page has a row for. */
export function idsIn(markdown) {
  return [...markdown.matchAll(/^\| `([a-z0-9-]+)`\s+\|/gm)].map(([, id]) => id);
}
