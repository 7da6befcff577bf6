const thrown = async ({ open, rejects }) => rejects((await open({ max: 1, retries: 0 })).run('throwRich'));

const values = [
  { name: 'string', input: { value: 'plain text' } },
  { name: 'null', input: { value: null } },
  { name: 'undefined', input: { isUndefined: true } },
];

export const errors = {
  theme: 'Errors of tasks',
  checks: [
    {
      id: 'error-name-and-message',
      rule: 'An error that a task throws arrives as an Error with its message and its name.',
      source: '5.87, 3.9',
      async run(t) {
        const error = await thrown(t);
        t.ensure(error instanceof Error, `it is no Error: ${t.inOneLine(error)}`);
        t.ensure(
          /disk 7 is full/.test(error.message) && error.name === 'TaskError',
          `it is ${error.name}: ${error.message}`,
        );
      },
    },
    {
      id: 'error-code',
      rule: 'Its code arrives.',
      source: '5.87, 3.9',
      async run(t) {
        const error = await thrown(t);
        t.ensure(error?.code === 'E_DISK', `it is ${error?.code}`);
      },
    },
    {
      id: 'error-fields',
      rule: 'Its other fields arrive, nested ones too.',
      source: '5.87, 3.9',
      async run(t) {
        const error = await thrown(t);
        const fields = error?.fields ?? error;
        t.ensure(fields?.disk === 7, `disk is ${fields?.disk}`);
        t.ensure(fields.details?.free?.bytes === 0, `details are ${JSON.stringify(fields.details)}`);
      },
    },
    {
      id: 'error-cause',
      rule: 'What caused it arrives as an error.',
      source: '5.87, 3.9',
      async run(t) {
        const error = await thrown(t);
        const causes = [];
        for (let cause = error?.cause; cause !== undefined && causes.length < 5; cause = cause.cause)
          causes.push(cause);
        const inner = causes.find(({ message }) => message === 'the inner reason');
        t.ensure(inner instanceof Error, `the cause is ${t.inOneLine(error?.cause)}`);
        t.ensure(inner.name === 'TypeError', `its name is ${inner.name}`);
      },
    },
    {
      id: 'error-stack',
      rule: 'The stack of the task arrives.',
      source: '5.87, 3.9',
      async run(t) {
        const error = await thrown(t);
        t.ensure(/throwInTheTask/.test(t.allTextOf(error)), 'it names no function of the task');
      },
    },
    ...values.map(({ name, input }) => ({
      id: `error-${name}`,
      rule: `A task that throws ${name === 'string' ? 'a string' : name} rejects its run, and the pool goes on.`,
      source: '5.87',
      async run(t) {
        const pool = await t.open({ max: 1, retries: 0 });
        const error = await t.rejects(pool.run('throwValue', input));
        if (name === 'string')
          t.ensure(/plain text/.test(t.allTextOf(error)), `it says ${t.inOneLine(error)}`);
        await t.usable(pool);
      },
    })),
  ],
};
