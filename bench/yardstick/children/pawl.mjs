import './boot.cjs';
import { serve } from '@pawl/runtime/worker';
import hooks from './hooks.cjs';
import tasks from './tasks.cjs';

serve({
  tasks: Object.fromEntries(
    Object.entries(tasks).map(([name, task]) => [name, (input, context) => task(input, contextOf(context))]),
  ),
  teardown: hooks.tearDown,
});

function contextOf(context) {
  return {
    attempt: context.attempt,
    trace: context.trace,
    progress: (progress) => context.progress(progress),
    emit: (chunk) => context.emit(chunk),
    onAbort: (listener) => context.signal.addEventListener('abort', () => listener(context.signal.reason)),
  };
}
