/** Writes a line to stdout. */
export const print = (text = ''): void => {
  process.stdout.write(`${text}\n`);
};

/** Writes a value as JSON to stdout. */
export const printJson = (value: unknown): void => print(JSON.stringify(value, null, 2));

/** Writes a line for people to stderr, so that stdout stays what a program reads. */
export const note = (text: string): void => {
  process.stderr.write(`${text}\n`);
};
