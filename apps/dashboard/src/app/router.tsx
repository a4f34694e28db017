import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  Outlet,
  redirect,
} from '@tanstack/react-router';
import { routes } from '@vgpu/api';
import { VgpuError } from '@vgpu/core';
import { queryClient } from '../server/query-client.ts';
import { routeQuery } from '../server/use-route.ts';
import { Crash, NotFound, PagePending } from './fallbacks.tsx';
import { Shell } from './shell.tsx';
import { signInByLink } from './sign-in-link.ts';

type Search = Record<string, unknown>;
const text = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined;

const root = createRootRoute({ component: Outlet, notFoundComponent: NotFound });

const signIn = createRoute({
  getParentRoute: () => root,
  path: '/sign-in',
  validateSearch: (search: Search): { next?: string } => ({ next: text(search.next) }),
  component: lazyRouteComponent(() => import('../pages/sign-in.tsx')),
});

/** Every page but the sign-in; it asks who is there first, and takes the token of a link. */
const app = createRoute({
  getParentRoute: () => root,
  id: 'app',
  component: Shell,
  beforeLoad: async ({ location }) => {
    await signInByLink();
    try {
      await queryClient.ensureQueryData({
        ...routeQuery(routes.access.whoami, {}),
        staleTime: Number.POSITIVE_INFINITY,
      });
    } catch (error) {
      if (error instanceof VgpuError && error.code === 'UNAUTHENTICATED') {
        throw redirect({
          to: '/sign-in',
          search: { next: location.href === '/' ? undefined : location.href },
        });
      }
      throw error;
    }
  },
});

const page = <P extends string>(path: P, load: () => Promise<{ default: React.ComponentType }>) =>
  createRoute({ getParentRoute: () => app, path, component: lazyRouteComponent(load) });

const tabs = (search: Search): { tab?: string } => ({ tab: text(search.tab) });

const jobs = createRoute({
  getParentRoute: () => app,
  path: '/jobs',
  validateSearch: (search: Search): { state?: string; search?: string; sort?: string; order?: string } => ({
    state: text(search.state),
    search: text(search.search),
    sort: text(search.sort),
    order: text(search.order),
  }),
  component: lazyRouteComponent(() => import('../pages/jobs.tsx')),
});
const job = createRoute({
  getParentRoute: () => app,
  path: '/jobs/$job',
  validateSearch: tabs,
  component: lazyRouteComponent(() => import('../pages/job.tsx')),
});
const task = createRoute({
  getParentRoute: () => app,
  path: '/jobs/$job/tasks/$task',
  validateSearch: tabs,
  component: lazyRouteComponent(() => import('../pages/task.tsx')),
});
const newJob = createRoute({
  getParentRoute: () => app,
  path: '/new',
  validateSearch: (search: Search): { from?: string; dataset?: string } => ({
    from: text(search.from),
    dataset: text(search.dataset),
  }),
  component: lazyRouteComponent(() => import('../pages/new-job.tsx')),
});
const compare = createRoute({
  getParentRoute: () => app,
  path: '/compare',
  validateSearch: (search: Search): { jobs?: string } => ({ jobs: text(search.jobs) }),
  component: lazyRouteComponent(() => import('../pages/compare.tsx')),
});
const dataset = createRoute({
  getParentRoute: () => app,
  path: '/datasets/$dataset',
  validateSearch: (search: Search): { tab?: string; version?: string } => ({
    tab: text(search.tab),
    version: text(search.version),
  }),
  component: lazyRouteComponent(() => import('../pages/dataset.tsx')),
});

const tree = root.addChildren([
  signIn,
  app.addChildren([
    page('/', () => import('../pages/overview.tsx')),
    jobs,
    job,
    task,
    newJob,
    compare,
    page('/datasets', () => import('../pages/datasets.tsx')),
    dataset,
    page('/queue', () => import('../pages/queue.tsx')),
    page('/topology', () => import('../pages/topology.tsx')),
    page('/accelerators', () => import('../pages/accelerators.tsx')),
    page('/images', () => import('../pages/images.tsx')),
    page('/settings', () => import('../pages/settings.tsx')),
  ]),
]);

export const router = createRouter({
  routeTree: tree,
  defaultPreload: 'intent',
  defaultPendingMs: 300,
  scrollRestoration: true,
  defaultPendingComponent: PagePending,
  defaultErrorComponent: Crash,
  defaultNotFoundComponent: NotFound,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
