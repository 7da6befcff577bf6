/** What `pawl doctor` found out about one thing. */
export interface Finding {
  readonly name: string;
  readonly ok: boolean;
  /** A version, path or figure, or why it can't be used. */
  readonly detail: string;
  /** What would help; null where nothing needs to, or the end of the report says it. */
  readonly remedy: string | null;
}
