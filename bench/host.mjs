// The process that measure.mjs starts for each peer: `host.mjs <module> <name of the peer>`. Its first message is the
// case; each one after it says for how long to call, in milliseconds, and is answered with a sample.
import { on } from 'node:events';
import { drive } from './measure.mjs';
import { tiny } from './payloads.mjs';

/** How long it makes tiny calls before all others: the code of a service that has run for a while is compiled. */
const COMPILE_MS = 1_000;

const [module, name] = process.argv.slice(2);
const messages = on(process, 'message', { close: ['disconnect'] });
const { peers } = await import(module);
const { value: firstMessage } = await messages.next();
const peer = await peers[name]();
await drive(peer, { inFlight: 64, input: tiny }, COMPILE_MS);
for await (const [forMs] of messages) process.send(await drive(peer, firstMessage[0], forMs));
await peer.end();
process.exit();
