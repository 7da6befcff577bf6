/** The environment of this process, which whatever runs inside it sees anyway. */
export function hostEnvironment(): NodeJS.ProcessEnv {
  // oxlint-disable-next-line node/no-process-env, eslint/no-restricted-properties -- for modules run in this process
  return process.env;
}
