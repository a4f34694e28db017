import { routes } from '@vgpu/api';
import { type Answers, none, page } from './answer.ts';
import { report } from './report.ts';
import type { World } from './world.ts';

/** Datasets and what cleaning changed. */
export const dataAnswers = (world: World): Answers => [
  [routes.datasets.list, () => page(world.datasets)],
  [
    routes.datasets.get,
    ({ params }) => world.datasets.find((one) => one.name === params.dataset || one.id === params.dataset),
  ],
  [routes.datasets.check, ({ query }) => report(query.get('file') ?? 'data.csv')],
  [
    routes.datasets.add,
    ({ query }) => ({
      dataset: 'ds_1',
      name: query.get('file')!.replace(/\.\w+$/, ''),
      version: 'c41ab7',
      existed: false,
      report: report(query.get('file')!),
    }),
  ],
  [routes.datasets.report, ({ params }) => report(`${params.dataset}.csv`)],
  [
    routes.datasets.preview,
    ({ query }) => {
      const offset = Number(query.get('offset') ?? 0);
      const limit = Number(query.get('limit') ?? 50);
      const { columns } = report('');
      return {
        columns: columns.map((one) => one.name),
        total: 7040,
        rows: Array.from({ length: Math.min(limit, 7040 - offset) }, (_, i) =>
          columns.map((one, k) =>
            one.type === 'category' ? ['yes', 'no'][(i + k) % 2]! : String(((offset + i) * (k + 3)) % 97),
          ),
        ),
      };
    },
  ],
  [routes.datasets.remove, none],
];
