export type GrantedScope = 'read' | 'write' | 'admin';

/** Who makes a request. */
export interface Principal {
  user: string;
  project: string;
  scopes: readonly GrantedScope[];
  /** Id of the token it came with. */
  token: string;
}

/** Whether a principal may do what needs the scope; `admin` includes `write`, which includes `read`. */
export function mayDo(principal: Principal, scope: GrantedScope): boolean {
  const order: readonly GrantedScope[] = ['read', 'write', 'admin'];
  const highest = Math.max(...principal.scopes.map((s) => order.indexOf(s)));
  return highest >= order.indexOf(scope);
}
