/** Thrown by an action that did its work and told the outcome, but must not end with 0. */
export class ExitWith {
  readonly code: number;
  constructor(code: number) {
    this.code = code;
  }
}
