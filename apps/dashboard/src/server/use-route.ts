import { queryOptions, type UseQueryResult, useQuery } from '@tanstack/react-query';
import type { Route, RouteInput, RouteOutput } from '@vgpu/api';
import { client } from './client.ts';
import { queryClient } from './query-client.ts';

/** A query of one route; its key is the path, the method and the input. */
export const routeQuery = <R extends Route>(route: R, input: RouteInput<R>) =>
  queryOptions<RouteOutput<R>>({
    queryKey: [route.path, route.method, input],
    queryFn: ({ signal }) => client.call(route, input, { signal }),
  });

export interface RouteOptions {
  enabled?: boolean;
  /** Milliseconds between refreshes while the page is seen; none by default. */
  every?: number;
  staleTime?: number;
  /** Shows the former answer while another input loads. */
  keep?: boolean;
}

/** Reads a route, cached; see {@link routeQuery}. */
export function useRoute<R extends Route>(
  route: R,
  input: RouteInput<R>,
  options: RouteOptions = {},
): UseQueryResult<RouteOutput<R>> {
  return useQuery({
    ...routeQuery(route, input),
    enabled: options.enabled,
    refetchInterval: options.every,
    ...(options.staleTime === undefined ? {} : { staleTime: options.staleTime }),
    ...(options.keep ? { placeholderData: (former: RouteOutput<R> | undefined) => former as never } : {}),
  });
}

/** Marks every cached answer of these routes as old, so that what is on screen is read again. */
export async function refresh(...stale: Route[]): Promise<void> {
  await Promise.all(stale.map((route) => queryClient.invalidateQueries({ queryKey: [route.path] })));
}
