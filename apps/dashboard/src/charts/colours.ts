/** Colours of lines and bars: told apart with common colour blindness too, and visible on both schemes. */
const series = [
  '#5b6fe0',
  '#e07b39',
  '#2a9d74',
  '#c0529f',
  '#c39a1c',
  '#3a9fc4',
  '#d1495b',
  '#8a76c9',
  '#6b8e3d',
  '#9a6b54',
] as const;

/** The colour of the nth line; they repeat after ten. */
export const colourOf = (index: number): string =>
  series[((index % series.length) + series.length) % series.length]!;
