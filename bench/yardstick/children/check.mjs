// Does one check with one pool, in a process that may hang or die of it: `node check.mjs <id> <pool> <kind>`. The outcome
// goes to a file of the scratch folder.
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checks } from '../checks/all.mjs';
import { peers } from '../peers/all.mjs';
import { NotOffered } from '../peers/offer.mjs';
import { createTools, Observed } from '../tools.mjs';

const [id, peer, kind] = process.argv.slice(2);
const check = checks.find((each) => each.id === id);
const folder = process.env.YARDSTICK_SCRATCH;

function end(outcome, observed) {
  writeFileSync(
    join(folder, 'outcome.part'),
    JSON.stringify({ outcome, observed: observed.replaceAll(/\s+/g, ' ').slice(0, 200) }),
  );
  renameSync(join(folder, 'outcome.part'), join(folder, 'outcome'));
  process.exit();
}

process.on('uncaughtException', (error) =>
  end('fail', `an exception in the host: ${error?.message ?? error}`),
);
process.on('unhandledRejection', (error) =>
  end('fail', `an unhandled rejection in the host: ${error?.message ?? error}`),
);

try {
  await check.run(createTools(peers[peer], kind, folder));
  end('pass', '');
} catch (error) {
  if (error instanceof NotOffered) end('not offered', error.message);
  else if (error instanceof Observed) end('fail', error.message);
  else end('fail', `${error?.name}: ${error?.message}`);
}
