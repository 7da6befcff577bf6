import type { Target } from './target.ts';
import { codecTargets } from './targets/codec.ts';
import { connectionTargets } from './targets/connection.ts';
import { errorCodecTargets } from './targets/error-codec.ts';
import { framingTargets } from './targets/framing.ts';
import { garbageTargets } from './targets/garbage.ts';
import { handshakeTargets } from './targets/handshake.ts';
import { peerTargets } from './targets/peer.ts';

/** All there is to fuzz. The tests hold each to a few hundred inputs, `npm run fuzz` to as many as there is time for. */
export const targets: readonly Target[] = [
  ...framingTargets(),
  ...codecTargets,
  ...errorCodecTargets,
  ...garbageTargets,
  ...peerTargets(),
  ...connectionTargets,
  ...handshakeTargets,
];
