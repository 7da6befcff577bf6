const ranks = { urgent: 0, normal: 1, low: 2 };

/** The queue of priorities that piscina and tinypool leave to their users, as the example of piscina does it. */
export function createPriorityQueue(priorityOf) {
  const tasks = [];
  const rank = (task) => ranks[priorityOf(task) ?? 'normal'];
  return {
    get size() {
      return tasks.length;
    },
    push(task) {
      const at = tasks.findIndex((each) => rank(each) > rank(task));
      tasks.splice(at === -1 ? tasks.length : at, 0, task);
    },
    /** What was taken off and found no worker. */
    unshift: (task) => tasks.unshift(task),
    shift: () => tasks.shift() ?? null,
    remove(task) {
      const at = tasks.indexOf(task);
      if (at !== -1) tasks.splice(at, 1);
    },
    cancel() {
      for (const task of tasks.splice(0)) task.cancel();
    },
  };
}
