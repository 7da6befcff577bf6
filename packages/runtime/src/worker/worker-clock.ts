import { clearTimeout, setTimeout } from 'node:timers';
import { type Clock, createSystemClock } from '@pawl/core';

/** The clock of a worker: its timers go on when a task replaces the global ones. */
export const workerClock: Clock = createSystemClock({ setTimeout, clearTimeout });
