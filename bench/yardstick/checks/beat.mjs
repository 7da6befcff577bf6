/** Waits until a task that spins does so no more. */
export async function beatStops({ scratch, until, sleep }) {
  await until(async () => {
    const before = scratch.text('beat');
    await sleep(250);
    return scratch.text('beat') === before;
  }, 'the task did not cease to run');
}
