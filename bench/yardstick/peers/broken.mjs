import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const file = fileURLToPath(new URL('../children/broken.cjs', import.meta.url));

const nothing = async () => undefined;

/** Says yes to everything and does nothing. */
function careless() {
  return { run: async () => undefined };
}

/** What one writes in ten minutes: hands out in turns, forgets whatever is no answer, and heeds no option. */
function naive({ max }) {
  const open = new Map();
  let lastId = 0;
  const workers = Array.from({ length: Math.max(1, Math.trunc(max)) }, () => {
    const worker = fork(file, { env: { ...process.env, NODE_OPTIONS: '' } });
    worker.on('message', ({ id, result }) => open.get(id)?.(result));
    worker.on('error', () => {});
    return worker;
  });
  return {
    run: (task, input) =>
      new Promise((resolve) => {
        lastId += 1;
        open.set(lastId, resolve);
        workers[lastId % workers.length].send({ id: lastId, task, input });
      }),
    stop: async () => void workers.map((worker) => worker.disconnect()),
  };
}

/** Two pools that offer everything and keep nothing of it: a check that both of them pass is worth nothing. */
export const broken = {
  name: 'broken',
  kinds: ['careless', 'naive'],
  words: { max: /max/, min: /min/, env: 'env' },
  open(wanted, kind) {
    const pool = kind === 'careless' ? careless() : naive(wanted);
    return new Proxy(pool, {
      get: (target, name) => (name === 'then' ? undefined : (target[name] ?? nothing)),
    });
  },
};
