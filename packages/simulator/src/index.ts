export { capacityMilli, demandMilli, inflate } from './arrivals.ts';
export { emptyCluster } from './cluster.ts';
export { readNodes, readPods, TraceError, type TraceNode, type TracePod } from './openb.ts';
export { lineChart, page, saturationPage, saturationSvg } from './plots.ts';
export { seededRandom, shuffle } from './random.ts';
export { MARKS, type Placed, type SaturationOptions, type SaturationResult, saturate } from './saturation.ts';
export { EXIT_USAGE, type SimOptions, simCommand } from './sim-command.ts';
export { type SyntheticOptions, syntheticTrace } from './synthetic.ts';
