import type { Shape } from './shape.ts';

/**
 * Scores the ways to place a shape. Higher is better; the first node in order wins ties. A ranking never
 * refuses: every finite score is a placement.
 */
export interface NodeRanking {
  readonly name: string;
  /**
   * @param shape what is placed
   * @param state device state of the node before, and `next` after the placement
   * @param cpu free CPU in milli before the placement
   */
  score(shape: Shape, state: number, next: number, cpu: number): number;
  /** Added to a node's best score; may depend on the node's own present state and on no other node. */
  bias?(shape: Shape, node: number): number;
}
