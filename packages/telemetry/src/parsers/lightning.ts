import type { ParserKind } from './parser.ts';
import { parseBar } from './tqdm.ts';

/** `Epoch 0:  50%|█████     | 5/10 [00:00<00:00, 50.0it/s, v_num=0, train_loss=0.123]` (a tqdm bar). */
export const lightning: ParserKind = {
  name: 'lightning',
  create: () => (line) => {
    if (!line.startsWith('Epoch ')) return undefined;
    const bar = parseBar(line);
    const epoch = /^Epoch (\d+)(?:\/\d+)?$/.exec(bar?.label ?? '');
    if (bar === undefined || epoch === null) return undefined;
    const { label: _, ...parsed } = bar;
    const number = Number(epoch[1]);
    const { current, total } = parsed.progress!;
    // Steps count on over epochs, so that a series does not fold back on itself.
    return { ...parsed, epoch: number, ...(total !== undefined && { step: number * total + current }) };
  },
};
