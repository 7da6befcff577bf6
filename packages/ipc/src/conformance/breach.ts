/** The worker broke the rule; the message says how. */
export class Breach extends Error {}

/** The worker does not do what the rule is about. */
export class NotOffered extends Error {}
