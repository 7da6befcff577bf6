// Two children of each kind, as one peer.
import { balanced } from '../balanced.mjs';
import { peers as single } from './peers.mjs';

export const peers = Object.fromEntries(
  Object.entries(single).map(([name, make]) => [name, () => balanced([make(), make()])]),
);
