export interface Ask {
  params: Record<string, string>;
  query: URLSearchParams;
  body: unknown;
}

/** Routes and how each is answered. */
export type Answers = [route: object, answer: (ask: Ask) => unknown][];

export const none = (): undefined => undefined;

export const page = <T>(items: T[]): { items: T[]; next: null; total: number } => ({
  items,
  next: null,
  total: items.length,
});
