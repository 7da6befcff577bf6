// Values that not every channel can carry, made anew in the host and in the worker.
const makers = {
  circular() {
    const value = { name: 'loop' };
    value.self = value;
    return value;
  },
  bigint: () => ({ value: 10n }),
  map: () => ({ value: new Map([['a', 1]]) }),
  set: () => ({ value: new Set([1, 2]) }),
  date: () => ({ value: new Date(1_000) }),
  buffer: () => ({ value: Buffer.from('bytes') }),
  function: () => ({ value: () => 1 }),
};

exports.makeValue = (kind) => makers[kind]();
