import { backPressureRules } from './checks/back-pressure.ts';
import { channelRules } from './checks/channel.ts';
import { endRules } from './checks/end.ts';
import { errorRules } from './checks/errors.ts';
import { cancelRules, streamRules, validateRules } from './checks/features.ts';
import { frameRules } from './checks/frames.ts';
import { handshakeRules } from './checks/handshake.ts';
import { controlRules, healthRules } from './checks/health.ts';
import { malformedFrameRules } from './checks/malformed-frames.ts';
import { messageRules } from './checks/messages.ts';
import { queueRules } from './checks/queue.ts';
import { orderRules, runRules } from './checks/runs.ts';
import type { Rule } from './rule.ts';

/** Every rule of the kit, in the order of docs/protocol.md. */
export const rules: readonly Rule[] = [
  ...channelRules,
  ...frameRules,
  ...malformedFrameRules,
  ...messageRules,
  ...handshakeRules,
  ...runRules,
  ...orderRules,
  ...cancelRules,
  ...streamRules,
  ...queueRules,
  ...validateRules,
  ...healthRules,
  ...controlRules,
  ...errorRules,
  ...endRules,
  ...backPressureRules,
];
