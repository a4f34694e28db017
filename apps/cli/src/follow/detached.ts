/** Thrown when the user pressed Ctrl-C while following: the job goes on. */
export class Detached extends Error {
  constructor() {
    super('detached');
    this.name = 'Detached';
  }
}
