// Prints what it was asked for. The token comes by the environment, so that no list of processes shows it.
import { parseArgs } from 'node:util';

const { values } = parseArgs({ options: { month: { type: 'string' }, publish: { type: 'boolean' } } });
console.log(`Report of ${values.month}`);
if (values.publish) {
  const token = process.env.PAWL_PARAM_API_TOKEN ?? '';
  console.log(`Published with a token of ${token.length} characters`);
}
